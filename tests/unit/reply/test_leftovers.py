"""Nothing of the machinery around a model reaches a customer."""

# ruff: noqa: RUF001 - people write in their own scripts

from __future__ import annotations

import pytest

from ak_instagram.reply.markdown import plain

ANSWER = "We open at nine."


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(f"{ANSWER}<|im_end|>", id="end-token"),
        pytest.param(
            f"<|start_header_id|>assistant<|end_header_id|>\n\n{ANSWER}<|eot_id|>", id="header"
        ),
        pytest.param(f"<s>{ANSWER}</s>", id="sentence-tokens"),
        pytest.param(f"[/INST] {ANSWER}", id="instruction-token"),
        pytest.param(f"<start_of_turn>model\n{ANSWER}<end_of_turn>", id="turn-tokens"),
        pytest.param(f"{ANSWER}<｜end▁of▁sentence｜>", id="wide-token"),
        pytest.param(f'<tool_call>\n{{"name": "hours"}}\n</tool_call>\n{ANSWER}', id="tool-call"),
        pytest.param(
            f'<function_calls><invoke name="a">b</invoke></function_calls>{ANSWER}', id="function"
        ),
        pytest.param(f'[TOOL_CALLS] [{{"name": "hours"}}]\n{ANSWER}', id="tool-list"),
        pytest.param(f"<｜tool▁calls▁begin｜>a<｜tool▁calls▁end｜>{ANSWER}", id="wide-tool-call"),
        pytest.param(f"Assistant: {ANSWER}", id="role"),
        pytest.param(f"**Assistant:** {ANSWER}", id="bold-role"),
        pytest.param(f"### Assistant:\n{ANSWER}", id="heading-role"),
        pytest.param(f"助手：{ANSWER}", id="chinese-role"),
        pytest.param(f"```markdown\n{ANSWER}\n```", id="fenced"),
        pytest.param("We open at nine【4†source】.", id="source"),
        pytest.param("We open at nine 【4:0†hours.pdf】.", id="source-with-a-name"),
        pytest.param("We open at nine \ue200cite\ue202turn0search1\ue201.", id="private-use"),
        pytest.param("We open at nine citeturn0search1.", id="private-use-lost"),
        pytest.param("We open at nine:contentReference[oaicite:0]{index=0}.", id="reference"),
        pytest.param("[cite_start]We open at nine. [cite: 1, 2]", id="cite"),
        pytest.param("We open at nine[citation:3].", id="citation"),
        pytest.param("We open at nine [doc1].", id="document"),
        pytest.param("We open at nine [1].", id="number"),
        pytest.param("We open at nine.[1][2]", id="numbers-behind"),
        pytest.param("We open at nine.[^1]", id="note"),
        pytest.param("We open at nine [^a].", id="named-note"),
        pytest.param('<cite index="1-2">We open at nine.</cite>', id="tags"),
        pytest.param("<answer>We open at nine.</answer>", id="answer"),
    ],
)
def test_only_the_answer_is_left(text):
    assert plain(text).text == ANSWER


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("[1] Delivery\n[2] Pick-up", id="choices"),
        pytest.param("Do you want [1] delivery or [2] pick-up?", id="choices-in-a-sentence"),
        pytest.param("Free [1].\n\n[1] From 50 €", id="listed-sources"),
        pytest.param("Take option [2].", id="not-from-one"),
        pytest.param("【営業時間】九時から", id="japanese-heading"),
        pytest.param("Your assistant: Maria", id="role-within"),
        pytest.param("Support: +49 30 1234", id="telephone"),
        pytest.param("a <| b |> c", id="signs"),
    ],
)
def test_what_only_looks_like_leftovers_stays(text):
    assert plain(text).text == text


def test_a_note_that_is_there_keeps_its_number():
    markdown = "Shipping is free.[^1]\n\n[^1]: From **50 €**."

    assert plain(markdown).text == "Shipping is free.[1]\n\n[1] From 50 €."
