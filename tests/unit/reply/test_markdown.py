"""An answer in Markdown reads well where its characters are shown as they are."""

# ruff: noqa: RUF001 - people write in their own scripts

from __future__ import annotations

import itertools
import re
import time
from textwrap import dedent

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ak_instagram.reply.markdown import plain

UNCHANGED = [
    "snake_case_name and __dunder",
    "2 * 3 * 4 = 24",
    "2*3*4, a*b*c, 4*4 and 5*5",
    "#1 choice, #hashtag",
    "from $5-$10, ~5 min, 100%",
    "*",
    "**",
    "-",
    "+",
    "1) a\n2) b",
    "01. January\n07. July",
    "+49 30 1234567",
    "+ 49 30 1234567",
    "2024. Great year",
    "2024. Great year\nand we danced",
    "12. Mai bis 14. Mai geschlossen",
    "https://example.com/a_b_c?x=1*2*3&copy;=_y_",
    "https://example.com/_private_/*x*y",
    "write to @_anna_ or @bob_ or a_b_@example.com",
    "I <3 you, a < b > c & <b>",
    "🎉 great 🎉\n👍🏽",
    "^_^ >_< *_* (*^▽^*) o_O -_-",
    "> 5 kg",
    ">:(",
    "* footnote",
    "[1]: a note",
    "[note] and [another]",
    "~~~ Sale ~~~\nCome in",
    "Total\n---\n5",
    "Total\n=====\n5",
    "Name: ____\n* * *",
    "one line\nanother line\n\na paragraph\n\n\nand one more",
    "x | y",
    "`unfinished",
    "",
]


@pytest.mark.parametrize("text", UNCHANGED)
def test_text_that_is_not_markdown_comes_out_unchanged(text):
    assert plain(text).text == text


@pytest.mark.parametrize(
    ("markdown", "text"),
    [
        pytest.param("# Title #\ntext", "Title\ntext", id="heading"),
        pytest.param("a\n\n## **Bold** title\n\nb", "a\n\nBold title\n\nb", id="heading-between"),
        pytest.param("**a** _b_ *c* ***d*** __e__", "a b c d e", id="emphasis"),
        pytest.param(
            "这是**重要**的，**중요**합니다",
            "这是重要的，중요합니다",
            id="emphasis-inside-a-sentence",
        ),
        pytest.param("**S**imple", "Simple", id="emphasis-of-an-initial"),
        pytest.param("`a_b` and ``c`d``", "a_b and c`d", id="inline-code"),
        pytest.param("one  \ntwo\\\nthree\nfour", "one\ntwo\nthree\nfour", id="line-breaks"),
        pytest.param("\\``a` b", "`a b", id="escaped-tick"),
        pytest.param("\\``", "``", id="escaped-tick-of-two"),
        pytest.param("**a *b _c***", "a *b _c*", id="three-end-one"),
        pytest.param("a \\* b 1\\. c \\_d\\_ &amp; &#9731;", "a * b 1. c _d_ & ☃", id="escapes"),
        pytest.param("Hi\r\nyou\rall", "Hi\nyou\nall", id="line-ends"),
        pytest.param("> a\n> *b*\n>\n> c", "a\nb\n\nc", id="quote"),
        pytest.param("> a\n>> b", "a\nb", id="quote-in-a-quote"),
        pytest.param("> 💡 **Tip:** a\n\n> 5 kg", "💡 Tip: a\n\n> 5 kg", id="quote-and-not"),
        pytest.param("> - a\n> - b", "> - a\n> - b", id="list-in-a-quote"),
    ],
)
def test_markers_go_and_words_stay(markdown, text):
    assert plain(markdown).text == text


@pytest.mark.parametrize(
    ("markdown", "text"),
    [
        pytest.param("**営業時間（平日）**は九時から", "営業時間（平日）は九時から", id="bracket"),
        pytest.param("**Preis:**12 €", "Preis:12 €", id="colon-and-digit"),
        pytest.param("这是**「新品」**的价格", "这是「新品」的价格", id="quotes-in-a-sentence"),
        pytest.param("**기본 요금(부가세 포함)**은", "기본 요금(부가세 포함)은", id="particle"),
        pytest.param("***a** b* ***c* d**", "a b c d", id="one-in-the-other"),
        pytest.param("**a *b***", "a b", id="both-end-at-once"),
        pytest.param("**19,99 € **inkl. MwSt.", "19,99 € inkl. MwSt.", id="misplaced-space"),
        pytest.param("**„Alba“**(38 cm)", "„Alba“(38 cm)", id="quotes-and-bracket"),
        pytest.param("**(neu)** *(nur heute)*", "(neu) (nur heute)", id="brackets"),
        pytest.param("*https://b.de/x*.", "https://b.de/x.", id="address-before-a-full-stop"),
    ],
)
def test_emphasis_goes_whatever_stands_beside_it(markdown, text):
    assert plain(markdown).text == text


