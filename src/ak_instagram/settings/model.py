"""
The settings: each is declared here, once, as a field of the frozen value that the service gets.

The first sentence of a class introduces its section in the documentation. Reading, checks,
suggestions and the output of `check-config` come from these declarations, and
`python -m qa.reference` writes docs/configuration.md, config.yaml, .env.example and the
chart's comments from them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, replace
from typing import Literal, get_type_hints

from ak_instagram.masking import passwords_in

from .comment_rules import ANY, RULES, CommentRule
from .keys import Key, keys_of, setting
from .messenger_profile import ICE_BREAKERS, MENU
from .value_types import (
    DIGITS,
    MAPPINGS,
    OUTCOMES,
    PHRASES,
    STATUSES,
    TOOL_NAMES,
    above_zero,
    at_least,
    between,
    credential,
    credentials,
    encryption_keys,
    graph_version,
    http_url,
    one_message,
    passphrase,
    store_url,
    two_words,
)


@dataclass(frozen=True, slots=True)
class Account:
    """
    An Instagram professional account that the service answers for.

    *account_id* is `user_id` of `/me`, which webhooks carry as `entry.id`; `None`
    until it has been asked. *agent* is the name of its agent, if agents have names.
    """

    access_token: str = setting(
        MISSING,
        "The account's Instagram user token.",
        check=credential,
        required="set the account's token, or take the account out",
        secret=True,
        example="IGAA…",
    )
    account_id: str | None = setting(
        None,
        "The account's id, as `instagram.account_id`.",
        value_type=DIGITS,
        alias="instagram_account_id",
        example="17841400000000001",
    )
    agent: str | None = setting(
        None,
        "The name of the account's agent; `instagram.agent` when not set.",
        example="sales",
    )
    app_secret: tuple[str, ...] = setting(
        (),
        "The secrets of the account's app, if it is another one.",
        check=credentials,
        secret=True,
        example="its-secret",
    )
    login: Literal["instagram", "unified"] = setting(
        "instagram",
        "The account's login, as `instagram.login`.",
        inferred=True,
        example="unified",
    )

    fallback: str | None = setting(
        None,
        "The account's own `agent.fallback`; empty is silence.",
        empty=True,
        example="We are closed; we answer tomorrow.",
    )
    disclosure: str | None = setting(
        None,
        "The account's own `conversation.disclosure`; empty is none.",
        check=one_message,
        empty=True,
        example="Marigold's assistant answers here; it is a machine.",
    )
    rate: float | None = setting(
        None, "The account's own `sender.rate`.", check=above_zero, example="10"
    )

    @property
    def is_unified(self) -> bool:
        """Whether the account has Unified Login, so that its id is a part of each path."""
        return self.login == "unified"


@dataclass(frozen=True, slots=True)
class InstagramSettings:
    """
    Meta's side: what proves webhooks, and where answers go.

    The service goes by `all_accounts`, at least one, and `app_secrets`, which follow from
    what is set. *login* and *graph_url* are never empty once they are loaded, and the latter
    has no slash at its end.
    """

    verify_token: str = setting(
        MISSING,
        "The text that Meta's webhook form and this service share; it proves the subscription.",
        check=passphrase,
        required="set the text that you typed into the webhook form of the Meta app",
        secret=True,
        example="a-long-random-text",
    )
    access_token: str | None = setting(
        None,
        "The Instagram user token that messages are sent with.",
        check=credential,
        required="set the token that the Meta app's dashboard generates for the account",
        secret=True,
        example="IGAA…",
    )
    app_secret: tuple[str, ...] = setting(
        (),
        "What Meta signs webhooks with: the Instagram app secret, the Meta app secret, "
        "the old one during a rotation. Empty accepts unsigned posts.",
        check=credentials,
        secret=True,
        empty=True,
        example="first-secret,second-secret",
    )
    require_signature: bool = setting(
        False,
        "Refuse to start without an app secret, as is right wherever others reach the service.",
    )
    api_version: str = setting(
        "v21.0",
        "The Graph API version. `v21.0` ends on 2027-01-21; the files that come along set a "
        "later one.",
        check=graph_version,
        shipped="v26.0",
    )
    agent: str = setting(
        "", "The name of the agent to ask, for servers that have several.", example="general"
    )
    login: Literal["instagram", "unified"] = setting(
        "instagram",
        "How the account was connected: `instagram` (tokens `IGAA…`, `graph.instagram.com`) or "
        "`unified` (tokens `EAA…`, `graph.facebook.com`; `instagram.account_id` is required). "
        "Not set: as the token looks.",
        inferred=True,
        example="unified",
    )
    graph_url: str = setting(
        "https://graph.instagram.com",
        "Where the Graph API is; another one is for tests and the simulator. Not set: "
        "`https://graph.instagram.com`, or `https://graph.facebook.com` for `unified`.",
        inferred=True,
        check=http_url,
        example="https://graph.instagram.com",
    )
    profile: bool = setting(
        False,
        "Tell the agent who writes: name, user name and followers, as far as Meta tells. Asked at "
        "most once a day and person, and nothing waits for it longer than a second.",
    )
    account_id: str | None = setting(
        None,
        "The professional account's id, `user_id` of `/me`. Asked from Meta when not set. "
        "Agent Kernel's name `instagram_account_id` works too.",
        value_type=DIGITS,
        alias="instagram_account_id",
        example="17841400000000000",
    )
    app_id: str | None = setting(
        None,
        "The Instagram app's id. Set, owners can connect their accounts by a link; needs "
        "`server.public_url`, `instagram.app_secret` and `store.encryption_key`.",
        value_type=DIGITS,
        example="990602627938098",
    )
    accounts: tuple[Account, ...] = setting(
        (),
        "Further accounts, each with `access_token` and, if need be, `account_id`, `agent`, "
        "`app_secret`, `login`, `fallback` and `rate`.",
        value_type=MAPPINGS,
        secret=True,
        example='[{"access_token": "IGAA…", "agent": "sales"}]',
    )

    sweep: float = setting(
        600.0,
        "Seconds between two looks for messages that no webhook brought, and whether the account "
        "is still subscribed; 0 is never.",
        check=at_least(0),
    )

    @property
    def all_accounts(self) -> tuple[Account, ...]:
        """The main account, if it has a token, and the further ones, each with its agent."""
        main = (
            (
                Account(
                    self.access_token,
                    self.account_id,
                    app_secret=self.app_secret,
                    login=self.login,
                ),
            )
            if self.access_token
            else ()
        )
        return tuple(
            replace(account, agent=account.agent or self.agent or None)
            for account in (*main, *self.accounts)
        )

    @property
    def app_secrets(self) -> tuple[str, ...]:
        """
        The secrets of all accounts without repeats, in their order.

        Any of them may have signed a webhook.
        """
        further = (secret for account in self.accounts for secret in account.app_secret)
        return tuple(dict.fromkeys((*self.app_secret, *further)))


RETRY_STATUSES = ("408", "425", "429", "5xx")
"""The statuses that say "not now" rather than "not so"."""


@dataclass(frozen=True, slots=True)
class AgentSettings:
    """
    The agent and how to ask it.

    *adapter* is never empty: loading infers it.
    """

    adapter: str = setting(
        MISSING,
        "What the agent speaks: `agentkernel`, `openai-chat`, `openai-responses`, `a2a`, "
        "`ag-ui`, `langgraph`, `dify`, `n8n`, `flowise`, `http`, `http-callback`, `echo`, or "
        "`module:object`. Not set means "
        "`agentkernel` when `agent.url` is set, else `openai-chat` when `OPENAI_API_KEY` is.",
        example="http",
    )
    url: str | None = setting(
        None,
        "Where the agent is. `agentkernel`, `langgraph`: the server's root. `openai-chat`, "
        "`openai-responses`: the root with its version, else `OPENAI_BASE_URL`, else "
        "`https://api.openai.com/v1`. `dify`: the root with its version. `a2a`: the root that has "
        "the agent's card, or the card. All others: the endpoint itself.",
        check=http_url,
        example="http://localhost:8080",
    )
    api_key: str | None = setting(
        None,
        "The bearer token for the agent. `OPENAI_API_KEY` is used when this is not set and "
        "the adapter is an OpenAI one.",
        check=credential,
        secret=True,
        example="sk-…",
    )
    model: str | None = setting(
        None,
        "The model to ask; the OpenAI adapters need it unless the server is OpenAI's own. "
        "`langgraph`: the assistant, if `instagram.agent` names none; not set, the graph `agent`.",
        example="gpt-5.4-mini",
    )
    instructions: str | None = setting(
        None,
        "The system prompt, for adapters that send one.",
        example="You answer customers of a bakery.",
    )
    timeout: float = setting(60.0, "Seconds that one whole answer may take.", check=above_zero)
    stream: bool = setting(
        True,
        "Whether each finished message of an answer, or paragraph of a long one, is sent while the "
        "rest is written, by adapters whose protocol streams. `false` asks for whole answers.",
    )
    fallback: str = setting(
        "Sorry, I can't answer right now. Please try again in a little while.",
        "What the person is told once when the agent has failed for good. Empty is silence.",
        empty=True,
    )
    history: int = setting(
        20,
        "How many past messages an adapter without a memory of its own gets.",
        check=at_least(0),
    )
    max_answer: int = setting(
        65536,
        "The longest answer in bytes of UTF-8; a longer one counts as a failure.",
        check=at_least(1),
    )
    request: Mapping[str, object] | None = setting(
        None,
        "What the `http` adapter posts, with placeholders such as `{text}` and "
        "`{session}`. Not set: session, turn, account, agent, text, messages and attachments.",
        example='{"question": "{text}", "thread": "{session}"}',
    )
    request_format: Literal["json", "form"] = setting(
        "json", "How the `http` adapter posts its request: as JSON, or as the fields of a form."
    )
    reply: str | None = setting(
        None,
        "Dotted paths to the text in an answer, for `http` and `n8n`, separated by commas: the "
        "first that has something counts. Not set, `http` looks at `reply`; empty takes the whole "
        "answer.",
        empty=True,
        example="data.answer, parts.*.text",
    )
    reply_format: Literal["json", "events", "lines"] = setting(
        "json",
        "What the `http` adapter's endpoint answers: one JSON document or a text, a "
        "`text/event-stream`, or JSON lines.",
    )
    outcomes: Mapping[str, str] = setting(
        {},
        "Conditions on an answer, for `http` and `n8n`, and what each makes of it: `answer`, "
        "`silence`, `handoff`, `later`, `never`. The first that is true counts.",
        value_type=OUTCOMES,
        example='{"status == PAUSED": "handoff", "status != COMPLETED": "later"}',
    )
    paused: Literal["ask", "approve", "handoff"] = setting(
        "ask",
        "What becomes of a run that waits for somebody. `ask`: a question in words goes to the "
        "person, whose next message answers it, and an approval to staff. `approve`: an approval "
        "goes to the person too, as two choices. `handoff`: everything goes to staff.",
    )
    approval_words: tuple[str, ...] = setting(
        ("Yes", "No"),
        "The two choices that an approval is shown with, the one that approves first.",
        check=two_words,
    )
    callback_url: str | None = setting(
        None,
        "Where the agent of `http-callback` reaches this service; `/agent/answers/` and the "
        "turn's id are added.",
        check=http_url,
        example="http://ak-instagram:8000",
    )
    callback_secret: str | None = setting(
        None,
        "The secret with which the agent of `http-callback` signs what it posts, as Meta does: "
        "HMAC-SHA256 of the body in `X-Hub-Signature-256`.",
        check=credential,
        secret=True,
        example="a-long-random-text",
    )
    callback_timeout: float = setting(
        3600.0,
        "Seconds that an answer may be awaited after the agent of `http-callback` took the turn; "
        "then it is asked again.",
        check=above_zero,
    )
    media: Literal["url", "inline"] = setting(
        "url",
        "How pictures and documents reach the agent: as Meta's links, which expire, or fetched "
        "and sent along, where the protocol has room for that.",
    )
    media_hosts: tuple[str, ...] = setting(
        (),
        "Hosts that media are fetched from beside Meta's, each `host` or `host:port`; they may be "
        "private and speak HTTP, as the simulator's are.",
        example="127.0.0.1:9000",
    )
    media_max: int = setting(
        8388608, "The longest file in bytes that is fetched.", check=at_least(1)
    )
    media_timeout: float = setting(
        15.0, "Seconds that fetching a file may take, and transcribing it.", check=above_zero
    )
    transcription_url: str | None = setting(
        None,
        "The root with its version of a server with OpenAI's `/audio/transcriptions`, which puts "
        "voice notes into words. Not set, a voice note is its link.",
        check=http_url,
        example="https://api.openai.com/v1",
    )
    transcription_key: str | None = setting(
        None,
        "The bearer token for `agent.transcription_url`.",
        check=credential,
        secret=True,
        example="sk-…",
    )
    transcription_model: str = setting(
        "whisper-1", "The model that `agent.transcription_url` is asked for."
    )
    max_body: int | None = setting(
        None,
        "The longest body of an answer in bytes, with all that wraps the text. Not set: four times "
        "`agent.max_answer` and 64 KiB, or what the adapter needs.",
        check=at_least(1),
        example="4194304",
    )
    retry_statuses: tuple[str, ...] = setting(
        RETRY_STATUSES,
        "The statuses of an agent that are worth another attempt; `5xx` is all of 500 to 599.",
        value_type=STATUSES,
        example="408,425,429,5xx,404",
    )
    headers: Mapping[str, str] = setting(
        {}, "Headers for every request to the agent.", secret=True, example='{"X-Api-Key": "…"}'
    )
    tools: tuple[str, ...] = setting(
        (),
        "What a model that the OpenAI adapters or `ag-ui` ask may do besides talk: `all`, or some "
        "of `send_quick_replies`, `send_buttons`, `send_cards`, `send_image`, `react`, `hand_off`, "
        "`stay_silent`. The model has to be one that calls tools.",
        value_type=TOOL_NAMES,
        example="send_quick_replies, hand_off",
    )
    continuation: Literal["none", "previous_response_id", "conversation"] = setting(
        "none",
        "The field in which `openai-responses` names the conversation, for servers that take any "
        "name there and remember; `none` sends the history along.",
    )


@dataclass(frozen=True, slots=True)
class StoreSettings:
    """The database that keeps events until they are answered, and after."""

    url: str = setting(
        "sqlite:///data/ak-instagram.db",
        "Where events are kept: a SQLite file, or postgresql://… for several replicas.",
        check=store_url,
        secret=True,
    )
    encryption_key: tuple[str, ...] = setting(
        (),
        "The key that tokens are encrypted with before they are stored, and after a comma the "
        "former ones during a rotation. Without one no token is refreshed.",
        check=encryption_keys,
        secret=True,
        example="the output of `openssl rand -base64 32`",
    )
    retention: float = setting(
        7.0,
        "Days that messages and answers are kept, at least 2; the keys against duplicates are "
        "kept for 7 or more.",
        check=at_least(2, "Meta repeats webhooks for up to 36 hours"),
    )
    retention_messages: float | None = setting(
        None,
        "Days that what people wrote is kept once it is settled; `store.retention` when not set. "
        "0 wipes it within the hour.",
        check=at_least(0),
        example="2",
    )
    retention_answers: float | None = setting(
        None,
        "Days that answers are kept, at least 2; `store.retention` when not set.",
        check=at_least(2, "an echo may come for up to 36 hours"),
        example="2",
    )
    retention_transcript: float | None = setting(
        None,
        "Days that the lines are kept which agents without a memory get; `store.retention` when "
        "not set.",
        check=at_least(0),
        example="30",
    )
    retention_dead_letters: float | None = setting(
        None,
        "Days that dead letters are kept; as messages and answers when not set.",
        check=at_least(0),
        example="30",
    )


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """The address that the service listens on, its way out, and its end."""

    host: str = setting("0.0.0.0", "The address to listen on.")  # noqa: S104 - a container is reached from outside
    port: int = setting(8000, "The port to listen on; 0 takes a free one.", check=between(0, 65535))
    public_url: str | None = setting(
        None,
        "Where the service is reached from outside, without a path; for what owners open.",
        check=http_url,
        example="https://dm.example.com",
    )
    outgoing_proxies: bool = setting(
        False,
        "Call Meta and the agent through the proxies that `HTTP_PROXY` and `HTTPS_PROXY` name, "
        "but for the hosts in `NO_PROXY`.",
    )
    drain: float = setting(
        25.0, "Seconds that a shutdown may take to finish what is under way.", check=at_least(0)
    )


@dataclass(frozen=True, slots=True)
class AdminSettings:
    """The admin API and the console, which are off without a token."""

    token: str | None = setting(
        None,
        "The token of the admin API and the console at `/admin/`. Not set: there is neither.",
        check=credential,
        secret=True,
        example="a-long-random-text",
    )
    read_token: str | None = setting(
        None,
        "A second token that sees all and changes nothing; it needs `admin.token`.",
        check=credential,
        secret=True,
        example="another-long-random-text",
    )


@dataclass(frozen=True, slots=True)
class ConversationSettings:
    """The work on conversations."""

    debounce: float = setting(
        0.0,
        "Seconds of quiet that end a burst of messages; 2 waits for people who type short lines.",
        check=at_least(0),
    )
    concurrency: int = setting(
        500, "How many conversations one process answers at once.", check=at_least(1)
    )
    lease: float = setting(
        30.0,
        "Seconds that a worker keeps a conversation after it last renewed the lease, at least 5.",
        check=at_least(5, "a third of it passes between two renewals; a pause would lose it"),
    )
    attempts: int = setting(8, "Attempts at a turn before it is a dead letter.", check=at_least(1))
    takeover_pause: float = setting(
        43200.0,
        "Seconds of silence after a person answered from the Instagram app.",
        check=at_least(0),
    )
    automatic_texts: tuple[str, ...] = setting(
        (),
        "Texts that the account says by itself (instant reply, ad greeting, shop system): they "
        "are no person's answer. `*` stands for any words.",
        value_type=PHRASES,
        example='["Thanks for your message!", "Your parcel * is on its way."]',
    )
    opt_out_words: tuple[str, ...] = setting(
        (),
        "Texts with which a person asks not to be answered by the bot any more, until they say "
        "one of `conversation.opt_in_words` or `resume` is used. `*` stands for any words.",
        value_type=PHRASES,
        example='["STOP", "UNSUBSCRIBE"]',
    )
    opt_in_words: tuple[str, ...] = setting(
        ("START",),
        "Texts with which a person who opted out asks to be answered again.",
        value_type=PHRASES,
        example='["START", "WEITER"]',
    )

    disclosure: str = setting(
        "",
        "What tells people that a machine answers, as the law may want it: a message of its own "
        "before the first answer to a person, and when the bot returns after one of your staff.",
        check=one_message,
        example="Our assistant answers here; it is a machine.",
    )
    disclosure_gap: float = setting(
        604800.0,
        "Seconds without an answer after which `conversation.disclosure` is said again.",
        check=above_zero,
    )

    handoff_words: tuple[str, ...] = setting(
        (),
        "Texts with which people ask for a person (`*` stands for any words), also those that a "
        "button stands for: the agent is not asked, and the bot falls silent as after a takeover.",
        value_type=PHRASES,
        example='["human", "* a real person *"]',
    )
    handoff_reply: str = setting(
        "",
        "What confirms that a person was asked for. Empty is silence.",
        check=one_message,
        example="Somebody will be with you shortly.",
    )
    reset: str = setting(
        "",
        "The text with which a person starts a new session, in which the agent knows nothing of "
        "what was said before. Empty is none.",
        example="/reset",
    )
    reset_reply: str = setting(
        "All right, let's start over.",
        "What confirms the new session. Empty is silence.",
        check=one_message,
        empty=True,
    )


@dataclass(frozen=True, slots=True)
class SenderSettings:
    """The delivery of an answer's pieces."""

    enabled: bool = setting(
        True,
        "`false` stops all sending: receiving goes on, nothing is given up, and what waits goes "
        "out after a restart with `true`. The command `pause --all` does so without a restart.",
    )
    human_agent: bool = setting(
        False,
        "Let `send --as-person` write for 7 days after a person's last message instead of one, "
        "with Meta's tag HUMAN_AGENT: for what people write, and with that feature alone.",
    )
    attempts: int = setting(8, "Attempts at one piece of an answer.", check=at_least(1))
    rate: float = setting(100.0, "Pieces sent a second, for each account.", check=above_zero)


