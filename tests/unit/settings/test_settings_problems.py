"""Every problem is one line with the key, what is wrong and the fix, and none hides another."""

from __future__ import annotations

import pytest

from ak_instagram.agents.registry import choices
from ak_instagram.errors import SettingsError
from ak_instagram.settings.model import KEYS
from tests.support.settings import load

SECRET = "IGAAsecret-that-nobody-may-see"


def problems_of(environ, config=None):
    with pytest.raises(SettingsError) as caught:
        load(environ, config)
    return caught.value.problems


# One row for each kind of problem; the line is what people read, so all of it is the claim.
VARIABLES = [
    pytest.param(
        {"AK_INSTAGRAM__VERIFY_TOKEN": ""},
        "instagram.verify_token (AK_INSTAGRAM__VERIFY_TOKEN): is missing; set the text that you "
        "typed into the webhook form of the Meta app",
        id="missing",
    ),
    pytest.param(
        {"AK_INSTAGRAM__ACCESS_TOKEN": "", "AK_INSTAGRAM__ACCOUNTS": "[]"},
        "instagram.access_token (AK_INSTAGRAM__ACCESS_TOKEN): is missing; set the token that the "
        "Meta app's dashboard generates for the account",
        id="no-account-at-all",
    ),
    pytest.param(
        {"AK_SERVER__PORT": "eighty"},
        "server.port (AK_SERVER__PORT): must be a whole number, not 'eighty'; for example 8000",
        id="integer",
    ),
    pytest.param(
        {"AK_SERVER__PORT": "80.5"},
        "server.port (AK_SERVER__PORT): must be a whole number, not '80.5'; for example 8000",
        id="integer-with-a-point",
    ),
    pytest.param(
        {"AK_SERVER__PORT": SECRET},
        "server.port (AK_SERVER__PORT): must be a whole number; for example 8000",
        id="a-token-in-the-wrong-place-is-not-shown",
    ),
    pytest.param(
        {"AK_SERVER__PORT": "65536"},
        "server.port (AK_SERVER__PORT): must be from 0 to 65535, not '65536'; for example 8000",
        id="port-range",
    ),
    pytest.param(
        {"AK_AGENT__TIMEOUT": "nan"},
        "agent.timeout (AK_AGENT__TIMEOUT): must be a number, not 'nan'; for example 60",
        id="number",
    ),
    pytest.param(
        {"AK_AGENT__TIMEOUT": "0"},
        "agent.timeout (AK_AGENT__TIMEOUT): must be more than 0, not '0'; for example 60",
        id="timeout-range",
    ),
    pytest.param(
        {"AK_SENDER__RATE": "0"},
        "sender.rate (AK_SENDER__RATE): must be more than 0, not '0'; for example 100",
        id="rate-range",
    ),
    pytest.param(
        {"AK_SENDER__ATTEMPTS": "0"},
        "sender.attempts (AK_SENDER__ATTEMPTS): must be at least 1, not '0'; for example 8",
        id="attempts-range",
    ),
    pytest.param(
        {"AK_CONVERSATION__CONCURRENCY": "0"},
        "conversation.concurrency (AK_CONVERSATION__CONCURRENCY): must be at least 1, not '0'; "
        "for example 500",
        id="concurrency-range",
    ),
    pytest.param(
        {"AK_CONVERSATION__LEASE": "2"},
        "conversation.lease (AK_CONVERSATION__LEASE): must be at least 5 (a third of it passes "
        "between two renewals; a pause would lose it), not '2'; for example 30",
        id="lease-range",
    ),
    pytest.param(
        {"AK_STORE__RETENTION": "1"},
        "store.retention (AK_STORE__RETENTION): must be at least 2 (Meta repeats webhooks for up "
        "to 36 hours), not '1'; for example 7",
        id="retention-range",
    ),
    pytest.param(
        {"AK_INSTAGRAM__REQUIRE_SIGNATURE": "maybe"},
        "instagram.require_signature (AK_INSTAGRAM__REQUIRE_SIGNATURE): must be true or false, "
        "not 'maybe'; for example false",
        id="flag",
    ),
    pytest.param(
        {"AK_LOGS__LEVEL": "loud"},
        "logs.level (AK_LOGS__LEVEL): must be one of debug, info, warning, error, not 'loud'; "
        "for example info",
        id="choice",
    ),
    pytest.param(
        {"AK_INSTAGRAM__API_VERSION": "21"},
        "instagram.api_version (AK_INSTAGRAM__API_VERSION): must be a Graph API version, "
        "not '21'; for example v21.0",
        id="graph-version",
    ),
    pytest.param(
        {"AK_AGENT__URL": "localhost:8080"},
        "agent.url (AK_AGENT__URL): must be a URL that starts with http:// or https://, "
        "not 'localhost:8080'; for example http://localhost:8080",
        id="url-without-scheme",
    ),
    pytest.param(
        {"AK_AGENT__URL": "http://x:port"},
        "agent.url (AK_AGENT__URL): must be a URL that starts with http:// or https://, "
        "not 'http://x:port'; for example http://localhost:8080",
        id="url-with-a-wrong-port",
    ),
    pytest.param(
        {"AK_AGENT__URL": "https://user:password@agent.example"},
        "agent.url (AK_AGENT__URL): must hold no user and password, which would be seen in logs; "
        "for example http://localhost:8080",
        id="url-with-a-password",
    ),
    pytest.param(
        {"AK_AGENT__URL": "https://agent.example/ask?key=a#b"},
        "agent.url (AK_AGENT__URL): must have no # part, which is never sent: a # that is meant "
        "is %23; for example http://localhost:8080",
        id="url-with-a-fragment",
    ),
    pytest.param(
        {"AK_STORE__URL": "postgres://u:p@db/x"},
        "store.url (AK_STORE__URL): must start with postgresql:// to name a PostgreSQL database; "
        "for example postgresql://user:password@host:5432/database",
        id="store-of-another-name",
    ),
    pytest.param(
        {"AK_STORE__URL": "postgresql://u:p@ss@db/x"},
        "store.url (AK_STORE__URL): has an @ in a user or password, which is written %40; "
        "for example postgresql://user:p%40ss@host:5432/database",
        id="store-password-not-encoded",
    ),
    pytest.param(
        {"AK_STORE__URL": "postgresql://db/x?password=p@ss"},
        "store.url (AK_STORE__URL): has an @ in a user or password, which is written %40; "
        "for example postgresql://user:p%40ss@host:5432/database",
        id="store-password-as-an-option-not-encoded",
    ),
    pytest.param(
        {"AK_STORE__URL": "postgresql://u:p@db/x?sslmode=require&channel_binding=require"},
        "store.url (AK_STORE__URL): has ?channel_binding, which the driver does not know: take it "
        "out",
        id="store-with-what-the-driver-does-not-know",
    ),
    pytest.param(
        {"AK_STORE__URL": "postgresql://db/x?sslmode=verify-full&sslrootcert=/etc/ca.pem"},
        "store.url (AK_STORE__URL): has ?sslrootcert, which the driver does not know: set "
        "PGSSLROOTCERT instead",
        id="store-with-a-certificate",
    ),
    pytest.param(
        {"AK_STORE__URL": "postgresql://u:p@db:abc/x"},
        "store.url (AK_STORE__URL): has a port that is no number from 1 to 65535",
        id="store-at-no-port",
    ),
    pytest.param(
        {"AK_STORE__URL": "postgresql://u:p@db:65536/x"},
        "store.url (AK_STORE__URL): has a port that is no number from 1 to 65535",
        id="store-at-too-high-a-port",
    ),
    pytest.param(
        {"AK_STORE__URL": "sqlite://"},
        "store.url (AK_STORE__URL): must be sqlite:/// and the path of a file, which outlives the "
        "process; for example sqlite:///data/ak-instagram.db",
        id="store-in-memory",
    ),
    pytest.param(
        {"AK_INSTAGRAM__ACCOUNT_ID": "my.shop"},
        "instagram.account_id (AK_INSTAGRAM__ACCOUNT_ID): must be a number of digits alone, "
        "not a name, not 'my.shop'; for example 17841400000000000",
        id="digits",
    ),
    pytest.param(
        {"AK_AGENT__REQUEST": "{text}"},
        "agent.request (AK_AGENT__REQUEST): must be an object of names and values, in a variable "
        "as JSON or TOML, not '{text}'; for example "
        '{"question": "{text}", "thread": "{session}"}',
        id="object",
    ),
    pytest.param(
        {"AK_AGENT__OUTCOMES": '{"status == DONE": true}'},
        "agent.outcomes (AK_AGENT__OUTCOMES): must have an outcome in words for every condition; "
        'for example {"status == PAUSED": "handoff", "status != COMPLETED": "later"}',
        id="outcomes",
    ),
    pytest.param(
        {"AK_AGENT__RETRY_STATUSES": "200,5xx"},
        "agent.retry_statuses (AK_AGENT__RETRY_STATUSES): must be statuses of errors, separated by "
        "commas, not '200,5xx'; for example 408,425,429,5xx,404",
        id="statuses",
    ),
    pytest.param(
        {"AK_AGENT__TOOLS": "send_money"},
        "agent.tools (AK_AGENT__TOOLS): must be all, or some of send_quick_replies, send_buttons, "
        "send_cards, send_image, react, hand_off, stay_silent, not 'send_money'; for example "
        "send_quick_replies, hand_off",
        id="tools",
    ),
    pytest.param(
        {"AK_AGENT__HEADERS": '{"X-Version": 2}'},
        "agent.headers (AK_AGENT__HEADERS): must have text for every header: put the values in "
        'quotes; for example {"X-Api-Key": "…"}',
        id="headers",
    ),
    pytest.param(
        {"AK_INSTAGRAM__ACCOUNTS": SECRET},
        "instagram.accounts (AK_INSTAGRAM__ACCOUNTS): must be a list of objects, in a variable as "
        'JSON or TOML; for example [{"access_token": "IGAA…", "agent": "sales"}]',
        id="list",
    ),
    pytest.param(
        {"AK_INSTAGRAM__ACCESS_TOKEN": f"{SECRET}\n"},
        "instagram.access_token (AK_INSTAGRAM__ACCESS_TOKEN): must have no blank, line break or "
        "non-ASCII character: paste it again; for example IGAA…",
        id="credential-with-a-line-break",
    ),
    pytest.param(
        {"AK_INSTAGRAM__ACCESS_TOKEN": f'"{SECRET}"'},
        "instagram.access_token (AK_INSTAGRAM__ACCESS_TOKEN): must have no quotes around it: "
        "`docker --env-file` keeps them; for example IGAA…",
        id="credential-in-quotes",
    ),
    pytest.param(
        {
            "AK_INSTAGRAM__APP_SECRET": f"'{SECRET}'",
            "AK_INSTAGRAM__REQUIRE_SIGNATURE": "true",  # which does not call it missing
        },
        "instagram.app_secret (AK_INSTAGRAM__APP_SECRET): must have no quotes around it: "
        "`docker --env-file` keeps them; for example first-secret,second-secret",
        id="app-secret-in-quotes",
    ),
    pytest.param(
        {"AK_INSTAGRAM__APP_SECRET": f'"{SECRET},b"'},
        "instagram.app_secret (AK_INSTAGRAM__APP_SECRET): must have no quotes around it: "
        "`docker --env-file` keeps them; for example first-secret,second-secret",
        id="all-app-secrets-in-quotes",
    ),
    pytest.param(
        {"AK_INSTAGRAM__APP_SECRET": f"a,\ufeff{SECRET}"},
        "instagram.app_secret (AK_INSTAGRAM__APP_SECRET): must have no blank, line break or "
        "non-ASCII character: paste it again; for example first-secret,second-secret",
        id="app-secret-with-a-byte-order-mark",
    ),
    pytest.param(
        {"AK_INSTAGRAM__APP_SECRET": f"{SECRET}\udcff"},
        "instagram.app_secret (AK_INSTAGRAM__APP_SECRET): must have no blank, line break or "
        "non-ASCII character: paste it again; for example first-secret,second-secret",
        id="app-secret-with-a-byte-that-is-not-utf-8",
    ),
    pytest.param(
        {"AK_INSTAGRAM__ACCOUNTS": '[{"access_token": "a", "app_secret": ["b", "c d"]}]'},
        "instagram.accounts[0].app_secret (AK_INSTAGRAM__ACCOUNTS___0__APP_SECRET): must have no "
        "blank, line break or non-ASCII character: paste it again; for example its-secret",
        id="app-secret-of-an-account-with-a-blank",
    ),
    pytest.param(
        {"AK_INSTAGRAM__VERIFY_TOKEN": '"open sesame"'},
        "instagram.verify_token (AK_INSTAGRAM__VERIFY_TOKEN): must have no quotes around it: "
        "`docker --env-file` keeps them; for example a-long-random-text",
        id="verify-token-in-quotes",
    ),
    *(
        pytest.param(
            {"AK_INSTAGRAM__VERIFY_TOKEN": token},
            "instagram.verify_token (AK_INSTAGRAM__VERIFY_TOKEN): must have no blank at its ends, "
            "line break or non-ASCII character: type it again; for example a-long-random-text",
            id=f"verify-token-with-{fault}",
        )
        for fault, token in {
            "a-blank-after-it": "open sesame ",
            "a-byte-order-mark": "\ufeffopen sesame",
            "a-byte-that-is-not-utf-8": "open\udcff",
        }.items()
    ),
    pytest.param(
        {"AK_INSTAGRAM__REQUIRE_SIGNATURE": "true"},
        "instagram.app_secret (AK_INSTAGRAM__APP_SECRET): is missing, and "
        "instagram.require_signature is true; set the Instagram app secret (App Dashboard > API "
        "setup with Instagram login), not the one under App settings > Basic",
        id="signature-without-secret",
    ),
    pytest.param(
        {"AK_INSTAGRAM__ACCOUNT_ID": "1", "AK_INSTAGRAM__INSTAGRAM_ACCOUNT_ID": "2"},
        "instagram.account_id (AK_INSTAGRAM__ACCOUNT_ID): is set beside "
        "instagram.instagram_account_id (AK_INSTAGRAM__INSTAGRAM_ACCOUNT_ID); keep one of them",
        id="both-names-of-the-account-id",
    ),
    pytest.param(
        {"AK_INSTAGRAM__ACCOUNTS": '[{"agent": "sales"}]'},
        "instagram.accounts[0].access_token (AK_INSTAGRAM__ACCOUNTS___0__ACCESS_TOKEN): "
        "is missing; set the account's token, or take the account out",
        id="account-without-token",
    ),
    pytest.param(
        {"AK_INSTAGRAM__ACCOUNTS": '[{"access_token": "IGAA-main"}]'},
        "instagram.accounts[0].access_token (AK_INSTAGRAM__ACCOUNTS___0__ACCESS_TOKEN): is the "
        "token of instagram.access_token too; list an account once",
        id="account-twice",
    ),
    pytest.param(
        {"AK_INSTAGRAM__VERIFY_TOKN": SECRET},
        "instagram.verify_tokn (AK_INSTAGRAM__VERIFY_TOKN): is not a setting; did you mean "
        "instagram.verify_token (AK_INSTAGRAM__VERIFY_TOKEN)?",
        id="mistyped-key",
    ),
    pytest.param(
        {"AK_INSTAGRAM__ACCOUNTS": '[{"access_token": "a", "agnt": "b"}]'},
        "instagram.accounts[0].agnt (AK_INSTAGRAM__ACCOUNTS___0__AGNT): is not a setting; did you "
        "mean instagram.accounts[0].agent (AK_INSTAGRAM__ACCOUNTS___0__AGENT)?",
        id="mistyped-key-of-an-account",
    ),
    pytest.param(
        {"AK_SENDER__ZZZ": "1"},
        "sender.zzz (AK_SENDER__ZZZ): is not a setting; sender has attempts, rate",
        id="unknown-key",
    ),
    pytest.param(
        {"AK_INSTAGRM__VERIFY_TOKEN": SECRET},
        "instagrm (AK_INSTAGRM): is not a section; did you mean instagram (AK_INSTAGRAM)?",
        id="mistyped-section",
    ),
    pytest.param(
        {"AK_AGENT_TIMEOUT": "5"},
        "AK_AGENT_TIMEOUT: sets nothing, since nesting takes two underscores; write "
        "AK_AGENT__TIMEOUT",
        id="one-underscore",
    ),
    pytest.param(
        {"AK_AGENT__ADAPTER": "openai-responses"},
        "agent.api_key (AK_AGENT__API_KEY): is missing, and the adapter openai-responses needs it; "
        "set it, or OPENAI_API_KEY",
        id="responses-without-a-key",
    ),
    pytest.param(
        {"AK_AGENT__ADAPTER": "agent-kernel"},
        "agent.adapter (AK_AGENT__ADAPTER): is not an adapter that exists; did you mean "
        "agentkernel?",
        id="mistyped-adapter",
    ),
    pytest.param(
        {"AK_AGENT__ADAPTER": "zzz"},
        f"agent.adapter (AK_AGENT__ADAPTER): is not an adapter that exists; use {choices()}",
        id="unknown-adapter",
    ),
    pytest.param(
        {"AK_AGENT__ADAPTER": ""},
        "agent.adapter (AK_AGENT__ADAPTER): is not set and can't be inferred; set agent.url for an "
        "Agent Kernel server, OPENAI_API_KEY for OpenAI, or agent.adapter to one of "
        f"{choices()}",
        id="no-adapter",
    ),
    pytest.param(
        {"AK_AGENT__ADAPTER": "http"},
        "agent.url (AK_AGENT__URL): is missing, and the adapter http needs it; set the endpoint, "
        "for example http://localhost:9000/ask",
        id="adapter-without-url",
    ),
    pytest.param(
        {"AK_AGENT__ADAPTER": "openai-chat"},
        "agent.api_key (AK_AGENT__API_KEY): is missing, and the adapter openai-chat needs it; set "
        "it, or OPENAI_API_KEY",
        id="openai-without-key",
    ),
    pytest.param(
        {"AK_AGENT__ADAPTER": "openai-chat", "AK_AGENT__URL": "http://localhost:11434/v1"},
        "agent.model (AK_AGENT__MODEL): is missing, and the adapter openai-chat needs it; set one "
        "that the server has",
        id="compatible-server-without-model",
    ),
    pytest.param(
        {"AK_AGENT__ADAPTER": "openai-chat", "OPENAI_API_KEY": f"{SECRET} "},
        "OPENAI_API_KEY: must have no blank, line break or non-ASCII character: paste it again; "
        "for example sk-…",
        id="openai-key-with-a-blank",
    ),
    pytest.param(
        {"AK_AGENT__ADAPTER": "openai-chat", "OPENAI_API_KEY": "k", "OPENAI_API_KEY_FILE": "f"},
        "OPENAI_API_KEY: is set beside OPENAI_API_KEY_FILE; keep one of them",
        id="openai-key-twice",
    ),
    pytest.param(
        {"AK_AGENT__ADAPTER": "openai-chat", "OPENAI_API_KEY": "k", "OPENAI_BASE_URL": "litellm"},
        "OPENAI_BASE_URL: must be a URL that starts with http:// or https://, not 'litellm'; for "
        "example http://localhost:8080",
        id="openai-url-that-is-none",
    ),
]


