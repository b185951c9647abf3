"""Every adapter does this alike, whatever protocol it speaks: over real HTTP."""

from __future__ import annotations

import asyncio
import dataclasses
import gzip
import json
import time

import pytest

from ak_instagram.agents.agent import Attachment, Text, UserMessage
from ak_instagram.errors import Permanent, Transient
from tests.support.dialects import DIALECTS

SECRET_WORDS = "my card is 4111"
API_KEY = "sk-do-not-log-me"
TEXTS = (b"[Note] Sure!", b"Sure!", b"[]", b'"hello"')


@pytest.fixture(params=DIALECTS, ids=str)
def dialect(request, agent_server):
    """Each adapter that speaks HTTP."""
    agent_server.aside = request.param.aside
    agent_server.only_streams = request.param.only_streams
    return request.param


def said(parts) -> str:
    """Return the text of an answer."""
    return "".join(part.text for part in parts if isinstance(part, Text))


# --- asking and answering ---------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("It left **today**.", id="markdown"),
        pytest.param("Größe 42 · サイズ · مقاس 👩🏽‍🚀", id="unicode"),
        pytest.param("one\n\ntwo", id="paragraphs"),
    ],
)
async def test_the_persons_text_goes_in_and_the_agents_text_comes_out(
    dialect, agent_server, ask, turn_of, text
):
    agent_server.says(dialect.answer(text))

    parts = await ask(turn_of(UserMessage("m", 1, text)), dialect.adapter)

    assert said(parts) == text
    assert dialect.prompt(agent_server.bodies[0]) == text


@pytest.mark.parametrize("spelling", [json.dumps, lambda it: json.dumps(it, ensure_ascii=False)])
async def test_json_may_be_escaped_or_not(dialect, agent_server, ask, turn, spelling):
    agent_server.sends(spelling(dialect.answer("¿Sí? 🎉")).encode(), "application/json")

    assert said(await ask(turn, dialect.adapter)) == "¿Sí? 🎉"


async def test_half_a_surrogate_pair_becomes_text_that_can_be_sent(
    dialect, agent_server, ask, turn
):
    agent_server.says(dialect.answer("broken \ud83d, whole 🎉"))

    assert said(await ask(turn, dialect.adapter)) == "broken \ufffd, whole 🎉"


async def test_several_messages_are_one_question(dialect, agent_server, ask, turn_of):
    agent_server.says(dialect.answer("ok"))

    await ask(turn_of(UserMessage("a", 1, "hi"), UserMessage("b", 2, "anyone?")), dialect.adapter)

    assert [dialect.prompt(body) for body in agent_server.bodies] == ["hi\nanyone?"]


async def test_an_image_without_words_reaches_the_agent_as_its_url(
    dialect, agent_server, ask, turn_of
):
    agent_server.says(dialect.answer("Nice!"))
    url = "https://lookaside.fbsbx.com/ig_messaging_cdn/?asset_id=1"
    image = Attachment("image", url)

    parts = await ask(turn_of(UserMessage("m", 1, attachments=(image,))), dialect.adapter)

    assert said(parts) == "Nice!"
    assert url in json.dumps(agent_server.bodies[0])
    assert "[image]" in dialect.prompt(agent_server.bodies[0])


async def test_view_once_media_without_a_url_is_a_question_too(dialect, agent_server, ask, turn_of):
    agent_server.says(dialect.answer("I can't see it."))

    await ask(turn_of(UserMessage("m", 1, attachments=(Attachment("ephemeral"),))), dialect.adapter)

    assert dialect.prompt(agent_server.bodies[0]) == "[ephemeral]"


async def test_a_tap_on_a_button_without_a_title_is_asked_by_its_payload(
    dialect, agent_server, ask, turn_of
):
    agent_server.says(dialect.answer("ok"))

    await ask(turn_of(UserMessage("m", 1, payload="GET_STARTED")), dialect.adapter)

    assert dialect.prompt(agent_server.bodies[0]) == "GET_STARTED"