@pytest.mark.parametrize(
    ("markdown", "text"),
    [
        pytest.param("주문은 **{}**에서", "주문은 {} 에서", id="korean"),
        pytest.param("詳しくは**{}**をご覧。", "詳しくは{} をご覧。", id="japanese"),
        pytest.param("请访问**{}**下单。", "请访问{} 下单。", id="chinese"),
        pytest.param("bei *{}*online", "bei {} online", id="one-asterisk"),
        pytest.param("***{}***에서", "{} 에서", id="three-asterisks"),
        pytest.param("**주문 *{}***에서", "주문 {} 에서", id="two-ends"),
        pytest.param("`{}`에서", "{} 에서", id="code"),
        pytest.param("<{}>에서", "{} 에서", id="autolink"),
        pytest.param("[{0}]({0})에서", "{} 에서", id="address-as-title"),
        pytest.param('<a href="{}"></a>에서', "{} 에서", id="html"),
        pytest.param("<b>{}</b>에서", "{} 에서", id="bold-html"),
        pytest.param("**{}**(new)", "{} (new)", id="bracket"),
        pytest.param("**{}**-Shop", "{} -Shop", id="dash"),
        pytest.param("**{}**。", "{}。", id="chinese-full-stop"),
        pytest.param("**{}**、または", "{}、または", id="japanese-comma"),
        pytest.param("「**{}**」で", "「{}」で", id="japanese-bracket"),
        pytest.param("**{}**, or", "{}, or", id="comma"),
        pytest.param("(**{}**)", "({})", id="closing-bracket"),
        pytest.param("**{}**\nor", "{}\nor", id="line"),
        pytest.param("**{}** or", "{} or", id="space"),
        pytest.param("[매장]({})에서", "매장 ({})에서", id="address-in-brackets"),
        pytest.param("**see {} now**에서", "see {} now에서", id="words-behind-the-address"),
        pytest.param("`see {} now`에서", "see {} now에서", id="words-in-code"),
    ],
)
def test_a_word_behind_an_address_does_not_become_a_part_of_it(markdown, text):
    address = "https://shop.example/a/"

    assert plain(markdown.format(address)).text == text.format(address)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("** a **", id="spaces-inside"),
        pytest.param("2**3**4", id="powers"),
        pytest.param("80 €**, 120 €**\n**plus tax", id="two-stars-as-a-note"),
        pytest.param("12 €* or 15 €*", id="one-star-as-a-note"),
        pytest.param("**** **** **** 1234", id="card"),
        pytest.param("**a\n\nb**", id="across-paragraphs"),
        pytest.param("- *a\n- b*", id="across-items"),
        pytest.param("groß_maß_x, 漢字_漢字_漢字", id="names"),
    ],
)
def test_asterisks_and_underscores_that_are_no_pair_stay(text):
    assert plain(text).text == text


@pytest.mark.parametrize(
    ("markdown", "text"),
    [
        pytest.param("~~20 €~~ 15 €", "2-0- €- 15 €", id="price"),
        pytest.param("~~R$ 5~~", "R-$- 5-", id="letters"),
        pytest.param("~~6,600円~~4,980円", "6-,-6-0-0-円4,980円", id="japanese"),
        pytest.param("~~590 บาท~~ 490 บาท", "5-9-0- บาท 490 บาท", id="thai"),
        pytest.param("~~売切~~", "売-切-", id="words-alone"),
    ],
)
def test_what_is_struck_through_stays_so_where_fonts_can_show_it(markdown, text):
    assert plain(markdown).text == text.replace("-", "\u0336")


