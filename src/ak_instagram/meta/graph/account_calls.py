"""
Calls about an account itself: whose token it is, its webhooks, its conversations.

Each raises `GraphError`, as those of `graph` do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC

from ak_instagram.backoff import http_date
from ak_instagram.meta.lenient import JsonObject, as_id, as_list, as_object, as_text
from ak_instagram.meta.threads import FIELDS, ThreadPage, read_page

from .client import (
    GraphAnswer,
    GraphClient,
    Profile,
    read_answer,
    read_node,
    read_object,
    read_profile,
)
from .errors import GraphError

SUBSCRIBED_FIELDS = ("messages", "messaging_postbacks")
"""The fields an account is subscribed with; whichever they are, it gets all that the app ticks."""

NEEDED = "messages"  # the field without which the service is deaf
PAGE = 20  # conversations of a page, each with its newest messages
TIMEOUT = 10.0  # seconds that one call may take
_LEAN_FIELDS = "id,updated_time,messages{id,created_time,from,to,message}"
_BAD_PARAMETER = 100


@dataclass(frozen=True, slots=True)
class AccountFacts:
    """
    An account as `/me` tells it, and what the answer tells besides.

    *account_type* is `BUSINESS`, `MEDIA_CREATOR` or another word of Meta's, empty if it does
    not say. *served_version* is the Graph version that answered, *meta_time* Meta's clock
    in UTC ms; each `None` if the answer does not have it.
    """

    profile: Profile
    account_type: str = ""
    served_version: str | None = None
    meta_time: int | None = None


@dataclass(frozen=True, slots=True)
class Subscription:
    """An app that gets an account's webhooks; *fields* is `None` where Meta does not name them."""

    app_id: str | None
    fields: tuple[str, ...] | None = None

    @property
    def has_messages(self) -> bool:
        """Whether messages come, as far as Meta says."""
        return self.fields is None or NEEDED in self.fields


@dataclass(frozen=True, slots=True)
class AppWebhook:
    """The webhook of a Meta app: where it is posted, whether it is switched on, its fields."""

    url: str
    is_active: bool
    fields: tuple[str, ...]


class AccountCalls:
    """The calls about an account, over a Graph client that others share."""

    def __init__(self, graph: GraphClient) -> None:
        self._graph = graph
        self._fields = FIELDS

    async def facts(self, token: str, timeout: float = TIMEOUT) -> AccountFacts:
        """Return the account that *token* belongs to."""
        is_unified = self._graph.is_unified(token)
        query = {"fields": "id,username" if is_unified else "user_id,username,account_type"}
        answer = await self._graph.call("GET", "", token, timeout, query)
        profile = read_answer(read_node if is_unified else read_profile, answer.body)
        told = read_answer(read_object, answer.body)
        flat = as_object(next(iter(as_list(told.get("data"))), told))
        return AccountFacts(
            profile,
            as_text(flat.get("account_type")) or "",
            answer.headers.get("facebook-api-version"),
            date_of(answer),
        )

    async def subscriptions(self, token: str, timeout: float = TIMEOUT) -> tuple[Subscription, ...]:
        """Return the apps that the account's webhooks go to; none is a deaf service."""
        answer = await self._graph.call("GET", "subscribed_apps", token, timeout)
        return read_answer(read_subscriptions, answer.body)

    async def subscribe(
        self, token: str, fields: Sequence[str] = SUBSCRIBED_FIELDS, timeout: float = TIMEOUT
    ) -> None:
        """Subscribe the account to the webhooks of the token's app; repeating it does no harm."""
        query = {"subscribed_fields": ",".join(fields)}
        await self._graph.call("POST", "subscribed_apps", token, timeout, query)

    async def app_webhook(
        self, app_id: str, app_secret: str, timeout: float = TIMEOUT
    ) -> AppWebhook | None:
        """
        Return the webhook that the app has for Instagram, `None` if it has none.

        The app asks about itself, with its own secret; one that is wrong is refused.
        https://developers.facebook.com/docs/graph-api/reference/app/subscriptions
        """
        token = f"{app_id}|{app_secret}"
        answer = await self._graph.call("GET", "subscriptions", token, timeout, node=app_id)
        return read_answer(read_app_webhook, answer.body)

    async def conversations(
        self, token: str, after: str | None = None, timeout: float = TIMEOUT, *, limit: int = PAGE
    ) -> tuple[ThreadPage, int | None]:
        """
        Return a page of conversations, the latest first, and Meta's time then (UTC ms).

        *after* is the cursor of a page before. If Meta does not know one of the fields, the
        page has texts alone.
        """
        query = {"platform": "instagram", "limit": str(limit)}
        query |= {"after": after} if after else {}
        try:
            answer = await self._conversations(token, query, timeout)
        except GraphError as exc:
            if exc.code != _BAD_PARAMETER or after or self._fields == _LEAN_FIELDS:
                raise
            self._fields = _LEAN_FIELDS
            answer = await self._conversations(token, query, timeout)
        return read_answer(read_page, answer.body), date_of(answer)

    async def _conversations(
        self, token: str, query: Mapping[str, str], timeout: float
    ) -> GraphAnswer:
        fields = {"fields": self._fields}
        return await self._graph.call("GET", "conversations", token, timeout, {**query, **fields})

    async def may_read_messages(self, token: str, timeout: float = TIMEOUT) -> None:
        """Return if the token may read conversations; the error says what forbids it."""
        query = {"platform": "instagram", "limit": "1", "fields": "id"}
        await self._graph.call("GET", "conversations", token, timeout, query)


def date_of(answer: GraphAnswer) -> int | None:
    """Return the time in UTC ms that *answer*'s `Date` tells, `None` if it tells none."""
    try:
        return round(http_date(answer.headers.get("Date", "")).astimezone(UTC).timestamp() * 1000)
    except (ValueError, OverflowError):
        return None


def read_subscriptions(body: bytes) -> tuple[Subscription, ...]:
    """Return the apps in the answer of `subscribed_apps`."""
    listed = read_object(body).get("data")
    if not isinstance(listed, list):
        raise ValueError("no list of apps")
    return tuple(
        Subscription(as_id(each.get("id")) or as_id(each.get("app_id")), fields_of(each))
        for each in map(as_object, listed)
    )


def fields_of(subscription: JsonObject) -> tuple[str, ...] | None:
    """Return the fields of *subscription*: names, or objects with a `name`."""
    listed = subscription.get("subscribed_fields", subscription.get("fields"))
    if not isinstance(listed, list):
        return None
    names = (each.get("name") if isinstance(each, dict) else each for each in listed)
    return tuple(name for name in names if isinstance(name, str))


def read_app_webhook(body: bytes) -> AppWebhook | None:
    """Return the webhook for Instagram in the answer of an app's `subscriptions`."""
    for each in map(as_object, as_list(read_object(body).get("data"))):
        if each.get("object") == "instagram":
            url, is_active = (
                as_text(each.get("callback_url")) or "",
                each.get("active") is not False,
            )
            return AppWebhook(url, is_active, fields_of(each) or ())
    return None
