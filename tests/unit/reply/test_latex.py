"""A formula is read as a line of plain characters."""

# ruff: noqa: RUF001 - formulas have characters of their own

from __future__ import annotations

import pytest

from ak_instagram.reply.latex import is_formula, spoken
from ak_instagram.reply.markdown import plain


@pytest.mark.parametrize(
    ("formula", "text"),
    [
        pytest.param(r"3 \times 12 = 36", "3 × 12 = 36", id="symbol"),
        pytest.param(r"\frac{3}{4}\text{ cup}", "3/4 cup", id="fraction-and-words"),
        pytest.param(r"\frac{a + b}{2}", "(a + b)/2", id="fraction-of-a-sum"),
        pytest.param(r"r^2, x^{10}, m^{n+k}", "r², x¹⁰, m^(n+k)", id="powers"),
        pytest.param(r"H_2O, 20^\circ C", "H₂O, 20°C", id="index-and-degrees"),
        pytest.param(r"\sqrt{16} = 4", "√16 = 4", id="root"),
        pytest.param(r"\boxed{\mathbf{36\,\text{€}}}", "36 €", id="boxes-in-boxes"),
        pytest.param(r"19\% \cdot 10 \approx 2", "19% · 10 ≈ 2", id="escaped-sign"),
        pytest.param(
            "\\begin{aligned} a &= 1 \\\\ b &= 2 \\end{aligned}", "a = 1 \nb = 2", id="lines"
        ),
        pytest.param(r"\left( 2 + 3 \right) \unknown", "( 2 + 3 ) unknown", id="unknown-command"),
    ],
)
def test_a_formula_has_plain_characters(formula, text):
    assert spoken(formula) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("x = 5", True, id="equation"),
        pytest.param("x", True, id="name"),
        pytest.param(r"15\%", True, id="percentage"),
        pytest.param("optional", False, id="word"),
        pytest.param("see below", False, id="words"),
    ],
)
def test_words_in_escaped_brackets_are_no_formula(text, expected):
    assert is_formula(text) is expected


@pytest.mark.parametrize(
    ("markdown", "text"),
    [
        pytest.param(r"That is \(3 \times 12\) €.", "That is 3 × 12 €.", id="round"),
        pytest.param("So:\n\\[ 2^3 = 8 \\]", "So:\n2³ = 8", id="square"),
        pytest.param("$$a_1 = 2$$", "a₁ = 2", id="two-dollars"),
        pytest.param(r"It is $4 \cdot 9$ now.", "It is 4 · 9 now.", id="one-dollar"),
        pytest.param(r"\(optional\) 1\)", "(optional) 1)", id="escaped-brackets"),
        pytest.param(r"from $5 to $10, \$7", "from $5 to $10, $7", id="prices"),
    ],
)
def test_formulas_are_found_in_answers(markdown, text):
    assert plain(markdown).text == text
