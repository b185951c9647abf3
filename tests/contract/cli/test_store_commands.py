"""The commands that work on the store from beside a running service."""

from __future__ import annotations

import asyncio
import json
import time

import pytest
from click.testing import CliRunner

from ak_instagram.cli import main
from ak_instagram.store.values import EventStatus, TurnResult
from ak_instagram.store.verbs import steps
from tests.support.fakes import FakeClock
from tests.support.store_bench import Bench, arrival, claim_one
from tests.support.webhooks import now

ACCOUNT, CONTACT = "17841400000000001", "751390000000001"


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Run a command with settings that name the test's store."""
    monkeypatch.chdir(tmp_path)
    environment = {
        "AK_STORE__URL": f"sqlite:///{tmp_path}/store.db",
    }

    def invoke(*arguments: str, **changes: str):
        return CliRunner().invoke(main, arguments, env=environment | changes)

    return invoke


@pytest.fixture
def _dead_letter(tmp_path):
    """A store with one dead letter, left by a service that has ended."""

    async def leave() -> None:
        bench = Bench(f"sqlite:///{tmp_path}/store.db")
        async with bench.stack:
            await bench.open()
            store = bench.store()
            await store.put([arrival("m1", CONTACT, account=ACCOUNT)])
            claim = await claim_one(store)
            dead = {claim.events[0].id: EventStatus.DEAD}
            await store.run(steps.settle, claim, TurnResult("turn-1", dead, reason="gave up: 503"))

    asyncio.run(leave())


@pytest.mark.usefixtures("_dead_letter")
def test_a_dead_letter_is_listed_shown_replayed_and_then_gone(run):
    listed, shown = run("dead-letters", "list"), run("dead-letters", "show", "turn-1")
    replayed = run("dead-letters", "replay", "turn-1")
    again = run("dead-letters", "list")

    assert "turn-1" in listed.output
    assert "gave up: 503" in listed.output
    assert [line.partition(":")[0] for line in shown.output.splitlines()[1:]] == [
        "  message",
        '    {"message"',
    ]
    assert (replayed.output, replayed.exit_code) == ("1 to be tried again\n", 0)
    assert again.output == "no dead letters\n"


@pytest.mark.usefixtures("_dead_letter")
def test_json_is_for_programs(run):
    [line] = run("dead-letters", "list", "--json").output.splitlines()

    assert json.loads(line)["reason"] == "gave up: 503"


@pytest.mark.usefixtures("_dead_letter")
def test_all_that_fit_the_filters_are_discarded(run):
    none = run("dead-letters", "discard", "--all", "--contact", "ben")
    one = run("dead-letters", "discard", "--all", "--contact", CONTACT)

    assert (none.output, one.output) == ("0 discarded\n", "1 discarded\n")


@pytest.mark.usefixtures("_dead_letter")
@pytest.mark.parametrize(
    ("arguments", "exit_code", "said"),
    [
        pytest.param(["replay", "nope"], 1, "no dead letter is called nope", id="unknown"),
        pytest.param(["replay", "turn-1", "nope"], 1, "called nope", id="one-of-them-unknown"),
        pytest.param(["replay"], 2, "name the turns, or use --all", id="nothing-named"),
        pytest.param(["replay", "turn-1", "--all"], 2, "or use --all, not both", id="both"),
        pytest.param(["list", "--limit", "0"], 2, "0 is not in the range x>=1", id="no-limit"),
    ],
)
def test_what_can_not_be_done_is_said(run, arguments, exit_code, said):
    result = run("dead-letters", *arguments)

    assert (result.exit_code, said in result.output) == (exit_code, True)


@pytest.mark.usefixtures("_dead_letter")
def test_one_of_several_that_is_unknown_leaves_the_others_alone(run):
    run("dead-letters", "discard", "turn-1", "nope")

    assert "turn-1" in run("dead-letters", "list").output


@pytest.mark.usefixtures("_dead_letter")
def test_what_is_not_replayed_is_said_with_the_reason(run):
    assert run("pause", CONTACT, "--account", ACCOUNT).exit_code == 0

    replayed = run("dead-letters", "replay", "turn-1")

    assert replayed.output == (
        "0 to be tried again\n"
        "1 left out: the bot is silent there (see `resume`), or their texts were wiped\n"
    )


def test_without_a_store_there_is_a_clear_line(run):
    result = run("dead-letters", "list")

    assert result.exit_code == 1
    assert "has the service run yet?" in result.output


def test_an_unreachable_server_is_named_on_stderr_alone(run):
    nowhere = "postgresql://nobody@127.0.0.1:1/none"

    result = run("dead-letters", "list", "--json", AK_STORE__URL=nowhere)

    assert (result.exit_code, result.stdout) == (1, "")
    assert "Error: the store can't be used: ConnectionRefusedError" in result.stderr


# --- pause and resume --------------------------------------------------------


@pytest.mark.usefixtures("_dead_letter")
def test_resume_says_whether_the_bot_was_silent(run):
    run("pause", CONTACT, "--account", ACCOUNT)

    outputs = [run("resume", CONTACT, "--account", ACCOUNT).output for _ in range(2)]

    assert outputs == ["the bot answers again\n", "the bot was not silent\n"]


