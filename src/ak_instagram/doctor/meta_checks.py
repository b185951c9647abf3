"""Checks that ask Meta: tokens, accounts, and whether webhooks are switched on."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from ak_instagram.errors import StoreUnavailable
from ak_instagram.meta.graph.account_calls import NEEDED, SUBSCRIBED_FIELDS
from ak_instagram.meta.graph.codes import ErrorClass
from ak_instagram.meta.graph.errors import GraphError
from ak_instagram.settings.logins import HOSTS, graph_host
from ak_instagram.settings.model import Account
from ak_instagram.tokens.life import DAY, written
from ak_instagram.tokens.report import AccountReport

from .facts import META_WITHIN, Facts
from .finding import Asks, Group, Verdict, check, error, ok, warning

_SET_IT = "set it as AK_INSTAGRAM__ACCESS_TOKEN and restart"
# The way to a new token, by login.
_NEW: Mapping[str, str] = {
    "instagram": "App Dashboard > Instagram > API setup with Instagram login > Generate access"
    f" tokens; {_SET_IT}",
    "unified": "Business settings > Users > System users > Generate token, with instagram_basic and"
    f" instagram_manage_messages; {_SET_IT}",
}
_MESSAGES = {
    "instagram": "instagram_business_manage_messages",
    "unified": "instagram_manage_messages",
}
QUIET = 86_400_000  # milliseconds without an event that are worth a word
_PROFESSIONAL = frozenset({"BUSINESS", "MEDIA_CREATOR", "CREATOR"})
_LOGINS = {"IG": "Instagram Login", "EAA": "Unified Login or Facebook Login"}
_HOSTS = {"graph.instagram.com": "IG", "graph.facebook.com": "EAA"}
_EXPIRED, _NO_ACCESS_TO_MESSAGES = 463, 2534041
_PERMISSION = frozenset({3, 10, 200})

# What helps against each way in which a token can be dead, by Meta's subcode.
_DEAD = {
    _EXPIRED: "a token lives for 60 days and can't be refreshed after that",
    460: "the account's password was changed",
    458: "the owner has removed the app, and has to connect it again",
    459: "log in at instagram.com as the account and confirm what it wants; if that is no help",
    464: "log in at instagram.com as the account and confirm what it wants; if that is no help",
    492: "the owner has lost the role",
}


def name_of(facts: Facts, account: Account) -> str:
    """Return the account's name where there are several, with a colon; nothing where not."""
    if len(facts.accounts) == 1:
        return ""
    number = facts.accounts.index(account)
    return f"account {account.account_id or number + 1}: "


def kind_of(token: str) -> str:
    """Return the prefix that tells the login by which *token* was made, empty if none does."""
    return next((prefix for prefix in _LOGINS if token.startswith(prefix)), "")


# --- the token --------------------------------------------------------------


@check("AKI-301", Group.TOKEN, "Meta takes the token", asks=Asks.META)
async def token_accepted(facts: Facts) -> Sequence[Verdict]:
    """
    Ask Meta whose token it is.

    A dead token keeps everything from being sent: it has expired after 60 days, the password
    was changed, the owner removed the app, or a piece of it is missing. All that waits
    goes out once there is a new one.
    """
    verdicts = []
    for account in facts.accounts:
        name = name_of(facts, account)
        try:
            profile = (await facts.account(account)).profile
        except GraphError as exc:
            verdicts.append(refused(name, exc, account.login, facts.settings.instagram.graph_url))
        else:
            verdicts.append(ok(f"{name}Meta takes it, as {profile.username or profile.user_id}'s"))
    return verdicts


def refused(name: str, exc: GraphError, login: str, graph_url: str) -> Verdict:
    """Return what a refusal of `/me` means to a token of *login*."""
    if exc.error_class is ErrorClass.AUTHORIZATION:
        why = _DEAD.get(exc.subcode or 0, "it may be cut, or of another app or host")
        return error(f"{name}Meta refuses it: {exc.meaning}", f"{why}: {_NEW[login]}")
    if exc.status is None:
        fix = f"open the way to {urlsplit(graph_url).hostname}:443: DNS, firewall, outgoing proxy"
        return error(f"{name}Meta can't be asked: {exc.meaning}", fix)
    fix = "try again in some minutes; metastatus.com tells of troubles of Meta's"
    return warning(f"{name}Meta does not say: {exc.meaning}", fix)