@pytest.mark.parametrize(("variables", "problem"), VARIABLES)
def test_a_variables_problem_is_one_line(environ, variables, problem):
    assert problems_of(environ | variables) == [problem]


FILES = [
    pytest.param(
        "instagram: {verify_token: 0123}",
        "instagram.verify_token (AK_INSTAGRAM__VERIFY_TOKEN): must be text: put it in quotes, or "
        "YAML reads something else; for example a-long-random-text",
        id="text-that-yaml-takes-for-a-number",
    ),
    pytest.param(
        "sender: [a]",
        "sender (AK_SENDER): must hold keys, not a value; indent its keys below it",
        id="section-without-keys",
    ),
    pytest.param(
        "server: {prot: 1}",
        "server.prot (AK_SERVER__PROT): is not a setting; did you mean server.port "
        "(AK_SERVER__PORT)?",
        id="mistyped-key",
    ),
    pytest.param(
        "convrsation: {debounce: 1}",
        "convrsation (AK_CONVRSATION): is not a section; did you mean conversation "
        "(AK_CONVERSATION)?",
        id="mistyped-section",
    ),
    pytest.param(
        "server: {port: true}",
        "server.port (AK_SERVER__PORT): must be a whole number, not 'True'; for example 8000",
        id="flag-for-a-number",
    ),
    pytest.param(
        "server:\n  port: {a: 1}",
        "server.port (AK_SERVER__PORT): must be a whole number; for example 8000",
        id="keys-for-a-value",
    ),
    pytest.param(
        "a: [",
        "config.yaml: can't be used as the settings file, line 1, column 5 is not valid YAML; "
        "correct it or its path",
        id="not-yaml",
    ),
    pytest.param(
        f"a: {SECRET}\na: {SECRET}",
        "config.yaml: can't be used as the settings file, line 2, column 1 is not valid YAML; "
        "correct it or its path",
        id="key-twice",
    ),
    pytest.param(
        "- a",
        "config.yaml: can't be used as the settings file, it does not hold sections such as "
        "`instagram:` with keys below; correct it or its path",
        id="list",
    ),
    pytest.param(
        "text",
        "config.yaml: can't be used as the settings file, it does not hold sections such as "
        "`instagram:` with keys below; correct it or its path",
        id="text",
    ),
    pytest.param(
        b"a: \xff",
        "config.yaml: can't be used as the settings file, it is not UTF-8; correct it or its path",
        id="not-utf-8",
    ),
]