@pytest.mark.parametrize(
    ("markdown", "text"),
    [
        pytest.param("a\n\n---\n\nb", "a\n\nb", id="between-paragraphs"),
        pytest.param("a\n\n***\nb", "a\n\nb", id="asterisks-and-no-blank-line-behind"),
        pytest.param("a\n\n-----", "a", id="at-the-end"),
        pytest.param("---\n\na", "a", id="at-the-beginning"),
        pytest.param("**a**\n \n---\n\n---\n\nb", "a\n\nb", id="two"),
        pytest.param("59\n12\n---\n71", "59\n12\n---\n71", id="below-a-sum"),
    ],
)
def test_a_rule_between_paragraphs_goes(markdown, text):
    assert plain(markdown).text.rstrip("\n ") == text


def test_an_empty_corner_of_a_table_leaves_no_pipe():
    assert plain("|   | A | B |\n|---|---|---|\n| x | 1 | 2 |").text == "A | B\nx | 1 | 2"


def test_tasks_have_boxes():
    assert plain("- [ ] to do\n- [x] done").text == "☐ to do\n☑ done"


@pytest.mark.parametrize(
    ("markdown", "text"),
    [
        pytest.param("a<br>b<br/>\nc", "a\nb\nc", id="line-breaks"),
        pytest.param("10&nbsp;€", "10\u00a0€", id="entity"),
        pytest.param("a\n\n&nbsp;\n\nb", "a\n\nb", id="spacer"),
        pytest.param("<b>a</b> <p>b</p>", "a b", id="pairs"),
        pytest.param("<b>a", "<b>a", id="no-pair"),
        pytest.param('<a href="https://a.de">a</a>', "a (https://a.de)", id="link"),
        pytest.param("<ul>\n<li>a</li>\n<li>b</li>\n</ul>", "- a\n- b", id="list"),
        pytest.param("a <!-- b -->c", "a c", id="comment"),
        pytest.param("| a |\n|---|\n| b<br>c |", "a\nb, c", id="in-a-table"),
    ],
)
def test_html_reads_as_it_looks(markdown, text):
    assert plain(markdown).text.strip() == text


@pytest.mark.parametrize(
    ("markdown", "text"),
    [
        pytest.param("*   a\n    *   b\n        * c\n*   d", "• a\n  • b\n    • c\n• d", id="wide"),
        pytest.param("1.  *a*\n    - b\n\n    c", "1. a\n   - b\n\n   c", id="numbers"),
        pytest.param("*   a\n\t*   b", "• a\n  • b", id="tabs"),
        pytest.param("* **a:** 1\n* *b*", "• a: 1\n• b", id="emphasis-in-items"),
        pytest.param("* 20 Uhr*\n* 21 Uhr\n\n*voll", "• 20 Uhr*\n• 21 Uhr\n\n*voll", id="note"),
        pytest.param("- ### a\n- b", "- a\n- b", id="heading-in-an-item"),
        pytest.param("##标题\n#tag", "标题\n#tag", id="heading-without-a-space"),
    ],
)
def test_lines_begin_where_a_phone_has_room_for_them(markdown, text):
    assert plain(markdown).text == text


@pytest.mark.parametrize(
    ("markdown", "text"),
    [
        pytest.param("[a][s]\n\n[s]: https://a.de", "a (https://a.de)", id="full"),
        pytest.param("[a][]\n\n[A]: https://a.de 'b'", "a (b, https://a.de)", id="collapsed"),
        pytest.param("[a]\n\n[a]: <https://a.de>", "a (https://a.de)", id="shortcut"),
        pytest.param("[a][s]", "[a][s]", id="undefined"),
        pytest.param("See [1]\n\n[1]: https://a.de", "See [1]\n\n[1]: https://a.de", id="sources"),
        pytest.param("[1](https://a.de)", "(https://a.de)", id="number-as-title"),
        pytest.param(
            "[a](https://a.de/b_(c)_d)", "a (https://a.de/b_(c)_d)", id="brackets-in-an-address"
        ),
        pytest.param("a[1](https://a.de)", "a (https://a.de)", id="number-behind-a-word"),
        pytest.param("[a](#b) [c](sandbox:/d.pdf)", "a c", id="nowhere"),
        pytest.param(
            "[![a](https://a.de/b)](https://a.de/c)",
            "a (https://a.de/c)",
            id="badge",
        ),
        pytest.param("[![](https://a.de/b)](https://a.de/c)", "https://a.de/c", id="bare-badge"),
        pytest.param(
            "[see ![a](https://a.de/b) here]", "[see a (https://a.de/b) here]", id="no-badge"
        ),
        pytest.param("[a](<https://a.de/b c.pdf>)", "a (https://a.de/b%20c.pdf)", id="spaces"),
    ],
)
def test_links_that_are_defined_elsewhere_or_odd(markdown, text):
    assert plain(markdown).text.strip() == text