@check("AKI-302", Group.TOKEN, "The token is of the login whose host is asked")
async def token_fits_host(facts: Facts) -> Sequence[Verdict]:
    """
    Compare what the token begins with and `instagram.graph_url`.

    `IGAA…` is of Instagram Login and works on graph.instagram.com, `EAA…` of Unified Login or
    Facebook Login and works on graph.facebook.com. Each is refused on the other host, with a
    message that says nothing of it: code 190, "Cannot parse access token".
    """
    graph_url = facts.settings.instagram.graph_url
    configured = {each.access_token for each in facts.settings.instagram.all_accounts}
    verdicts = []
    for account in facts.accounts:
        host = urlsplit(graph_host(account.login, graph_url)).hostname or ""
        # The simulator stands for the host of whichever login an account has.
        wanted = _HOSTS.get(host) or _HOSTS[urlsplit(HOSTS[account.login]).netloc]
        name, kind = name_of(facts, account), kind_of(account.access_token)
        length = len(account.access_token)
        if kind == wanted:
            is_main = account.access_token == facts.settings.instagram.access_token
            sources, is_stored = facts.request.sources, account.access_token not in configured
            source = "the store" if is_stored else sources.get("instagram.access_token", "")
            source = source if is_main or is_stored else ""
            told = f", from {source}" if source else ""
            text = f"{name}{account.access_token[:4]}…, {length} characters{told}: {_LOGINS[kind]}"
            verdicts.append(ok(text))
        elif kind:
            text = f"{name}the token is of {_LOGINS[kind]} and works on another host than {host}"
            verdicts.append(error(text, _NEW[account.login]))
        else:
            text = f"{name}the token ({length} characters) does not begin as Meta's do, with IGAA"
            fix = f"copy it anew, without quotes, blanks and line breaks: {_NEW[account.login]}"
            verdicts.append(warning(text, fix))
    return verdicts


@check("AKI-303", Group.TOKEN, "The token lives for more than ten days, and is refreshed in time")
async def token_lives(facts: Facts) -> Sequence[Verdict]:
    """
    Look up how old each token is, when it ends, and how its last refresh went.

    A token of Instagram Login lives for 60 days. The service refreshes it past half its life if
    there is a `store.encryption_key` to keep the new one with; Meta says nothing of one that
    was made elsewhere, so its life counts from when the service first saw it. `token show`
    tells all of it.
    """
    now = time.time_ns() // 1_000_000
    has_key = bool(facts.settings.store.encryption_key)
    told = (await facts.tokens()).values()
    return [life_verdict(each, now, has_key=has_key, several=len(told) > 1) for each in told]


def life_verdict(told: AccountReport, now: int, *, has_key: bool, several: bool) -> Verdict:
    """Return what it means that a token is as *told*; *now* is UTC ms."""
    name = f"account {told.account or told.token}: " if several else ""
    since = told.issued_at if told.issued_at is not None else told.seen_at
    if since is None:
        return ok(f"{name}{told.token} has not been used yet: its age is not known")
    age = f"{told.token} is {(now - since) // DAY} days old{'' if told.issued_at else ' or more'}"
    end = "" if told.expires_at is None else f", and ends on {written(told.expires_at)[:10]}"
    end += "" if told.expiry_known or not end else " at the latest"
    anew = _NEW[told.login]
    refresh = "`ak-instagram token refresh`" if has_key else anew
    match told.state:
        case "expired":
            return error(f"{name}{told.token} has ended", anew)
        case "locked":
            fix = "put the former key behind the new one in AK_STORE__ENCRYPTION_KEY, and restart"
            return error(f"{name}the stored token is encrypted with a key that is not set", fix)
        case "expires":
            return warning(f"{name}{age}{end}", refresh)
        case "disconnected":
            return ok(f"{name}disconnected: its messages are not answered")
    if told.error:
        return warning(f"{name}{age}{end}; the last refresh failed: {told.error}", refresh)
    if not has_key and told.expires_at is not None:
        age += ", is not refreshed (no `store.encryption_key` is set)"
    return ok(f"{name}{age}{end}")


