"""A reply goes out in pieces of at most 1000 bytes, cut where a reader would pause."""

# ruff: noqa: RUF001 - people write in their own scripts

from __future__ import annotations

import re
import time
import unicodedata

import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from ak_instagram.reply.split import MAX_TEXT_BYTES, split

FAMILY = "👨‍👩‍👧‍👦"
ZALGO = "z" + "\u0301\u0316\u0330" * 40

SCRIPTS = {
    "thai": "สวัสดีครับยินดีต้อนรับสู่ร้านของเราวันนี้เรามีโปรโมชั่นพิเศษสำหรับคุณ",
    "hindi": "नमस्ते! आपका स्वागत है। हम आपकी क्या मदद कर सकते हैं? क्षत्रिय स्त्री।",
    "arabic": "مرحبا بكم! كيف يمكنني مساعدتك؟ نحن هنا من أجلك دائمًا.",
    "chinese": "您好！欢迎光临我们的商店。请问有什么可以帮助您的吗？我们今天有特价活动。",
    "korean": "안녕하세요! 무엇을 도와드릴까요? 오늘은 특별 할인이 있습니다.",
    "decomposed-korean": unicodedata.normalize("NFD", "한국어") * 30,
    "flags": "🇩🇪🇫🇷🇮🇹🇪🇸" * 30,
    "skin-tones": "👍🏻👍🏼👍🏽👍🏾👍🏿" * 30,
    "families": FAMILY * 60,
    "zalgo": ZALGO * 5,
    "keycaps": "1️⃣2️⃣3️⃣" * 60,
}


def clusters(text):
    return regex.findall(r"\X", text)


def without_space(text):
    return re.sub(r"\s", "", text)


def size(piece):
    return len(piece.encode())


@pytest.mark.parametrize(
    ("text", "limit", "pieces"),
    [
        pytest.param("Short.", 20, ("Short.",), id="fits"),
        pytest.param("", 20, (), id="empty"),
        pytest.param(" \n\t\r\n ", 20, (), id="blank"),
        pytest.param("  hello  ", 20, ("hello",), id="space-around"),
        pytest.param("x" * 20, 20, ("x" * 20,), id="fits-exactly"),
        pytest.param(
            "One two.\n\nThree four five.", 20, ("One two.", "Three four five."), id="paragraph"
        ),
        pytest.param(
            "One. Two.\nThree. Four five.", 20, ("One. Two.", "Three. Four five."), id="line"
        ),
        pytest.param(
            "One two. Three four five.", 20, ("One two.", "Three four five."), id="sentence"
        ),
        pytest.param("one two three four five", 20, ("one two three four", "five"), id="word"),
        pytest.param(
            "a\n\nlong sentence. Then more",
            20,
            ("a\n\nlong sentence.", "Then more"),
            id="no-tiny-piece",
        ),
        pytest.param(
            "Not one,\r\n\r\ntwo three four five",
            20,
            ("Not one,", "two three four five"),
            id="windows-lines",
        ),
        pytest.param(
            "Is it? (Yes!) And then more",
            20,
            ("Is it? (Yes!)", "And then more"),
            id="closing-bracket",
        ),
        pytest.param("abcdefghij", 4, ("abcd", "efgh", "ij"), id="one-long-word"),
        pytest.param(
            "ends here and  then", 9, ("ends here", "and  then"), id="break-right-behind-the-limit"
        ),
        pytest.param(
            "10\u00a0000\u00a0€ or more", 14, ("10\u00a0000\u00a0€", "or more"), id="no-break-space"
        ),
        pytest.param("你好。再见。谢谢。", 20, ("你好。再见。", "谢谢。"), id="chinese-sentences"),
        pytest.param(
            "「你好。」再见，谢谢。", 20, ("「你好。」", "再见，谢谢。"), id="chinese-quotes"
        ),
        pytest.param("क ख। ग घ ङ च", 20, ("क ख।", "ग घ ङ च"), id="danda"),
        pytest.param("نعم؟ لا أعرف", 20, ("نعم؟", "لا أعرف"), id="arabic-question"),
    ],
)
def test_a_piece_ends_at_the_best_pause(text, limit, pieces):
    assert split(text, limit) == pieces


@pytest.mark.parametrize("text", [pytest.param(text, id=name) for name, text in SCRIPTS.items()])
@pytest.mark.parametrize("limit", [64, 256, MAX_TEXT_BYTES])
def test_every_script_fits_and_keeps_its_clusters(text, limit):
    repeated = text * 20
    pieces = split(repeated, limit)

    assert all(0 < size(piece) <= limit for piece in pieces)
    assert without_space("".join(pieces)) == without_space(repeated)
    if max(map(size, clusters(repeated))) <= limit:
        kept = [cluster for piece in pieces for cluster in clusters(piece)]
        assert [it for it in kept if it.strip()] == [it for it in clusters(repeated) if it.strip()]


