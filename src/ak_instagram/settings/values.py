"""The settings as frozen, typed values; who reads them never sees where they came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from ak_instagram.masking import passwords_in

FALLBACK = "Sorry, I can't answer right now. Please try again in a little while."
# Characters from which on a header's value may be a key; shorter ones are words.
_KEY_LENGTH = 12


@dataclass(frozen=True, slots=True)
class Account:
    """
    An Instagram professional account that the service answers for.

    *account_id* is `user_id` of `/me`, which webhooks carry as `entry.id`; `None`
    until it has been asked. *agent* is the name of its agent, if agents have names.
    """

    access_token: str = field(repr=False)
    account_id: str | None = None
    agent: str | None = None


@dataclass(frozen=True, slots=True)
class Instagram:
    """
    Meta's side: what verifies webhooks and where sends go.

    *app_secrets* are all secrets of all accounts without repeats, in the order
    configured; any of them may have signed a webhook. *accounts* has at least one.
    *graph_url* has no slash at its end.
    """

    verify_token: str = field(repr=False)
    accounts: tuple[Account, ...]
    app_secrets: tuple[str, ...] = field(default=(), repr=False)
    api_version: str = "v21.0"
    graph_url: str = "https://graph.instagram.com"


@dataclass(frozen=True, slots=True)
class Agent:
    """
    The agent and how to ask it.

    *adapter* is never empty: it has been inferred. *timeout* is in seconds and
    covers one whole answer. *max_answer* is the most text in UTF-8 bytes that an
    answer may have. *history* is how many past utterances an adapter that keeps no
    memory gets. *request*, *reply* and *headers* shape the `http` adapter.
    """

    adapter: str
    url: str | None = None
    api_key: str | None = field(default=None, repr=False)
    model: str | None = None
    instructions: str | None = None
    timeout: float = 60.0
    fallback: str = FALLBACK
    history: int = 20
    max_answer: int = 65536
    request: Mapping[str, object] | None = None
    reply: str = "reply"
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Store:
    """Where events live; *retention* is in days."""

    url: str = field(default="sqlite:///data/ak-instagram.db", repr=False)
    retention: float = 7.0


@dataclass(frozen=True, slots=True)
class Server:
    """Where the service listens; *drain* is how many seconds a shutdown may take."""

    host: str = "0.0.0.0"  # noqa: S104 - a container is reached from outside
    port: int = 8000
    drain: float = 25.0


@dataclass(frozen=True, slots=True)
class Admin:
    """Reserved for an admin API: *token* has no effect in this version."""

    token: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Conversation:
    """How conversations are worked on; times in seconds."""

    debounce: float = 0.0
    concurrency: int = 500
    lease: float = 30.0
    attempts: int = 8
    takeover_pause: float = 43200.0


@dataclass(frozen=True, slots=True)
class Sender:
    """How pieces are delivered: tries of one piece, pieces a second and account."""

    attempts: int = 8
    rate: float = 100.0


@dataclass(frozen=True, slots=True)
class Logs:
    """What is logged and how; `auto` is colours on a terminal, JSON elsewhere."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["auto", "json", "console"] = "auto"


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that can be set."""

    instagram: Instagram
    agent: Agent
    store: Store = field(default_factory=Store)
    server: Server = field(default_factory=Server)
    admin: Admin = field(default_factory=Admin)
    conversation: Conversation = field(default_factory=Conversation)
    sender: Sender = field(default_factory=Sender)
    logs: Logs = field(default_factory=Logs)

    @property
    def secrets(self) -> tuple[str, ...]:
        """Every secret in here, for the log to mask wherever one turns up."""
        candidates = (
            *(account.access_token for account in self.instagram.accounts),
            *self.instagram.app_secrets,
            self.instagram.verify_token,
            self.agent.api_key,
            *(value for value in self.agent.headers.values() if len(value) >= _KEY_LENGTH),
            self.admin.token,
            *passwords_in(self.store.url),
        )
        return tuple(secret for secret in candidates if secret)