@check("AKI-304", Group.TOKEN, "The token may read and answer messages", asks=Asks.META)
async def token_may_message(facts: Facts) -> Sequence[Verdict]:
    """
    List one conversation, which needs the permission for messages.

    Without `instagram_business_manage_messages` (Unified Login: `instagram_manage_messages`)
    nothing comes and nothing can be sent. The
    account's owner may also have switched the access off, in the Instagram app alone.
    """
    verdicts = []
    for account in facts.accounts:
        name = name_of(facts, account)
        try:
            await facts.account(account)
        except GraphError:
            continue  # that is told already
        try:
            await facts.calls.may_read_messages(account.access_token, META_WITHIN)
        except GraphError as exc:
            verdicts.append(forbidden(name, exc, account.login))
        else:
            verdicts.append(ok(f"{name}it may read messages"))
    return verdicts


def forbidden(name: str, exc: GraphError, login: str) -> Verdict:
    """Return what it means that conversations can't be listed."""
    if exc.subcode == _NO_ACCESS_TO_MESSAGES:
        fix = (
            "Instagram app > Settings > Messages and story replies > Message controls > Connected"
            " tools > Allow access to messages: on"
        )
        return error(f"{name}the account does not allow access to its messages", fix)
    if exc.code in _PERMISSION:
        fix = f"add `{_MESSAGES[login]}` to the use case, then {_NEW[login]}"
        return error(f"{name}the permission for messages is missing: {exc.meaning}", fix)
    return warning(f"{name}conversations can't be listed: {exc}", "try again in some minutes")


# --- the account ------------------------------------------------------------


@check("AKI-311", Group.ACCOUNT, "The configured id is the token's account", asks=Asks.META)
async def id_agrees(facts: Facts) -> Sequence[Verdict]:
    """
    Compare `instagram.account_id` with `/me`.

    Webhooks carry `user_id`. The other one, `id`, is of this app alone; it works here too.
    """
    verdicts, seen, known = [], dict[str, str](), set[str]()
    for account in facts.accounts:
        name = name_of(facts, account)
        try:
            profile = (await facts.account(account)).profile
        except GraphError:
            return []  # whose it is can't be told: another check tells
        known |= {profile.user_id, profile.id}
        if profile.user_id in seen:
            text = f"{name}its token is for {profile.user_id}, as that of {seen[profile.user_id]}"
            verdicts.append(warning(text, "take one of the two out of `instagram.accounts`"))
        else:
            verdicts.append(ok(f"{name}{profile.user_id}, {profile.username}"))
        seen.setdefault(profile.user_id, name.rstrip(": ") or "the first")
    for account in facts.settings.instagram.all_accounts:
        if account.account_id and account.account_id not in known:
            theirs = ", ".join(seen)
            text = f"{account.account_id} is configured, and no token is for it, but for {theirs}"
            fix = "set `instagram.account_id` to its token's account, or that account's token"
            verdicts.append(error(text, fix))
    return verdicts


@check("AKI-312", Group.ACCOUNT, "The account is a professional one", asks=Asks.META)
async def account_professional(facts: Facts) -> Sequence[Verdict]:
    """
    Check the account's type.

    A personal account has no messaging API. It becomes a professional one in the Instagram
    app: Settings > Account type and tools.
    """
    verdicts = []
    for account in facts.accounts:
        try:
            told = (await facts.account(account)).account_type
        except GraphError:
            continue
        name = name_of(facts, account)
        if told and told.upper() not in _PROFESSIONAL:
            fix = (
                "Instagram app > Settings > Account type and tools > Switch to professional account"
            )
            verdicts.append(error(f"{name}the account is {told.lower()}, not professional", fix))
        elif told:
            verdicts.append(ok(f"{name}it is a {told.lower().replace('_', ' ')} account"))
    return verdicts