async def test_a_conversation_keeps_its_session_and_the_igsid_stays_here(
    dialect, agent_server, ask, turn
):
    agent_server.says(dialect.answer("ok"))

    await ask(turn, dialect.adapter)
    await ask(dataclasses.replace(turn, id="turn-2"), dialect.adapter)

    assert [dialect.session(body) for body in agent_server.bodies] == ["session-1", "session-1"]
    assert turn.contact not in json.dumps(agent_server.bodies)


async def test_the_idempotency_key_is_the_turns_and_the_same_on_a_retry(
    dialect, agent_server, ask, turn
):
    agent_server.says(dialect.answer("ok"))

    await ask(turn, dialect.adapter)
    await ask(turn, dialect.adapter)
    await ask(dataclasses.replace(turn, id="turn-2"), dialect.adapter)

    keys = [request.headers["Idempotency-Key"] for request in agent_server.asked]
    assert keys == ["turn-1", "turn-1", "turn-2"]


async def test_the_api_key_is_sent_as_a_bearer_token_unless_a_header_is_set(
    dialect, agent_server, ask, turn
):
    agent_server.says(dialect.answer("ok"))

    await ask(turn, dialect.adapter, api_key=API_KEY)
    await ask(turn, dialect.adapter, api_key=API_KEY, headers={"authorization": "Basic abc"})
    await ask(turn, dialect.adapter, headers={"X-Api-Key": "k"})

    sent = [request.headers.getall("Authorization", []) for request in agent_server.asked]
    assert sent == [[f"Bearer {API_KEY}"], ["Basic abc"], []]
    assert agent_server.asked[2].headers["X-Api-Key"] == "k"


async def test_an_empty_text_is_an_empty_answer(dialect, agent_server, ask, turn):
    agent_server.says(dialect.answer(""))

    assert said(await ask(turn, dialect.adapter)) == ""


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("<think>\nmargin 40 %\n</think>\n\nAt nine.", id="think"),
        pytest.param("margin 40 %</think>At nine.", id="begun-by-the-template"),
        pytest.param("[THINK]margin[/THINK]At nine.", id="square"),
        pytest.param(
            "<|channel|>analysis<|message|>margin<|end|><|start|>assistant"
            "<|channel|>final<|message|>At nine.",
            id="channels",
        ),
    ],
)
async def test_only_what_follows_a_thought_is_the_answer(dialect, agent_server, ask, turn, text):
    agent_server.says(dialect.answer(text))

    assert await ask(turn, dialect.adapter) == [Text("At nine.")]


# --- failures that a later try may cure -------------------------------------


async def test_a_thought_that_does_not_end_is_transient(dialect, agent_server, ask, turn):
    agent_server.says(dialect.answer(f"<think>The customer says: {SECRET_WORDS}"))

    with pytest.raises(Transient, match=r"^agent's answer ends within a thought$"):
        await ask(turn, dialect.adapter)


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504, 529])
async def test_a_status_that_passes_is_transient(dialect, agent_server, ask, turn, status):
    agent_server.sends(b"<html>Bad Gateway</html>", "text/html", status)

    with pytest.raises(Transient, match=f"^agent answered {status}$") as caught:
        await ask(turn, dialect.adapter)

    assert caught.value.retry_after is None


@pytest.mark.parametrize("status", [403, 404, 407])
async def test_a_page_of_a_proxy_on_the_way_is_transient(dialect, agent_server, ask, turn, status):
    agent_server.sends(b"<html>Blocked</html>", "text/html", status)

    with pytest.raises(Transient, match=f"^agent answered {status}"):
        await ask(turn, dialect.adapter)


async def test_retry_after_is_passed_on(dialect, agent_server, ask, turn):
    agent_server.says({"error": "slow down"}, status=429, headers={"Retry-After": "7"})

    with pytest.raises(Transient) as caught:
        await ask(turn, dialect.adapter)

    assert caught.value.retry_after == 7.0