@dataclass(frozen=True, slots=True)
class ProfileSettings:
    """What people are offered before they write; `profile apply` gives it to Meta."""

    ice_breakers: tuple[Mapping[str, object], ...] = setting(
        (),
        "Up to 4 questions for each locale that people can tap to begin: `question` (80 "
        "characters), and `payload`, which is the question when not set.",
        value_type=ICE_BREAKERS,
        example='[{"locale": "default", "questions": [{"question": "When are you open?", '
        '"payload": "HOURS"}]}]',
    )
    persistent_menu: tuple[Mapping[str, object], ...] = setting(
        (),
        "Up to 20 entries for each locale of the menu beside the text field: `title` (30 "
        "characters), and `payload` or `url`.",
        value_type=MENU,
        example='[{"locale": "default", "entries": [{"title": "Our shop", "url": '
        '"https://shop.example"}, {"title": "No answers", "payload": "STOP"}]}]',
    )


@dataclass(frozen=True, slots=True)
class NotifySettings:
    """The endpoint of yours that is told when somebody has to act."""

    url: str | None = setting(
        None,
        "Where hand-offs, takeovers, stopped accounts and dead letters are posted, as JSON.",
        check=http_url,
        example="https://desk.example/instagram",
    )
    secret: str | None = setting(
        None,
        "What these posts are signed with, in `X-Hub-Signature-256`, as Meta signs webhooks.",
        check=passphrase,
        secret=True,
        example="a-long-random-text",
    )


