"""Formulas in LaTeX as a line that people read."""

# ruff: noqa: RUF001 - formulas have characters of their own

from __future__ import annotations

import re

_ROUNDS = 4  # braces in braces in braces: nobody asks a shop for more

_SYMBOLS = {
    "times": "×", "cdot": "·", "div": "÷", "pm": "±", "mp": "∓", "ast": "*",
    "approx": "≈", "sim": "~", "neq": "≠", "ne": "≠", "leq": "≤", "le": "≤", "geq": "≥",
    "ge": "≥", "lt": "<", "gt": ">", "equiv": "≡", "propto": "∝", "infty": "∞",
    "rightarrow": "→", "to": "→", "Rightarrow": "⇒", "implies": "⇒", "leftarrow": "←",
    "sum": "∑", "prod": "∏", "int": "∫", "partial": "∂", "Delta": "Δ", "delta": "δ",
    "alpha": "α", "beta": "β", "gamma": "γ", "theta": "θ", "lambda": "λ", "mu": "µ",
    "pi": "π", "rho": "ρ", "sigma": "σ", "Sigma": "Σ", "phi": "φ", "omega": "ω", "Omega": "Ω",
    "circ": "°", "degree": "°", "euro": "€", "pounds": "£", "ldots": "…", "dots": "…",
    "cdots": "…", "checkmark": "✓", "quad": " ", "qquad": " ", "left": "", "right": "",
    "displaystyle": "", "big": "", "Big": "", "limits": "",
}  # fmt: skip
_RAISED = str.maketrans("0123456789+-=()nix", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ⁿⁱˣ")
_LOWERED = str.maketrans("0123456789+-=()", "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎")

_WORDS = re.compile(
    r"\\(?:text|textbf|textit|mathrm|mathbf|mathit|mbox|boxed|operatorname)\s*\{([^{}]*)\}"
)
_FRACTION = re.compile(r"\\[dt]?frac\s*\{([^{}]*)\}\s*\{([^{}]*)\}")
_ROOT = re.compile(r"\\sqrt\s*\{([^{}]*)\}")
_SCRIPT = re.compile(r"([\^_])(?:\{([^{}]*)\}|\\(circ) ?|(\w))")
_ENVIRONMENT = re.compile(r"\\(?:begin|end)\s*\{[^{}]*\}")
_COMMAND = re.compile(r"\\(?:([A-Za-z]+) ?|\\[ \t]*|(.))", re.DOTALL)
_ALIGNMENT = re.compile(r"(?<!\\)&")
_SPACES = re.compile(r"[ \t~]{2,}|~")

_ENDS = {"(": "\\)", "[": "\\]"}
_MAX_FORMULA = 800  # characters
_DISPLAYED = re.compile(r"\$\$([^$]{1,800}+)\$\$")
_DOLLARS = re.compile(r"\$(?=\S)([^$\n]{1,200}+)(?<=\S)\$(?!\d)")
# An escaped bracket around words is no formula: it has no operator and no lone letter.
_FORMULA = re.compile(r"[\\^_={}+×÷]|^[\W\d_]*[^\W\d_]?[\W\d_]*$")


def is_formula(text: str) -> bool:
    """Return whether *text*, found between LaTeX's brackets, is one."""
    return bool(_FORMULA.search(text))


def formula_at(text: str, at: int) -> tuple[str, int] | None:
    """Return the formula that the backslash or dollar at *at* begins, spoken, and its end."""
    if text[at] == "$":
        displayed = _DISPLAYED.match(text, at)
        found = displayed or _DOLLARS.match(text, at)
        if found and (displayed or "\\" in found[1]):  # `$5 or 6$` are prices
            return spoken(found[1]), found.end()
        return None
    ends_with = _ENDS.get(text[at + 1 : at + 2])
    end = text.find(ends_with, at + 2, at + _MAX_FORMULA) if ends_with else -1
    if end > 0 and is_formula(formula := text[at + 2 : end]):
        return spoken(formula), end + 2
    return None


def spoken(formula: str) -> str:
    """Return *formula*, without what delimits it, in plain characters."""
    text = _ALIGNMENT.sub("", _ENVIRONMENT.sub("", formula))
    for _ in range(_ROUNDS):
        text = _WORDS.sub(r"\1", text)
        text = _SCRIPT.sub(_script, text)
        text = _FRACTION.sub(lambda it: f"{bracketed(it[1])}/{bracketed(it[2])}", text)
        text = _ROOT.sub(lambda root: f"√{bracketed(root[1])}", text)
    text = _COMMAND.sub(_command, text)
    return _SPACES.sub(" ", text.replace("{", "").replace("}", "")).strip()


def bracketed(term: str) -> str:
    """Return *term*, in brackets if it is more than a number or a name."""
    bare = term.strip()
    return f"({bare})" if re.search(r"[-+ ·×/=]|\\[a-z]", bare) else bare


def _script(found: re.Match[str]) -> str:
    if found[3] or found[2] == "\\circ":
        return "°"
    text = found[4] or found[2] or ""
    script = text.translate(_RAISED if found[1] == "^" else _LOWERED)
    is_whole = not any(it.isascii() for it in script)
    return script if is_whole else f"{found[1]}{bracketed(text)}"


def _command(found: re.Match[str]) -> str:
    name, sign = found[1], found[2]
    if name:
        symbol = _SYMBOLS.get(name, name)
        return f"{symbol} " if found[0].endswith(" ") and symbol else symbol
    if sign is None:
        return "\n"
    return " " if sign in ",;: " else "" if sign == "!" else sign