async def test_the_providers_retry_after_is_read_if_there_is_no_other(
    dialect, agent_server, ask, turn
):
    agent_server.says({}, status=429, headers={"llm_provider-retry-after": "20"})
    with pytest.raises(Transient) as first:
        await ask(turn, dialect.adapter)
    both = {"llm_provider-retry-after": "20", "Retry-After": "7"}
    agent_server.says({}, status=429, headers=both)
    with pytest.raises(Transient) as second:
        await ask(turn, dialect.adapter)

    assert [first.value.retry_after, second.value.retry_after] == [20.0, 7.0]


async def test_an_agent_that_says_nothing_is_given_up_on_in_time(dialect, agent_server, ask, turn):
    agent_server.hangs()
    began = time.monotonic()

    with pytest.raises(Transient, match=r"agent\.timeout"):
        await ask(turn, dialect.adapter, timeout=0.1)

    assert time.monotonic() - began < 1.0
    await asyncio.wait_for(agent_server.gone.wait(), 2)


@pytest.mark.parametrize("content_type", ["application/json", "text/event-stream"])
async def test_an_agent_that_stops_in_the_middle_is_given_up_on_in_time(
    dialect, agent_server, ask, turn, content_type
):
    if content_type == "text/event-stream" and "stream dropped" not in dialect.special:
        pytest.skip("reads no streams")
    settings = dialect.streams_by if content_type == "text/event-stream" else {}
    agent_server.hangs(after=b'data: {"delta": "It le', content_type=content_type)

    with pytest.raises(Transient, match=r"agent\.timeout"):
        await ask(turn, dialect.adapter, timeout=0.1, **settings)

    await asyncio.wait_for(agent_server.gone.wait(), 2)


async def test_an_agent_that_is_not_there_is_transient(dialect, ask, turn, unused_tcp_port):
    with pytest.raises(Transient, match="agent did not answer: ClientConnectorError"):
        await ask(turn, dialect.adapter, url=f"http://127.0.0.1:{unused_tcp_port}/v1")


async def test_a_line_that_drops_in_the_middle_of_an_answer_is_transient(
    dialect, agent_server, ask, turn
):
    agent_server.drops(after=json.dumps(dialect.answer("ok")).encode()[:9])

    with pytest.raises(Transient, match="agent did not answer"):
        await ask(turn, dialect.adapter)


@pytest.mark.parametrize(
    ("body", "content_type", "cause"),
    [
        pytest.param(b"", "application/json", "with an empty body", id="nothing"),
        pytest.param(b" \n", "application/json", "with an empty body", id="blank"),
        pytest.param(b"\xef\xbb\xbf", "application/json", "with an empty body", id="bom-alone"),
        pytest.param(
            b"<!doctype html><p>Starting up", "text/html", "text/html, not JSON", id="starting-up"
        ),
        pytest.param(
            b"\n<html>", "application/json", "not JSON: a web page", id="a-page-called-json"
        ),
        pytest.param(b"Starting up", "text/html", "not JSON: a web page", id="html-without-tags"),
    ],
)
async def test_a_success_without_an_answer_may_heal(
    dialect, agent_server, ask, turn, body, content_type, cause
):
    if dialect.takes_text and not body.strip().startswith(b"<"):
        pytest.skip("takes nothing and texts for answers")
    agent_server.sends(body, content_type)

    with pytest.raises(Transient, match=cause):
        await ask(turn, dialect.adapter)


async def test_json_that_ends_anywhere_in_the_middle_may_heal(dialect, agent_server, ask, turn):
    whole = json.dumps(dialect.answer('"Größe" [é] {'), ensure_ascii=False).encode()

    for length in range(1, len(whole)):
        agent_server.sends(whole[:length], "application/json")
        with pytest.raises(Transient, match="ended early"):
            await ask(turn, dialect.adapter)


