"""Waiting events make one turn: an edited message has its last text, an unsent one is gone."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from ak_instagram.agents.agent import Attachment, HistoryLine, Turn, UserMessage, prompt
from ak_instagram.conversation.turn import compose, session_id, without_quotes
from ak_instagram.store.values import Claim, EventStatus, StoredEvent, TranscriptLine


def event(number: int, kind: str, mid: str, **content: object) -> StoredEvent:
    member = {"unsend": "message", "edit": "message_edit"}.get(kind, kind)
    return StoredEvent(
        number, kind, mid, 1000 + number, json.dumps({member: {"mid": mid, **content}})
    )


def message(number: int, mid: str, **content: object) -> StoredEvent:
    return event(number, "message", mid, **content)


def claim(*events: StoredEvent, **changes: Any) -> Claim:
    return Claim(account="shop", contact="anna", fence=1, events=events, **changes)


def turn_of(*events: StoredEvent, agent: str | None = None, **changes: Any) -> Turn:
    """Return the turn that *events* make."""
    turn = compose(claim(*events, **changes), agent).turn
    assert turn is not None
    return turn


def test_all_waiting_messages_make_one_turn():
    turn = turn_of(message(1, "a", text="hi"), message(2, "b", text="there"), agent="general")

    assert turn.messages == (
        UserMessage("a", 1001, text="hi"),
        UserMessage("b", 1002, text="there"),
    )
    assert (turn.agent, turn.account, turn.contact) == ("general", "shop", "anna")


def test_an_edit_changes_what_the_agent_gets():
    turn = turn_of(message(1, "a", text="helo"), event(2, "edit", "a", text="hello", num_edit=1))

    assert [it.text for it in turn.messages] == ["hello"]


def test_the_last_edit_counts_however_they_arrived():
    edits = [
        event(number, "edit", "a", text=text, num_edit=count)
        for number, text, count in ((1, "hello", 1), (3, "hello there", 2), (4, "hello", 1))
    ]
    first, *others = edits

    turn = turn_of(first, message(2, "a", text="helo"), *others)

    assert [it.text for it in turn.messages] == ["hello there"]


def test_an_edit_changes_no_other_message():
    turn = turn_of(
        message(1, "a", text="helo"),
        message(2, "b", text="you?"),
        event(3, "edit", "a", text="hello", num_edit=1),
    )

    assert [it.text for it in turn.messages] == ["hello", "you?"]


def test_an_edit_ends_as_its_message_does_so_that_a_replay_has_both():
    draft = compose(
        claim(message(1, "a", text="helo"), event(2, "edit", "a", text="hello", num_edit=1))
    )

    assert (draft.answered_ids, draft.other_statuses) == ((1, 2), {})


def test_an_edit_of_an_earlier_message_is_nothing_to_answer():
    draft = compose(claim(event(2, "edit", "a", text="hello", num_edit=1)))

    assert (draft.turn, draft.other_statuses) == (None, {2: EventStatus.IGNORED})


def test_an_unsent_message_is_not_asked_about():
    draft = compose(
        claim(
            message(1, "a", text="oops"),
            message(2, "b", text="hello"),
            event(3, "unsend", "a", is_deleted=True),
        )
    )

    assert draft.answered_ids == (2,)
    assert draft.other_statuses == {1: EventStatus.UNSENT, 3: EventStatus.IGNORED}


def test_a_message_that_was_unsent_before_it_came_in_is_gone():
    draft = compose(claim(replace(message(1, "a", text="oops"), is_unsent=True)))

    assert (draft.turn, draft.other_statuses) == (None, {1: EventStatus.UNSENT})


def test_without_messages_there_is_no_turn():
    draft = compose(claim(message(1, "a", text="oops"), event(2, "unsend", "a", is_deleted=True)))

    assert draft.turn is None


def test_a_tap_has_its_title_as_text_and_its_payload():
    turn = turn_of(event(1, "postback", "p", title="Opening hours", payload="HOURS"))

    assert turn.messages == (UserMessage("p", 1001, text="Opening hours", payload="HOURS"),)


def test_attachments_alone_are_a_turn():
    images = [{"type": "image", "payload": {"url": "https://cdn.example/1.jpg"}}]

    turn = turn_of(message(1, "a", attachments=images))

    assert turn.messages[0].attachments == (Attachment("image", "https://cdn.example/1.jpg"),)


def test_a_message_that_meta_keeps_back_is_an_unsupported_attachment():
    turn = turn_of(message(1, "a", is_unsupported=True))

    assert turn.messages[0].attachments == (Attachment("unsupported"),)


@pytest.mark.parametrize(
    ("content", "context"),
    [
        pytest.param({"reply_to": {"mid": "z"}}, {"reply_to_mid": "z"}, id="inline-reply"),
        pytest.param(
            {"reply_to": {"story": {"id": "9", "url": "https://cdn.example/s"}}},
            {"story_id": "9", "story_url": "https://cdn.example/s"},
            id="story-reply",
        ),
        pytest.param(
            {"referral": {"ref": "spring", "source": "ADS", "type": "OPEN_THREAD", "ad_id": "7"}},
            {
                "ref": "spring",
                "referral_source": "ADS",
                "referral_type": "OPEN_THREAD",
                "ad_id": "7",
            },
            id="ad",
        ),
    ],
)
def test_a_message_has_what_it_refers_to_as_context(content, context):
    turn = turn_of(message(1, "a", text="?", **content))

    assert turn.messages[0].context == context


def test_the_turns_id_is_that_of_its_events():
    first = turn_of(message(1, "a", text="hi"), failures=0)
    again = turn_of(message(1, "a", text="hi"), failures=3)
    more = turn_of(message(1, "a", text="hi"), message(2, "b", text="?"))

    assert first.id == again.id != more.id


def test_the_transcript_becomes_the_history():
    turn = turn_of(
        message(1, "a", text="?"),
        transcript=(TranscriptLine("user", "q"), TranscriptLine("assistant", "a")),
    )

    assert turn.history == (HistoryLine("user", "q"), HistoryLine("assistant", "a"))


def test_a_long_line_of_the_transcript_costs_no_other_line():
    turn = turn_of(
        message(1, "a", text="?"),
        transcript=(
            TranscriptLine("user", "q"),
            TranscriptLine("assistant", "a" * 60_000),
            TranscriptLine("user", "r"),
        ),
    )

    first, cut, last = turn.history
    assert (first.text, last.text) == ("q", "r")
    assert len(cut.text) < 5000


def test_a_quote_is_not_kept_with_the_words_that_quote_it():
    quoting = message(1, "a", text="this one", reply_to={"mid": "q"})

    turn = turn_of(quoting, quotes={"q": "Do you have it in red?"})

    assert prompt(turn) == "[reply to] Do you have it in red?\nthis one"
    assert prompt(without_quotes(turn)) == "[reply to an earlier message]\nthis one"


def test_the_session_hides_the_person_and_changes_with_the_epoch():
    sessions = {session_id("shop", "751390000000001", epoch) for epoch in (0, 1)}

    assert len(sessions) == 2
    assert not any("75139" in session for session in sessions)