@pytest.mark.usefixtures("_dead_letter")
@pytest.mark.parametrize("hours", ["0", "-1", "1e9", "nan", "inf"])
def test_a_pause_that_is_none_is_refused(run, hours):
    assert run("pause", CONTACT, "--account", ACCOUNT, "--hours", hours).exit_code == 2


@pytest.mark.usefixtures("_dead_letter")
def test_a_pause_does_not_shorten_a_longer_one(run):
    longer = run("pause", CONTACT, "--account", ACCOUNT, "--hours", "48")
    shorter = run("pause", CONTACT, "--account", ACCOUNT, "--hours", "1")

    assert longer.exit_code == 0
    assert shorter.output == longer.output


@pytest.mark.usefixtures("_dead_letter")
def test_a_conversation_is_paused_and_resumed(run, tmp_path):
    def paused_until() -> int:
        async def ask() -> int:
            bench = Bench(f"sqlite:///{tmp_path}/store.db")
            async with bench.stack:
                await bench.open()
                [(until,)] = await bench.query("SELECT paused_until FROM conversations")
                return until

        return asyncio.run(ask())

    assert run("pause", CONTACT, "--account", ACCOUNT, "--hours", "1").exit_code == 0
    assert paused_until() > now()
    assert run("resume", CONTACT, "--account", ACCOUNT).exit_code == 0
    assert paused_until() <= now()


@pytest.mark.usefixtures("_dead_letter")
@pytest.mark.parametrize("command", ["pause", "resume"])
@pytest.mark.parametrize(
    ("contact", "account", "exit_code", "said"),
    [
        pytest.param("mia.brandt", ACCOUNT, 2, "is not an id", id="a-persons-name"),
        pytest.param(CONTACT, "marigold.lane", 2, "is not an id", id="an-accounts-name"),
        pytest.param("٧٥١٣٩", ACCOUNT, 2, "is not an id", id="other-digits"),
        pytest.param("7513", ACCOUNT, 1, "no conversation with 7513 is known", id="nobody"),
    ],
)
def test_nobody_is_paused_whom_the_store_does_not_know(
    run, command, contact, account, exit_code, said
):
    result = run(command, contact, "--account", account)

    assert (result.exit_code, said in result.stderr) == (exit_code, True)


def test_whoever_is_being_answered_is_not_erased_and_that_is_said(run, tmp_path):
    async def hold() -> None:
        bench = Bench(f"sqlite:///{tmp_path}/store.db", clock=FakeClock(time.time_ns() // 10**6))
        async with bench.stack:
            await bench.open()
            store = bench.store()
            await store.put([arrival("m1", CONTACT, account=ACCOUNT)])
            await claim_one(store)  # and its process does not come back

    asyncio.run(hold())

    result = run("person", "erase", CONTACT, "--yes", "--wait", "0")

    assert result.exit_code == 1
    assert "is being answered just now, and nothing was erased" in result.stderr
    assert run("person", "export", CONTACT).exit_code == 0


# --- the stop switch ----------------------------------------------------------


@pytest.mark.usefixtures("_dead_letter")
def test_what_is_stopped_and_what_stays_so_is_said(run):
    outputs = [
        run(*arguments).output
        for arguments in (
            ("pause", "--all"),
            ("pause", "--account", ACCOUNT),
            ("pause", "--account", ACCOUNT),
            ("resume", "--all"),
            ("resume", "--account", ACCOUNT),
            ("resume", "--all"),
        )
    ]

    of_all, of_one = "all accounts", f"account {ACCOUNT}"
    waits = "what comes in waits, and `resume` lets it all go out"
    assert outputs == [
        f"sending is stopped for {of_all}: {waits}\n",
        f"sending is stopped for {of_one}: {waits}\n",
        f"sending was stopped for {of_one} already\n",
        f"sending goes on for {of_all}: what waits goes out within seconds\n"
        f"still stopped: {of_one} (`resume --account {ACCOUNT}` ends that)\n",
        f"sending goes on for {of_one}: what waits goes out within seconds\n",
        f"sending was not stopped for {of_all}\n",
    ]


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(("pause",), id="nobody-is-named"),
        pytest.param(("pause", CONTACT), id="a-contact-of-no-account"),
        pytest.param(("pause", "--all", "--account", ACCOUNT), id="all-and-one"),
        pytest.param(("pause", CONTACT, "--all"), id="all-and-a-contact"),
        pytest.param(("pause", "--all", "--hours", "3"), id="all-for-some-hours"),
        pytest.param(("pause", "--account", "marigold"), id="a-name"),
        pytest.param(("resume",), id="nobody-is-resumed"),
        pytest.param(("resume", "--all", "--account", ACCOUNT), id="all-and-one-resumed"),
    ],
)
@pytest.mark.usefixtures("_dead_letter")
def test_a_stop_that_is_unclear_is_refused(run, arguments):
    assert run(*arguments).exit_code == 2