# --- webhooks ---------------------------------------------------------------


@check("AKI-401", Group.SUBSCRIPTION, "The account is subscribed to messages", asks=Asks.META)
async def account_subscribed(facts: Facts) -> Sequence[Verdict]:
    """
    Ask which apps the account's webhooks go to.

    An account that is not subscribed gets no webhook, whatever the app has ticked. No step is
    forgotten more often, and Meta takes a subscription back without a word. A running service
    restores it, unless `instagram.sweep` is 0.
    """
    verdicts = []
    for account in facts.accounts:
        name = name_of(facts, account)
        try:
            apps = await facts.subscriptions(account)
        except GraphError as exc:
            if exc.error_class is not ErrorClass.AUTHORIZATION or exc.code in _PERMISSION:
                text = f"{name}Meta does not say whether it is subscribed: {exc.meaning}"
                verdicts.append(warning(text, "`ak-instagram subscribe --check`, in some minutes"))
            continue
        fields = sorted({each for app in apps for each in app.fields or ()})
        if not any(app.has_messages for app in apps):
            has = f"; it has {', '.join(fields)}" if fields else ""
            text = f"{name}the account is not subscribed to `{NEEDED}`: no webhook comes{has}"
            verdicts.append(error(text, "`ak-instagram subscribe`"))
        elif missing := [each for each in SUBSCRIBED_FIELDS if fields and each not in fields]:
            text = f"{name}the account is not subscribed to {', '.join(missing)}"
            verdicts.append(warning(text, "`ak-instagram subscribe`"))
        else:
            verdicts.append(ok(f"{name}subscribed{' to ' if fields else ''}{', '.join(fields)}"))
    return verdicts


@check(
    "AKI-402", Group.SUBSCRIPTION, "The app has a webhook with `messages` ticked", asks=Asks.META
)
async def app_subscribed(facts: Facts) -> Sequence[Verdict]:
    """
    Ask the app for its own webhook, with its id and secret.

    Nothing is said where Meta does not answer that: look in the App Dashboard > Instagram >
    API setup with Instagram login > Configure webhooks then. The app has to be Live as well.
    """
    configure = "App Dashboard > Instagram > API setup with Instagram login > Configure webhooks"
    verdicts = []
    for app_id, webhook in (await facts.app_webhooks()).items():
        if webhook is None or not webhook.is_active:
            text = f"the app {app_id} has no webhook for Instagram that is switched on"
            verdicts.append(error(text, f"{configure}: URL and verify token, Verify and save"))
        elif NEEDED not in webhook.fields:
            text = f"the app {app_id} has not ticked `{NEEDED}`: no message comes"
            verdicts.append(error(text, f"{configure}: `{NEEDED}`, `messaging_postbacks`"))
        else:
            fields = ", ".join(webhook.fields)
            verdicts.append(ok(f"the app {app_id} posts to {webhook.url}: {fields}"))
    return verdicts


@check("AKI-403", Group.SUBSCRIPTION, "Webhooks have come", at_start=False)
async def webhooks_came(facts: Facts) -> Sequence[Verdict]:
    """
    Look for the newest event in the store: none for a day is worth a look.

    The way in is whole only if something has come. Otherwise, in this order: the account is
    subscribed (AKI-401), the app is Live, its fields are ticked (AKI-402), its URL is this
    service's (AKI-411), and whoever writes is not the account itself.
    """
    try:
        store = await facts.store()
    except StoreUnavailable:
        return []
    if store.backlog is None:
        return []
    fix = "write to the account from another one; docs/troubleshooting.md#no-messages-arrive"
    if store.backlog.newest is None:
        return [warning("no message has ever come", fix)]
    age = time.time_ns() // 1_000_000 + store.ahead - store.backlog.newest
    text = f"the newest event came {max(age, 0) // 60_000} min ago"
    return [warning(text, fix) if age > QUIET else ok(text)]


TOKEN = (token_accepted, token_fits_host, token_lives, token_may_message)
ACCOUNT = (id_agrees, account_professional)
SUBSCRIPTION = (account_subscribed, app_subscribed, webhooks_came)
