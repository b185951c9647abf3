"""The agent and how to ask it."""

from __future__ import annotations

from ak_instagram.settings import kinds
from ak_instagram.settings.checks import above_zero, at_least, credential, http_url
from ak_instagram.settings.keys import Key
from ak_instagram.settings.values import FALLBACK

AGENT: tuple[Key, ...] = (
    Key(
        "agent.adapter",
        kinds.TEXT,
        "What the agent speaks: `agentkernel`, `openai-chat`, `http`, `echo`, or `module:object`. "
        "Not set: `agentkernel` when `agent.url` is set, else `openai-chat` when "
        "`OPENAI_API_KEY` is.",
        example="http",
    ),
    Key(
        "agent.url",
        kinds.TEXT,
        "Where the agent is. `agentkernel`: the server's root. `openai-chat`: the root with its "
        "version, `https://api.openai.com/v1` when not set. `http`: the endpoint itself.",
        check=http_url,
        example="http://localhost:8080",
    ),
    Key(
        "agent.api_key",
        kinds.TEXT,
        "The bearer token for the agent. `OPENAI_API_KEY` is used when this is not set and "
        "the adapter is an OpenAI one.",
        check=credential,
        secret=True,
        example="sk-…",
    ),
    Key(
        "agent.model",
        kinds.TEXT,
        "The model to ask; `openai-chat` needs it unless the server is OpenAI's own.",
        example="gpt-5.4-mini",
    ),
    Key(
        "agent.instructions",
        kinds.TEXT,
        "The system prompt, for adapters that send one.",
        example="You answer customers of a bakery.",
    ),
    Key(
        "agent.timeout",
        kinds.NUMBER,
        "Seconds that one whole answer may take.",
        default=60.0,
        check=above_zero,
    ),
    Key(
        "agent.fallback",
        kinds.TEXT,
        "What the person is told once when the agent has failed for good. Empty is silence.",
        default=FALLBACK,
        empty=True,
    ),
    Key(
        "agent.history",
        kinds.INTEGER,
        "How many past messages an adapter without a memory of its own gets.",
        default=20,
        check=at_least(0),
    ),
    Key(
        "agent.max_answer",
        kinds.INTEGER,
        "The longest answer in bytes of UTF-8; a longer one counts as a failure.",
        default=65536,
        check=at_least(1),
    ),
    Key(
        "agent.request",
        kinds.MAPPING,
        "The JSON that the `http` adapter posts, with placeholders such as `{text}` and "
        "`{session}`. Not set: session, turn, account, agent, text, messages and attachments.",
        example='{"question": "{text}", "thread": "{session}"}',
    ),
    Key(
        "agent.reply",
        kinds.TEXT,
        "Dotted path to the text in the `http` adapter's answer; empty takes the whole answer.",
        default="reply",
        empty=True,
        example="data.answer",
    ),
    Key(
        "agent.headers",
        kinds.HEADERS,
        "Headers for every request to the agent.",
        default={},
        secret=True,
        example='{"X-Api-Key": "…"}',
    ),
)