@pytest.mark.parametrize(
    "unit",
    [
        *("*", "*a ", "a* ", "**a", "_a ", "~~a~~ ", "***a "),
        *("`", "`a``b", "[", "](", "[a](", "![a](", "[a](u)", "[a](b 'x", "[a][b]", "[1]"),
        *("> ", "> ```\n", "- ", "- ```\n", "```\n", "1. ", "(", "|", "a|b\n-|-\n", "# a #"),
        *("<", "<a href=x>", "<!--", "</b>", "<tool_call>", "【1†", "\\(", "\\[", "$a", "&a"),
        *(" ", "\n", "\u0301", "https://a.de", "x", "x ", "👨\u200d", "\\frac{"),
    ],
)
def test_time_grows_with_the_length_and_no_faster(unit):
    markdown = unit * (16 * 1024 // len(unit.encode()))

    # Four times the text; were it quadratic, it would take 16 times as long.
    assert seconds(markdown) < 10 * seconds(markdown[: len(markdown) // 4]) + 0.001


def seconds(markdown):
    """The processor's time, the best of three, so that a busy machine does not count."""
    times = []
    for _ in range(3):
        began = time.process_time()
        plain(markdown)
        times.append(time.process_time() - began)
    return min(times)


@pytest.mark.parametrize(
    ("markdown", "text"),
    [
        pytest.param(
            "[our *shop*](https://a.de)", "our shop (https://a.de)", id="title-and-address"
        ),
        pytest.param("[https://a.de](https://a.de)", "https://a.de", id="address-as-title"),
        pytest.param("[a.de](https://a.de/)", "https://a.de/", id="short-address-as-title"),
        pytest.param("[](https://a.de)", "https://a.de", id="no-title"),
        pytest.param("[title]()", "title", id="no-address"),
        pytest.param("<https://a.de/é_ü_>", "https://a.de/é_ü_", id="autolink"),
        pytest.param("<me@a.de> [us](mailto:us@a.de)", "me@a.de us (us@a.de)", id="mail"),
        pytest.param("[+49 30](tel:+4930)", "+49 30 (+4930)", id="telephone"),
        pytest.param(
            '[shop](https://a.de "Open daily")', "shop (Open daily, https://a.de)", id="tip"
        ),
        pytest.param(
            '[shop](https://a.de "shop")', "shop (https://a.de)", id="tip-that-says-nothing"
        ),
        pytest.param('[](https://a.de "Open")', "https://a.de (Open)", id="tip-alone"),
        pytest.param("[é](https://a.de/é?q=ü)", "é (https://a.de/é?q=ü)", id="address-as-written"),
        pytest.param("![a cat](https://a.de/c.png)", "a cat (https://a.de/c.png)", id="image"),
        pytest.param("![](https://a.de/c.png)", "https://a.de/c.png", id="image-without-words"),
        pytest.param(
            '![a cat](https://a.de/c.png "asleep")',
            "a cat (asleep, https://a.de/c.png)",
            id="image-with-a-caption",
        ),
        pytest.param(
            "**https://a.de/x_y_**, *https://b.de*",
            "https://a.de/x_y_, https://b.de",
            id="emphasised",
        ),
        pytest.param(
            "[see https://a.de/_x_ now](https://b.de)",
            "see https://a.de/_x_ now (https://b.de)",
            id="link-in-title",
        ),
    ],
)
def test_links_show_title_and_address(markdown, text):
    assert plain(markdown).text == text


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("- a\n- b\n  - c\n    - d\n- e", id="nested-bullets"),
        pytest.param("3. a\n4. b\n   - c\n\n   more of b\n5. d", id="numbers-from-three"),
        pytest.param("- a\n\n- b", id="loose"),
        pytest.param("Before:\n- a\n- b\n\nafter", id="between-paragraphs"),
    ],
)
def test_lists_stay_lists(text):
    assert plain(text).text == text


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("> ---", id="rule-in-a-quote"),
        pytest.param("+ * * *", id="rule-in-a-list"),
        pytest.param("> ~~~ Sale\n>   today\n> ~~~~", id="frame-in-a-quote"),
        pytest.param("- ~~~\n  a\n    b\n  ~~~\n- c", id="frame-in-a-list"),
        pytest.param("1. a\n\n   > ~~~\n   > b", id="unclosed-in-a-quote-in-a-list"),
    ],
)
def test_what_people_draw_stays_as_it_is_where_it_is(text):
    assert plain(text).text == text


