"""Meta's side: what proves webhooks, and where answers go."""

from __future__ import annotations

from ak_instagram.settings import kinds
from ak_instagram.settings.checks import (
    credential,
    credentials,
    graph_version,
    http_url,
    passphrase,
)
from ak_instagram.settings.keys import Key

INSTAGRAM: tuple[Key, ...] = (
    Key(
        "instagram.verify_token",
        kinds.TEXT,
        "The text that Meta's webhook form and this service share; it proves the subscription.",
        check=passphrase,
        required="set the text that you typed into the webhook form of the Meta app",
        secret=True,
        example="a-long-random-text",
    ),
    Key(
        "instagram.access_token",
        kinds.TEXT,
        "The Instagram user token that messages are sent with.",
        check=credential,
        required="set the token that the Meta app's dashboard generates for the account",
        secret=True,
        example="IGAA…",
    ),
    Key(
        "instagram.app_secret",
        kinds.TEXTS,
        "What Meta signs webhooks with: the Instagram app secret, the Meta app secret, "
        "the old one during a rotation. Empty accepts unsigned posts.",
        default=(),
        check=credentials,
        secret=True,
        empty=True,
        example="first-secret,second-secret",
    ),
    Key(
        "instagram.require_signature",
        kinds.FLAG,
        "Refuse to start without an app secret.",
        default=False,
    ),
    Key(
        "instagram.api_version",
        kinds.TEXT,
        "The Graph API version.",
        default="v21.0",
        check=graph_version,
    ),
    Key(
        "instagram.agent",
        kinds.TEXT,
        "The name of the agent to ask, for servers that have several.",
        default="",
        example="general",
    ),
    Key(
        "instagram.graph_url",
        kinds.TEXT,
        "Where the Graph API is; another one is for tests and the simulator.",
        default="https://graph.instagram.com",
        check=http_url,
    ),
    Key(
        "instagram.account_id",
        kinds.DIGITS,
        "The professional account's id, `user_id` of `/me`. Asked from Meta when not set. "
        "Agent Kernel's name `instagram_account_id` works too.",
        alias="instagram_account_id",
        example="17841400000000000",
    ),
    Key(
        "instagram.accounts",
        kinds.MAPPINGS,
        "Further accounts, each with the keys below.",
        default=(),
        secret=True,
        example='[{"access_token": "IGAA…", "agent": "sales"}]',
    ),
)

ACCOUNT_KEYS: tuple[Key, ...] = (
    Key(
        "access_token",
        kinds.TEXT,
        "The account's Instagram user token.",
        check=credential,
        required="set the account's token, or take the account out",
        secret=True,
        example="IGAA…",
    ),
    Key(
        "account_id",
        kinds.DIGITS,
        "The account's id, as `instagram.account_id`.",
        alias="instagram_account_id",
        example="17841400000000001",
    ),
    Key(
        "agent",
        kinds.TEXT,
        "The name of the account's agent; `instagram.agent` when not set.",
        example="sales",
    ),
    Key(
        "app_secret",
        kinds.TEXTS,
        "The secrets of the account's app, if it is another one.",
        default=(),
        check=credentials,
        secret=True,
        example="its-secret",
    ),
)
