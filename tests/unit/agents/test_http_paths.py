"""Paths find what they name, conditions hold where they say, and a typo in either is told."""

from __future__ import annotations

import pytest

from ak_instagram.agents.adapters.http.paths import NOTHING, Condition, Path

PARTS = {"parts": [{"text": "a"}, {"image": 1}, {"text": "b"}]}
CHAT = {"messages": [{"type": "human", "text": "hi"}, {"type": "ai", "text": "Hello!"}]}


@pytest.mark.parametrize(
    ("path", "document", "found"),
    [
        pytest.param("a.b", {"a": {"b": 1}}, 1, id="names"),
        pytest.param("a.0", {"a": ["x", "y"]}, "x", id="first"),
        pytest.param("a.-1", {"a": ["x", "y"]}, "y", id="last"),
        pytest.param("a.2", {"a": ["x", "y"]}, NOTHING, id="beyond"),
        pytest.param("a.0", {"a": {"0": "x"}}, "x", id="number-as-a-name"),
        pytest.param("a", {"a": None}, None, id="null-is-something"),
        pytest.param("a.b", {"a": "x"}, NOTHING, id="into-a-text"),
        pytest.param(".", [1], [1], id="whole"),
        pytest.param("", [1], [1], id="empty-is-whole"),
        pytest.param("my key", {"my key": 1}, 1, id="blank-inside"),
        pytest.param("parts.*.text", PARTS, ["a", "b"], id="all"),
        pytest.param("parts.+.text", PARTS, "ab", id="joined"),
        pytest.param("parts.text", PARTS, ["a", "b"], id="name-meets-a-list"),
        pytest.param("text", PARTS["parts"], ["a", "b"], id="document-is-a-list"),
        pytest.param("a.*.b.*.c", {"a": [{"b": [{"c": 1}]}, {"b": [{"c": 2}]}]}, [1, 2], id="flat"),
        pytest.param("a.*.b.+.c", {"a": [{"b": [{"c": "x"}, {"c": "y"}]}]}, ["xy"], id="each"),
        pytest.param("a.*", {"a": []}, [], id="empty-list"),
        pytest.param("a.+", {"a": []}, "", id="nothing-joined"),
        pytest.param("a.*.b", {"a": [{"c": 1}]}, NOTHING, id="in-no-item"),
        pytest.param("a.+", {"a": ["x", 1]}, ["x", 1], id="numbers-are-not-joined"),
        pytest.param("messages.*.text", CHAT, ["Hello!"], id="not-the-persons"),
        pytest.param("p.+.t", {"p": [{"t": "hm", "thought": True}, {"t": "a"}]}, "a", id="thought"),
        pytest.param("p.+.t", {"p": [{"t": "hm", "type": "reasoning"}]}, "", id="only-thoughts"),
    ],
)
def test_a_path_finds(path, document, found):
    assert Path.parse(path).find(document) == found


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        pytest.param("a..b", "has an empty step", id="empty-step"),
        pytest.param("a.", "has an empty step", id="dot-at-the-end"),
        pytest.param("a.b*", "neither a name", id="star-in-a-name"),
        pytest.param("a == b", "neither a name", id="condition"),
    ],
)
def test_a_mistyped_path_is_told(path, reason):
    with pytest.raises(ValueError, match=reason):
        Path.parse(path)


@pytest.mark.parametrize(
    ("condition", "document", "holds"),
    [
        pytest.param("status == DONE", {"status": "DONE"}, True, id="word"),
        pytest.param('status == "DONE"', {"status": "DONE"}, True, id="quoted"),
        pytest.param("status==DONE", {"status": "DONE"}, True, id="no-blanks"),
        pytest.param("status == DONE", {"status": "RUNNING"}, False, id="other"),
        pytest.param("status != DONE", {"status": "RUNNING"}, True, id="unequal"),
        pytest.param("status != DONE", {}, True, id="unequal-to-nothing"),
        pytest.param("status == DONE", {}, False, id="nothing"),
        pytest.param("n == 1", {"n": 1.0}, True, id="number"),
        pytest.param("n == 1", {"n": True}, False, id="true-is-no-number"),
        pytest.param("n == true", {"n": True}, True, id="true"),
        pytest.param("n == null", {"n": None}, True, id="null"),
        pytest.param("s in [A, B]", {"s": "B"}, True, id="in"),
        pytest.param('s in ["A", 1]', {"s": 1}, True, id="in-json"),
        pytest.param("s in [A, B]", {"s": "C"}, False, id="not-in"),
        pytest.param("error", {"error": "no"}, True, id="is"),
        pytest.param("error", {"error": ""}, False, id="is-empty"),
        pytest.param("error", {}, False, id="is-not-there"),
        pytest.param("not error", {}, True, id="not"),
        pytest.param("not error", {"error": 1}, False, id="not-not"),
        pytest.param("a.*.s == X", {"a": [{"s": "Y"}, {"s": "X"}]}, True, id="any-item"),
        pytest.param("a.*.s != X", {"a": [{"s": "Y"}, {"s": "X"}]}, False, id="no-item"),
        pytest.param("text == a = b", {"text": "a = b"}, True, id="sign-in-the-value"),
    ],
)
def test_a_condition_holds(condition, document, holds):
    assert Condition.parse(condition).holds(document) is holds


@pytest.mark.parametrize(
    "condition",
    [
        pytest.param("status = DONE", id="one-sign"),
        pytest.param("status ==", id="no-value"),
        pytest.param("status DONE", id="no-sign"),
        pytest.param("", id="empty"),
        pytest.param("not a == b", id="not-and-sign"),
        pytest.param("s in A", id="no-list"),
        pytest.param("s in []", id="empty-list"),
        pytest.param("a..b == c", id="path"),
    ],
)
def test_a_mistyped_condition_is_told(condition):
    with pytest.raises(ValueError, match=r"status|step"):
        Condition.parse(condition)
