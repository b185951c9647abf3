"""What fails for a while is tried again, and what Meta took is not sent twice."""

from __future__ import annotations

import pytest
import pytest_asyncio

from instagram_simulator import Fault, FaultKind, ProfessionalAccount
from qa.support.agent import says, sends
from tests.support.stage import Stage, open_stage

pytestmark = pytest.mark.asyncio(loop_scope="module")

FIRST, SECOND = "First paragraph. " * 40, "Second paragraph. " * 40
ANSWER = [FIRST.strip(), SECOND.strip()]

# What Meta says, and whether the message has arrived all the same.
SURE = (FaultKind.RATE_LIMITED, FaultKind.APP_LIMITED, FaultKind.TEMPORARY)
UNKNOWN = (FaultKind.SERVER_ERROR, FaultKind.DROPPED)
LIES = (FaultKind.SENT_BUT_500, FaultKind.SENT_BUT_ERROR, FaultKind.SENT_BUT_DROPPED)


OTHER = ProfessionalAccount(
    account_id="17841400000000002",
    app_scoped_id="26000000000000002",
    username="other.shop",
    access_token="IGAAstage1other2of3the4account",
    app_secret="other-app-secret-1",
)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def expired_token(tmp_path_factory):
    """
    A stage whose first account's token did not work for a moment, and who waited meanwhile.

    The pause after that is long, so that it passes while other tests run.
    """
    async with open_stage(tmp_path_factory.mktemp("expired"), OTHER) as stage:
        people = [stage.person() for _ in range(3)]
        stage.meta.fail(Fault(FaultKind.TOKEN_EXPIRED, times=1))
        for person in people:
            stage.meta.phones.say(person, "Is your token good?")
            await stage.until_faults_struck()
        yield stage, people


@pytest.fixture(autouse=True)
def _token_expires_first(expired_token):
    """Let its pause begin before any other test."""


async def say_with_fault(stage: Stage, kind: FaultKind) -> str:
    """Have someone write whose answer's first piece meets the fault *kind*; return who."""
    igsid = stage.person()
    stage.agent.will(says(f"{FIRST}\n\n{SECOND}"))
    stage.meta.fail(Fault(kind, times=1))
    stage.meta.phones.say(igsid, "Tell me all of it")
    await stage.until_faults_struck()
    return igsid


async def answers_in_spite_of(
    stage: Stage, *kinds: FaultKind, within: float = 15
) -> dict[FaultKind, list[str]]:
    """Let all of *kinds* strike, each at another person's answer; return what arrived."""
    people = {kind: await say_with_fault(stage, kind) for kind in kinds}
    for person in people.values():
        await stage.until_answered(person, 2, within=within)
    return {kind: stage.answers(person) for kind, person in people.items()}


async def test_another_account_is_not_affected_and_messages_are_still_taken(expired_token):
    stage, people = expired_token
    zoe = stage.person(OTHER)

    stage.meta.phones.say(zoe, "And yours?")
    for person in people:
        stage.meta.phones.say(person, "Still there?")
    await stage.until_answered(zoe)
    await stage.meta.settled()

    assert stage.answers(zoe) == ["You said: And yours?"]
    assert [stage.answers(person) for person in people] == [[], [], []]
    assert len(stage.meta.accepted()) == 7


async def test_an_agent_that_failed_twice_is_asked_the_same_turn_again(stage):
    mia = stage.person()
    stage.agent.will(sends(500, "oops"), sends(502, "oops"), says("Here I am"))

    stage.meta.phones.say(mia, "Are you there?")
    await stage.until_answered(mia, within=1 + 3 + 1)  # the longest waits, and a second of work

    assert stage.answers(mia) == ["Here I am"]
    assert len(stage.agent.asked) == 3
    assert len({question.headers["Idempotency-Key"] for question in stage.agent.asked}) == 1


@pytest.mark.parametrize("kind", SURE)
async def test_a_refusal_that_passes_costs_nothing_but_time(stage, kind):
    answers = await answers_in_spite_of(stage, kind, within=3)

    assert answers == {kind: ANSWER}


async def test_a_temporary_error_after_two_rate_limits_counts_as_the_first(stage):
    mia = stage.person()
    for kind in SURE:
        stage.meta.fail(Fault(kind, times=1))

    stage.meta.phones.say(mia, "Tell me something")
    await stage.until_answered(mia)

    assert stage.answers(mia) == ["You said: Tell me something"]


async def test_three_temporary_errors_in_a_row_wait_for_the_backoff_alone(stage):
    mia = stage.person()
    stage.meta.fail(Fault(FaultKind.TEMPORARY, times=3))

    stage.meta.phones.say(mia, "Are you there?")
    await stage.until_answered(mia, within=1 + 3 + 9 + 1)  # the longest waits, and some work

    assert stage.answers(mia) == ["You said: Are you there?"]


async def test_a_piece_that_meta_took_without_an_answer_is_not_sent_twice(stage):
    """The echo settles it."""
    answers = await answers_in_spite_of(stage, *LIES)

    assert answers == dict.fromkeys(LIES, ANSWER)


async def test_a_piece_without_an_echo_is_looked_up_before_it_is_sent_again(stage):
    stage.meta.switch(echoes=False)
    kinds = (*LIES, *UNKNOWN)

    answers = await answers_in_spite_of(stage, *kinds)

    assert answers == dict.fromkeys(kinds, ANSWER)


@pytest.mark.parametrize("kind", UNKNOWN)
async def test_a_piece_that_did_not_arrive_is_sent_again_within_three_seconds(stage, kind):
    answers = await answers_in_spite_of(stage, kind, within=3.5)  # with the turn and two pieces

    assert answers == {kind: ANSWER}


async def test_an_echo_that_is_faster_than_the_answer_changes_nothing(stage):
    mia = stage.person()
    stage.meta.switch(echo_first=True)
    stage.agent.will(says(f"{FIRST}\n\n{SECOND}"))

    stage.meta.phones.say(mia, "Tell me all of it")
    await stage.until_answered(mia, 2)

    assert stage.answers(mia) == ANSWER


async def test_an_agent_that_has_answered_is_not_asked_again_because_a_piece_failed(stage):
    mia = stage.person()
    stage.agent.will(says(f"{FIRST}\n\n{SECOND}"))
    for kind in (FaultKind.TEMPORARY, FaultKind.SENT_BUT_500, FaultKind.RATE_LIMITED):
        stage.meta.fail(Fault(kind, times=1))

    stage.meta.phones.say(mia, "Tell me all of it")
    await stage.until_answered(mia, 2)

    assert stage.answers(mia) == ANSWER
    assert len(stage.agent.asked) == 1


async def test_answers_that_waited_for_a_token_go_out_once_it_works(expired_token):
    stage, people = expired_token

    for person in people:
        await stage.meta.journal.until(
            lambda person=person: "Still there?" in "".join(stage.answers(person)), within=40
        )

    for person in people:
        lines = "\n".join(stage.answers(person)).replace("You said: ", "").splitlines()
        assert lines == ["Is your token good?", "Still there?"]
    told = [line for line in stage.service.logged() if line["event"].startswith("account.s")]
    assert [(line["event"], line["account"]) for line in told] == [
        ("account.stopped", stage.meta.account.account_id)
    ]
    assert "set a new one" in told[0]["fix"]