@dataclass(frozen=True, slots=True)
class CommentsSettings:
    """Comments on the account's posts, which may be answered once, privately."""

    reply: Literal["off", "agent", "rules"] = setting(
        "off",
        "Who replies privately to comments: nobody, the agent to all, or `comments.rules`.",
    )
    rules: tuple[CommentRule, ...] = setting(
        (),
        "The rules, of which the first that fits counts: `words`, one of which is in the comment "
        "(`*`: whatever it says), and `reply`, or none for the agent's answer.",
        value_type=RULES,
        example='[{"words": ["price", "how much"], "reply": "I have sent you our prices."}, '
        '{"words": ["*"]}]',
    )

    @property
    def all_rules(self) -> tuple[CommentRule, ...] | None:
        """The rules that apply, `None` if comments are left alone."""
        if self.reply == "agent":
            return (CommentRule((ANY,)),)
        return self.rules if self.reply == "rules" else None


@dataclass(frozen=True, slots=True)
class LogSettings:
    """The log. Message texts, tokens and signatures never get into it."""

    level: Literal["debug", "info", "warning", "error"] = setting(
        "info", "The lowest level that is logged."
    )
    format: Literal["auto", "json", "console"] = setting(
        "auto", "`auto` is colours on a terminal and JSON lines elsewhere."
    )


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that can be set."""

    instagram: InstagramSettings
    agent: AgentSettings
    store: StoreSettings = field(default_factory=StoreSettings)
    server: ServerSettings = field(default_factory=ServerSettings)
    admin: AdminSettings = field(default_factory=AdminSettings)
    conversation: ConversationSettings = field(default_factory=ConversationSettings)
    sender: SenderSettings = field(default_factory=SenderSettings)
    profile: ProfileSettings = field(default_factory=ProfileSettings)
    comments: CommentsSettings = field(default_factory=CommentsSettings)
    notify: NotifySettings = field(default_factory=NotifySettings)
    logs: LogSettings = field(default_factory=LogSettings)

    @property
    def secrets(self) -> tuple[str, ...]:
        """Every secret in here, for the log to mask wherever one turns up."""
        candidates = (
            *(account.access_token for account in self.instagram.all_accounts),
            *self.instagram.app_secrets,
            self.instagram.verify_token,
            self.agent.api_key,
            self.agent.callback_secret,
            self.agent.transcription_key,
            *(value for value in self.agent.headers.values() if len(value) >= _KEY_LENGTH),
            self.admin.token,
            self.admin.read_token,
            *self.store.encryption_key,
            self.notify.secret,
            *passwords_in(self.store.url),
        )
        return tuple(secret for secret in candidates if secret)


# Characters from which on a header's value may be a key; shorter ones are words.
_KEY_LENGTH = 12


SECTIONS: Mapping[str, type] = get_type_hints(Settings)
"""The class of each section, in the order of the documentation."""

SECTION_KEYS: Mapping[str, tuple[Key, ...]] = {
    name: keys_of(declared, name) for name, declared in SECTIONS.items()
}
"""The keys of each section, in its order."""

KEYS: tuple[Key, ...] = tuple(key for keys in SECTION_KEYS.values() for key in keys)
ACCOUNT_KEYS: tuple[Key, ...] = keys_of(Account)