async def test_half_a_gzip_body_may_heal(dialect, agent_server, ask, turn):
    words = " ".join(map(str, range(5000)))
    packed = gzip.compress(json.dumps(dialect.answer(words)).encode())
    agent_server.sends(packed[: len(packed) // 2], "application/json", encoding="gzip")

    with pytest.raises(Transient, match="ended early"):
        await ask(turn, dialect.adapter)


@pytest.mark.parametrize(
    ("encoding", "content_type"),
    [
        pytest.param("utf-8-sig", "application/json", id="bom"),
        pytest.param("utf-8", "application/json; charset=iso-8859-1", id="utf-8-called-latin-1"),
        pytest.param("iso-8859-1", "application/json; charset=iso-8859-1", id="latin-1"),
        pytest.param("iso-8859-1", "application/json; charset=Latin1", id="latin-1-by-its-alias"),
        pytest.param("cp1252", "application/json; charset=windows-1252", id="windows-1252"),
    ],
)
async def test_a_bom_and_a_declared_charset_are_read(
    dialect, agent_server, ask, turn, encoding, content_type
):
    if dialect.only_streams:
        pytest.skip("a stream is UTF-8")
    body = json.dumps(dialect.answer("Größe 42, ¿sí?"), ensure_ascii=False).encode(encoding)
    agent_server.sends(body, content_type)

    assert said(await ask(turn, dialect.adapter)) == "Größe 42, ¿sí?"


# --- failures that no try will cure -----------------------------------------


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 409, 413, 422])
async def test_a_refusal_is_permanent(dialect, agent_server, ask, turn, status):
    agent_server.says({"detail": {"error": SECRET_WORDS}}, status=status)

    with pytest.raises(Permanent, match=f"^agent answered {status}"):
        await ask(turn, dialect.adapter)


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        pytest.param(
            500,
            {"error": {"message": "No api key passed in.", "type": "auth_error", "code": "401"}},
            "agent answered 500: the server says: auth_error 401: No api key passed in.",
            id="litellm-without-a-key",
        ),
        pytest.param(
            422,
            {"detail": [{"type": "missing", "loc": ["body", "id"], "msg": "Field required"}]},
            "agent answered 422: the server says: missing body.id: Field required",
            id="fastapi-validation",
        ),
        pytest.param(
            409,
            {"detail": "Session\n\tnot found"},
            "agent answered 409: the server says: Session not found",
            id="fastapi-detail-in-one-line",
        ),
        pytest.param(
            400,
            {"object": "error", "message": "Too long", "type": "BadRequest", "code": 400},
            "agent answered 400: the server says: BadRequest 400: Too long",
            id="at-the-top",
        ),
        pytest.param(
            400, {"error": "nope"}, "agent answered 400: the server says: nope", id="error-as-text"
        ),
        pytest.param(
            413,
            {"detail": "ab " * 100},
            f"agent answered 413: the server says: {('ab ' * 100)[:199]}…",
            id="cut-at-200",
        ),
        pytest.param(400, {"detail": {"deep": {"er": 1}}}, "agent answered 400", id="no-words"),
    ],
)
async def test_a_reason_quotes_the_servers_machine_words(
    dialect, agent_server, ask, turn, status, body, reason
):
    agent_server.says(body, status=status)

    with pytest.raises((Permanent, Transient)) as caught:
        await ask(turn, dialect.adapter)

    assert str(caught.value) == reason


@pytest.mark.parametrize(
    ("said", "told"),
    [
        pytest.param(SECRET_WORDS, f"bad input: {SECRET_WORDS.upper()}", id="all"),
        pytest.param(f"{SECRET_WORDS}, please help", f"bad: {SECRET_WORDS}", id="its-beginning"),
        pytest.param("card no. 41115555.", "invalid value 41115555", id="a-number"),
        pytest.param("I am jo@example.com", "jo@example.com is unknown", id="an-address"),
        pytest.param("Wo?\nHier!", "can't parse Wo? Hier!", id="over-lines"),
        pytest.param("我的订单", "内容:我的订单在哪", id="script-without-blanks"),
    ],
)
async def test_a_reason_that_repeats_the_person_is_left_out(
    dialect, agent_server, ask, turn_of, said, told
):
    agent_server.says({"error": {"message": told}}, status=400)

    with pytest.raises(Permanent) as caught:
        await ask(turn_of(UserMessage("m", 1, said)), dialect.adapter)

    assert str(caught.value) == "agent answered 400"


