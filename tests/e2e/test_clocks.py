"""A host whose clock is behind Meta's knows its own echoes, answers, and says what it sees."""

from __future__ import annotations

import pytest

from instagram_simulator import Fault, FaultKind
from qa.support.agent import says
from tests.support.stage import Stage

pytestmark = pytest.mark.asyncio(loop_scope="module")

PIECES = [
    f"{word} paragraph. {'More of it. ' * 70}".strip() for word in ("First", "Second", "Third")
]


@pytest.mark.parametrize(
    "ahead",
    [
        pytest.param(0, id="right"),
        pytest.param(601, id="ten-minutes"),
        pytest.param(86_400, id="a-day"),  # more than the one before
    ],
)
async def test_an_echo_before_the_send_call_returns_is_no_person_whatever_the_clocks_say(
    stage: Stage, ahead: float
):
    stage.meta.world.clock.advance(ahead)
    mia = stage.person()
    stage.agent.will(says("\n\n".join(PIECES)))
    # Each piece is applied, and its echo posted, half a second before the call returns.
    stage.meta.fail(Fault(FaultKind.SLOW, times=3, seconds=0.5))

    stage.meta.phones.say(mia, "Tell me all of it")
    await stage.until_answered(mia, 3)
    stage.meta.phones.say(mia, "And now?")
    await stage.until_answered(mia, 4)

    assert stage.answers(mia) == [*PIECES, "You said: And now?"]
    events = {line["event"] for line in stage.service.logged()}
    assert events.isdisjoint({"conversation.taken_over", "answer.dropped"})
