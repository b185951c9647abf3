"""A request template is checked at the start and filled for each turn."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ak_instagram.agents.adapters.http.template import RequestTemplate
from ak_instagram.agents.agent import Attachment, ContactProfile, Turn, UserMessage

TURN = Turn("t", "s", "a", "c", (UserMessage("m", 1, "hi {turn}", (Attachment("image", "u"),)),))


@pytest.mark.parametrize(
    ("template", "filled"),
    [
        pytest.param({"a": "{session}"}, {"a": "s"}, id="whole"),
        pytest.param({"a": "x{session}/{turn}"}, {"a": "xs/t"}, id="inside"),
        pytest.param({"a": "{agent}"}, {"a": None}, id="whole-and-absent"),
        pytest.param({"a": "as {agent}."}, {"a": "as ."}, id="inside-and-absent"),
        pytest.param(
            {"{turn}": ["{turn}", {"b": "{turn}"}]}, {"{turn}": ["t", {"b": "t"}]}, id="nested"
        ),
        pytest.param(
            {"a": 1, "b": None, "c": True}, {"a": 1, "b": None, "c": True}, id="constants"
        ),
        pytest.param({"a": "{ user } {}"}, {"a": "{ user } {}"}, id="other-braces"),
        pytest.param({"a": "{text}"}, {"a": "hi {turn}\n[image] u"}, id="persons-braces-stay"),
        pytest.param(
            {"a": "{text}", "b": "{attachments}"},
            {"a": "hi {turn}", "b": [{"kind": "image", "url": "u", "title": None}]},
            id="attachments-once",
        ),
    ],
)
def test_placeholders_are_filled(template, filled):
    assert RequestTemplate(template).fill(TURN) == filled


MIA = ContactProfile("Mia", "mia.b", 3, is_user_follow_business=True)


@pytest.mark.parametrize(
    ("template", "profile", "filled"),
    [
        pytest.param(
            {"a": "{profile}", "b": "{text}"},
            MIA,
            {
                "a": {
                    "name": "Mia",
                    "username": "mia.b",
                    "follower_count": 3,
                    "is_user_follow_business": True,
                },
                "b": "hi {turn}\n[image] u",
            },
            id="an-object",
        ),
        pytest.param({"a": "{profile}"}, None, {"a": None}, id="nobody-known"),
        pytest.param(
            {"b": "{text}"},
            MIA,
            {"b": "[from] Mia @mia.b, follows the account\nhi {turn}\n[image] u"},
            id="a-line-of-the-text",
        ),
    ],
)
def test_a_profile_is_filled_once(template, profile, filled):
    assert RequestTemplate(template).fill(replace(TURN, profile=profile)) == filled


@pytest.mark.parametrize(
    ("template", "problems"),
    [
        pytest.param({"a": "{text}", "b": ["{history}"]}, [], id="none"),
        pytest.param(
            {"a": {"b": "{sesion}"}},
            ["agent.request: no placeholder `{sesion}`; did you mean `{session}`?"],
            id="mistyped",
        ),
        pytest.param(
            {"a": "see {messages}"},
            ["agent.request: `{messages}` is a list and must be the whole value"],
            id="list-inside-text",
        ),
    ],
)
def test_a_placeholder_that_cannot_be_filled_is_a_problem(template, problems):
    assert RequestTemplate(template).problems() == problems


def test_the_address_and_the_headers_are_filled_and_escaped():
    turn = replace(TURN, session="s/1", agent=None)
    template = RequestTemplate(
        {},
        "http://h/threads/{session}/runs?turn={turn}",
        {"X-Who": "{account}:{agent}", "A": "b"},
    )

    assert template.problems() == []
    assert template.url(turn) == "http://h/threads/s%2F1/runs?turn=t"
    assert template.headers(turn) == {"X-Who": "a:"}


@pytest.mark.parametrize(
    ("url", "headers", "problem"),
    [
        pytest.param(
            "http://h/{sesion}",
            {},
            "agent.url: no placeholder `{sesion}`; did you mean `{session}`?",
            id="address",
        ),
        pytest.param(
            "http://h/?q={text}",
            {},
            "agent.url: no placeholder `{text}`; there are account, agent, contact, session, turn",
            id="words-in-an-address",
        ),
        pytest.param(
            "http://{agent}.example/",
            {},
            "agent.url: a placeholder can be in its path and query, not in its host",
            id="host",
        ),
        pytest.param(
            "http://h/",
            {"X": "{turns}"},
            "agent.headers: no placeholder `{turns}`; did you mean `{turn}`?",
            id="header",
        ),
    ],
)
def test_an_address_or_header_that_cannot_be_filled_is_a_problem(url, headers, problem):
    assert RequestTemplate({}, url, headers).problems() == [problem]


def test_an_unknown_placeholder_like_no_other_lists_them_all():
    (problem,) = RequestTemplate({"a": "{qqq}"}).problems()

    assert "account, agent, attachments, contact" in problem