async def test_a_quoted_key_is_masked(dialect, agent_server, ask, turn):
    agent_server.says({"detail": f"bad {API_KEY}, sk-proj-12345678 and h3ader-value"}, status=400)

    with pytest.raises(Permanent) as caught:
        await ask(turn, dialect.adapter, api_key=API_KEY, headers={"X-Key": "h3ader-value"})

    assert str(caught.value).endswith("says: bad ***, *** and ***")


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize(
    ("settings", "advice"),
    [
        pytest.param({}, "no agent.api_key is set", id="none"),
        pytest.param({"api_key": API_KEY}, "check agent.api_key", id="key"),
        pytest.param({"headers": {"Authorization": "x"}}, "check agent.headers", id="header"),
        pytest.param(
            {"headers": {"api-key": "x"}},
            "no agent.api_key is set, check agent.headers",
            id="other-header",
        ),
    ],
)
async def test_a_refused_key_is_told_by_what_is_set(
    dialect, agent_server, ask, turn, status, settings, advice
):
    agent_server.says({}, status=status)

    with pytest.raises(Permanent) as caught:
        await ask(turn, dialect.adapter, **settings)

    assert str(caught.value) == f"agent answered {status}: {advice}"


async def test_advice_names_the_model_only_where_one_is_asked_for(dialect, agent_server, ask, turn):
    agent_server.says({}, status=404)

    with pytest.raises(Permanent) as caught:
        await ask(turn, dialect.adapter)

    assert ("agent.model" in str(caught.value)) is dialect.asks_model


async def test_a_redirect_is_not_followed(dialect, agent_server, ask, turn):
    agent_server.says({}, status=307, headers={"Location": agent_server.url + "/elsewhere"})

    with pytest.raises(Permanent, match="redirects are not followed"):
        await ask(turn, dialect.adapter)

    assert len(agent_server.asked) == 1


@pytest.mark.parametrize(
    ("body", "content_type", "reason"),
    [
        pytest.param(b"[Note] Sure!", "text/plain", "not JSON", id="brackets-in-plain-text"),
        pytest.param(b"Sure!", "text/plain", "answered text/plain, not JSON", id="plain-text"),
        pytest.param(b"{'a': 1}", "application/json", "not JSON", id="not-quite-json"),
        pytest.param(b"\xff\xfe\xfa", "application/json", "not JSON", id="not-utf-8"),
        pytest.param(
            b"\xff\xfe\xfa", "application/json; charset=none", "not JSON", id="unknown-charset"
        ),
        pytest.param(b"[" * 20_000, "application/json", "not JSON", id="20000-brackets"),
        pytest.param(b"null", "application/json", "agent", id="null"),
        pytest.param(b"[]", "application/json", "agent", id="list"),
        pytest.param(b"{}", "application/json", "agent", id="other-shape"),
        pytest.param(b'"hello"', "application/json", "agent", id="bare-string"),
    ],
)
async def test_an_answer_that_is_not_the_protocols_is_permanent(
    dialect, agent_server, ask, turn, body, content_type, reason
):
    if dialect.takes_text and body in TEXTS:
        pytest.skip("takes texts and empty lists for answers")
    agent_server.sends(body, content_type)

    with pytest.raises(Permanent, match=reason):
        await ask(turn, dialect.adapter)