def test_a_cluster_bigger_than_a_piece_is_cut_and_only_it():
    monster = "z" + "\u0301" * 60

    pieces = split(f"before {monster}", 40)

    assert pieces[0] == "before"
    assert "".join(pieces[1:]) == monster
    assert all(size(piece) <= 40 for piece in pieces)


def test_a_mark_stays_with_the_space_that_carries_it():
    pieces = split("one \u0301two three", 10)

    assert pieces == ("one \u0301two", "three")


LINK = "https://example.com/a_b?c=d&e=f"


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        pytest.param(f"see {LINK} now", ("see", LINK, "now"), id="between-words"),
        pytest.param(f"看看这个{LINK}，好吗", ("看看这个", LINK, "，好吗"), id="no-space-around"),
        pytest.param(f"{LINK}{'x' * 20}", (f"{LINK}x", "x" * 19), id="too-long-itself"),
        pytest.param(f"({LINK})", ("(", f"{LINK})"), id="in-brackets"),
    ],
)
def test_a_link_stays_whole_if_it_fits_a_piece(text, pieces):
    assert split(text, 32) == pieces


def test_a_whole_span_moves_to_the_next_piece_rather_than_be_cut():
    code = "a = 1\n\nb = 2\nc = 3"
    text = f"Some words first:\n\n{code}\n\nand some after it"
    start = text.index(code)

    pieces = split(text, 30, whole=[(start, start + len(code))])

    assert pieces == ("Some words first:", code, "and some after it")


def test_a_whole_span_that_fits_is_no_place_to_cut_what_follows():
    code = "a\n\nb\n\nc"
    text = f"{code} then words that run on"

    assert split(text, 20, whole=[(0, len(code))]) == (f"{code} then words", "that run on")


def test_a_span_too_big_for_a_piece_is_cut_like_text():
    code = "one = 1\ntwo = 2\nthree = 3"

    assert split(code, 16, whole=[(0, len(code))]) == ("one = 1\ntwo = 2", "three = 3")


def test_a_limit_that_no_character_fits_is_refused():
    with pytest.raises(ValueError, match="4 bytes"):
        split("text", 3)


ATOMS = st.sampled_from(
    [
        "word",
        " ",
        "\n",
        "\n\n",
        ". ",
        "。",
        LINK,
        FAMILY,
        "🇩🇪",
        "e\u0301",
        " \u0301",
        "ไทย",
        "\u00a0",
        "'",
        ") ",
    ]
)


@given(st.lists(ATOMS | st.text(max_size=5), max_size=80).map("".join), st.integers(4, 120))
@settings(max_examples=300, deadline=None)
def test_nothing_but_space_is_lost(text, limit):
    pieces = split(text, limit)

    assert without_space("".join(pieces)) == without_space(text)
    assert all(piece == piece.strip() for piece in pieces)
    assert all(0 < size(piece) <= limit for piece in pieces)


SOLID_ATOMS = ATOMS.filter(lambda atom: atom not in (" \u0301", "\u00a0"))  # ends lose spaces


@given(st.lists(SOLID_ATOMS, max_size=80).map("".join), st.integers(64, 120))
@settings(max_examples=300, deadline=None)
def test_links_and_clusters_that_fit_are_in_one_piece(text, limit):
    pieces = split(text, limit)

    kept = [cluster for piece in pieces for cluster in clusters(piece) if cluster.strip()]
    assert kept == [cluster for cluster in clusters(text.strip()) if cluster.strip()]
    links = [it for it in re.findall(r"https?://[^\s。]+", text) if size(it) <= limit]
    assert [link for link in links if not any(link in piece for piece in pieces)] == []


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        pytest.param("We are at 12. Mai closed", ("We are at 12. Mai", "closed"), id="date"),
        pytest.param("Take one:\n1. abc def ghi", ("Take one:", "1. abc def ghi"), id="list"),
    ],
)
def test_a_full_stop_behind_a_number_ends_no_sentence(text, pieces):
    assert split(text, 20) == pieces


def seconds(text):
    """The best of three, so that a busy machine does not count."""
    times = []
    for _ in range(3):
        began = time.process_time()
        split(text)
        times.append(time.process_time() - began)
    return min(times)


@pytest.mark.parametrize(
    "unit",
    [
        pytest.param("x", id="one-word"),
        pytest.param(FAMILY, id="families"),
        pytest.param("🇩🇪", id="flags"),
        pytest.param("\u0301", id="marks-on-nothing"),
        pytest.param("a\n", id="lines"),
        pytest.param(" " * 5000 + "x", id="wide-gaps"),
        pytest.param(" \u0301", id="marks-on-spaces"),
        pytest.param(".)", id="sentence-ends-without-space"),
        pytest.param("https://example.com", id="links-run-together"),
        pytest.param("\u00a0\n", id="blank"),
    ],
)
def test_time_grows_with_the_length_and_no_faster(unit):
    text = unit * (64 * 1024 // len(unit.encode()))

    # Four times the text; were it quadratic, it would take 16 times as long.
    assert seconds(text) < 10 * seconds(text[: len(text) // 4]) + 0.001