def test_a_table_becomes_lines():
    markdown = dedent("""\
        | Size | *Price* |
        |------|--------:|
        | S    | **5** € |
        | M \\| L |       |
        """)

    assert plain(markdown).text == "Size | Price\nS | 5 €\nM | L | "


@pytest.mark.parametrize(
    ("row", "line"),
    [
        pytest.param("| A | 3 € | only **on** Mondays |", "A | 3 € | only on Mondays", id="more"),
        pytest.param("A | 3 € | | on Mondays", "A | 3 € |  | on Mondays", id="without-outer-pipes"),
        pytest.param("| `a|b` | 3 € |", "`a | b` | 3 €", id="pipe-in-code"),
        pytest.param("| A | 3 \\| 4 € | 5 \\|", "A | 3 | 4 € | 5 |", id="escaped-pipes"),
    ],
)
@pytest.mark.parametrize(
    ("first", "others"),
    [
        pytest.param("", "", id="alone"),
        pytest.param("> ", "> ", id="in-a-quote"),
        pytest.param("> > ", "> > ", id="in-a-quote-in-a-quote"),
        pytest.param("- ", "  ", id="in-a-list"),
        pytest.param("> 1. ", ">    ", id="in-a-list-in-a-quote"),
    ],
)
def test_cells_that_a_table_has_no_column_for_stay(row, line, first, others):
    markdown = f"{first}| Option | Price |\n{others}|---|---|\n{others}{row}"

    assert plain(markdown).text == f"{first}Option | Price\n{others}{line}"


CODE = "def f():\n    return *args\n\n# not a heading"


@pytest.mark.parametrize(
    ("markdown", "text", "verbatim"),
    [
        pytest.param(
            f"Try:\n```python\n{CODE}\n```\ndone", f"Try:\n{CODE}\ndone", [CODE], id="fence"
        ),
        pytest.param(f"```\n{CODE}", CODE, [CODE], id="unclosed"),
        pytest.param("```python a.py\na\n```", "python a.py\na", ["python a.py\na"], id="named"),
        pytest.param("``` Sale today", "Sale today", ["Sale today"], id="only-a-name"),
        pytest.param("```\na\n```\n\n```\nb\n```", "a\n\nb", ["a", "b"], id="two"),
        pytest.param(
            "1. x\n   ```\n   a\n     b\n   ```",
            "1. x\n   a\n     b",
            ["   a\n     b"],
            id="in-a-list",
        ),
        pytest.param("> ```\n> a\n> b\n> ```", "> a\n> b", ["> a\n> b"], id="in-a-quote"),
        pytest.param("- ```\n  a\n  b\n  ```", "- a\n  b", ["- a\n  b"], id="first-in-an-item"),
    ],
)
def test_code_stays_as_it_is_and_is_pointed_out(markdown, text, verbatim):
    answer = plain(markdown)

    assert answer.text == text
    assert [answer.text[start:end] for start, end in answer.verbatim] == verbatim


@pytest.mark.parametrize(
    "absurd",
    [
        pytest.param("[" * 65536, id="brackets"),
        pytest.param("> " * 1000 + "deep", id="quotes-in-quotes"),
        pytest.param("- " * 1000 + "deep", id="lists-in-lists"),
        pytest.param("1. " * 1000 + "deep", id="numbers-in-numbers"),
        pytest.param(
            "\n".join(f"{'  ' * depth}- level {depth}" for depth in range(30)),
            id="list-of-30-levels",
        ),
    ],
)
def test_what_no_person_means_as_markdown_is_left_alone(absurd):
    assert plain(absurd).text == absurd