@pytest.mark.parametrize(("content", "problem"), FILES)
def test_a_files_problem_is_one_line(environ, folder, content, problem):
    (folder / "config.yaml").write_bytes(
        content if isinstance(content, bytes) else content.encode()
    )
    if "verify_token" in str(content):
        del environ["AK_INSTAGRAM__VERIFY_TOKEN"]

    assert problems_of(environ) == [problem]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        pytest.param("none.yaml", "No such file or directory", id="missing"),
        pytest.param("folder.yaml", "Is a directory", id="folder"),
        pytest.param("settings.conf", "its name must end in .yaml", id="other-ending"),
    ],
)
@pytest.mark.parametrize("how", ["argument", "variable"])
def test_a_named_file_must_be_there_and_yaml(environ, folder, name, reason, how):
    (folder / "folder.yaml").mkdir()
    (folder / "settings.conf").write_text("server: {port: 1}")
    path = folder / name
    environ |= {"AK_CONFIG": str(path)} if how == "variable" else {}

    assert problems_of(environ, path if how == "argument" else None) == [
        f"{path}: can't be used as the settings file, {reason}; correct it or its path"
    ]


def test_all_problems_are_told_at_once():
    found = problems_of({"AK_SERVER__PORT": "x", "AK_SENDER__RAT": "1", "AK_AGENT__TIMEOUT": "-1"})

    assert [line.split(" ")[0] for line in found] == [
        "agent.timeout",
        "server.port",
        "sender.rat",
        "instagram.verify_token",
        "instagram.access_token",
        "agent.adapter",
    ]


def test_what_may_be_in_an_unreadable_file_is_not_called_missing(folder):
    (folder / "config.yaml").write_text("a: [")

    found = problems_of({"AK_SERVER__PORT": "x"})

    assert [line.split(":")[0] for line in found] == [
        "config.yaml",
        "server.port (AK_SERVER__PORT)",
    ]


@pytest.mark.parametrize("key", [key.name for key in KEYS if key.secret])
def test_no_problem_shows_a_secret(environ, key):
    """Neither as it is nor where a number, a URL or a list was expected."""
    variables = {f"AK_{key.upper().replace('.', '__')}": "no one é", "AK_SERVER__PORT": "x"}

    assert not [line for line in problems_of(environ | variables) if "no one" in line]