async def test_a_body_over_the_limit_is_not_read(dialect, agent_server, ask, turn):
    agent_server.sends(b"x" * 2_000_000, "text/html")

    with pytest.raises(Permanent, match=r"more than 100000 bytes \(agent\.max_body\)"):
        await ask(turn, dialect.adapter, max_body=100_000)


@pytest.mark.parametrize("value", [7, True, {"a": 1}, [1]], ids=str)
async def test_an_answer_whose_text_is_no_text_is_permanent(
    dialect, agent_server, ask, turn, value
):
    agent_server.says(dialect.answer(value))

    with pytest.raises(Permanent, match="text"):
        await ask(turn, dialect.adapter)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("a" * 2_000_000, id="2-mb"),
        pytest.param("a" * 1001, id="one-byte-over"),
        pytest.param("é" * 501, id="bytes-not-characters"),
    ],
)
async def test_an_answer_that_is_too_long_is_permanent(dialect, agent_server, ask, turn, text):
    agent_server.says(dialect.answer(text))

    with pytest.raises(Permanent, match=r"more than|max_answer"):
        await ask(turn, dialect.adapter, max_answer=1000)


async def test_an_answer_as_long_as_allowed_is_an_answer(dialect, agent_server, ask, turn):
    agent_server.says(dialect.answer("ж" * 500))

    assert len(said(await ask(turn, dialect.adapter, max_answer=1000))) == 500


# --- what never leaks -------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "body"),
    [
        pytest.param(400, SECRET_WORDS.encode(), id="refused"),
        pytest.param(500, SECRET_WORDS.encode(), id="failed"),
        pytest.param(200, SECRET_WORDS.encode(), id="not-json"),
        pytest.param(200, json.dumps({"said": SECRET_WORDS}).encode(), id="other-shape"),
        pytest.param(200, json.dumps([SECRET_WORDS]).encode(), id="list"),
        pytest.param(200, json.dumps(SECRET_WORDS).encode() * 100_000, id="too-long"),
    ],
)
async def test_an_error_says_nothing_of_the_message_the_body_or_the_key(
    dialect, agent_server, ask, turn_of, status, body
):
    agent_server.sends(body, "application/json", status)
    question = turn_of(UserMessage("m", 1, SECRET_WORDS))

    with pytest.raises((Permanent, Transient)) as caught:
        await ask(question, dialect.adapter, api_key=API_KEY)

    assert SECRET_WORDS not in str(caught.value)
    assert API_KEY not in str(caught.value)


# --- stopping ---------------------------------------------------------------


async def test_a_cancelled_question_closes_the_connection(dialect, agent_server, ask, turn):
    agent_server.hangs()
    asking = asyncio.create_task(ask(turn, dialect.adapter, timeout=30))
    await asyncio.wait_for(agent_server.arrived.wait(), 2)

    asking.cancel()

    with pytest.raises(asyncio.CancelledError):
        await asking
    await asyncio.wait_for(agent_server.gone.wait(), 2)


# --- the adapter without HTTP -----------------------------------------------


@pytest.mark.parametrize(
    ("message", "answer"),
    [
        pytest.param(UserMessage("m", 1, "Größe 👩🏽‍🚀"), "Größe 👩🏽‍🚀", id="text"),
        pytest.param(
            UserMessage("m", 1, attachments=(Attachment("image", "https://cdn/1"),)),
            "[image] https://cdn/1",
            id="image",
        ),
        pytest.param(UserMessage("m", 1, "Blue", payload="COLOR_BLUE"), "Blue", id="quick-reply"),
    ],
)
async def test_echo_repeats_the_turn_without_any_http(agent_server, ask, turn_of, message, answer):
    parts = await ask(turn_of(message), "echo", url=None)

    assert parts == [Text(answer)]
    assert agent_server.asked == []


async def test_echo_keeps_to_the_limit_too(ask, turn_of):
    with pytest.raises(Permanent, match="max_answer"):
        await ask(turn_of(UserMessage("m", 1, "long")), "echo", url=None, max_answer=3)