WORDS = st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=8)
MARKS = st.sampled_from(
    [" ", " ", " ", ", ", ". ", "\n", "\n\n", " - ", "? ", "! ", ": ", " (", ") ", " & ", "’", "_"]
)


@given(st.lists(st.tuples(WORDS, MARKS), max_size=40))
@settings(deadline=None)
def test_no_word_of_prose_is_lost_or_moved(prose):
    text = "".join(word + mark for word, mark in prose)

    assert re.findall(r"[^\W_]+", plain(text).text) == re.findall(r"[^\W_]+", text)


WORD = st.just("W")  # becomes a word that is there only once
SPACE = st.just(" ")
MARKER = st.sampled_from(
    ["*", "**", "_", "~~", "`", "``", "\\", "<", "</", ">", "<!--", "-->", "&", ";"]
)
BRACKET = st.sampled_from(
    ["[", "![", "](", "][", ")", "]: ", "](https://a.de/", ' "', '")', "(", "<b>"]
)
PIPE = st.sampled_from(["|", " | ", "\\|"])
LINE = st.one_of(
    st.lists(WORD | SPACE | MARKER | BRACKET | PIPE, max_size=9).map("".join),
    st.lists(WORD, min_size=1, max_size=4).map(" | ".join),
    st.sampled_from(["W | W\n-|-", "[^1]: W", '[W](https://a.de "W")', "[W]: https://a.de 'W'"]),
    st.sampled_from(
        ["---", "* * *", "```", "``` W W", "~~~", "~~~ W", "|---|---|", "<div>", "W\n==="]
    ),
)
BEFORE = st.sampled_from(
    ["", "", "# ", "> ", "> > ", "- ", "  ", "  - ", "1. ", "   ", "    ", "\t"]
)
AFTER = st.sampled_from(["\n", "\n", "\n", "\n\n", "  \n", "\\\n"])
# The one word after a fence names the language that follows.
LANGUAGE = re.compile(r"(?<=```)`*[ \t]*\S+[ \t]*$", re.MULTILINE)
COMMENT = re.compile("<!--.*?-->", re.DOTALL)
LETTERS = str.maketrans("0123456789", "abcdefghij")


def with_words(markdown):
    """Return *markdown* with another word for every `W`."""
    count = itertools.count()
    return re.sub("W", lambda _: f"w{next(count):03}".translate(LETTERS), markdown)


@given(st.lists(st.tuples(BEFORE, LINE, AFTER).map("".join), max_size=12).map("".join))
@settings(deadline=None, max_examples=300)
def test_no_word_of_markdown_is_lost_or_doubled(template):
    markdown = with_words(template)
    words = re.findall("w[a-j]{3}", COMMENT.sub("", LANGUAGE.sub("", markdown)))

    text = plain(markdown).text.replace("\u0336", "")  # a word struck through is there

    assert [word for word in words if text.count(word) != 1] == []


SIGNS = st.sampled_from(
    [
        "a",
        "1",
        " ",
        "\n",
        "\n\n",
        "*",
        "**",
        "***",
        "_",
        "~~",
        "`",
        "``",
        "```\n",
        "\\",
        "[",
        "]",
        "(",
        ")",
        "](",
        "![",
        "<",
        ">",
        "- ",
        "1. ",
        "# ",
        "$",
        "$$",
        "\\(",
        "\\)",
        "{",
        "}",
        "&amp;",
        "<br>",
        "</b>",
        "<b>",
        "<a href=b>",
        "</a>",
        "<!--",
        "-->",
        "[1]",
        "[^1]",
        "[^1]: ",
        "[a]: http://b",
        "http://b",
        "@a",
        "【1†a】",
        "́",
        "\u200d",
        "\t",
    ]
)


@given(st.lists(SIGNS, max_size=25).map("".join))
@settings(deadline=None, max_examples=300)
def test_no_mix_of_signs_is_too_odd(markdown):
    answer = plain(markdown)

    assert all(0 <= start <= end <= len(answer.text) for start, end in answer.verbatim)


@given(st.text(alphabet="ab1 \n*_~`#>-+[]()!|<&;.:@\\/", max_size=60))
@settings(deadline=None)
def test_no_markdown_is_too_odd(markdown):
    answer = plain(markdown)

    assert all(0 <= start <= end <= len(answer.text) for start, end in answer.verbatim)
