"""Leftovers of the machinery around a model: tokens, tool calls, roles, marks of sources."""

# ruff: noqa: RUF001 - people write in their own scripts

from __future__ import annotations

import re

_TOOL = r"(?:tool_calls?|tool_use|tool_response|tool_result|function_calls?|function_results?)"
_CALLS = "tool▁calls▁"

# Each is looked for only in a text that has its sign.
_LEFTOVERS = tuple(
    (sign, tuple(re.compile(pattern, re.DOTALL) for pattern in patterns))
    for sign, patterns in {
        "†": (r"[ \t]?【[^【】\n]{0,40}†[^【】\n]{0,200}】",),
        "\ue200": (r"[ \t]?\ue200[^\ue200\ue201\n]{0,400}\ue201?",),
        "cit": (
            r"[ \t]?cite(?:turn\d+[a-z]+\d+)+",
            r"[ \t]?\[(?:citation|cite):[ \t]*[\d, \t]+\]|\[cite_(?:start|end)\]",
            r"[ \t]?:contentReference\[oaicite:\d+\](?:\{index=\d+\})?",
        ),
        "[": (
            r"\[TOOL_CALLS\][ \t]*"
            r"(?:\[\{[^\n]{0,2000}\}\]|\w{1,64}[ \t]*\{[^\n]{0,2000}\})?\s*",
            r"\[/?INST\][ \t]*",
        ),
        "<": (
            rf"<({_TOOL})(?:\s[^<>]*)?>(?:(?!<\1[\s>]).)*?</\1>\s*",
            r"<\|(?:start|im_start|start_header_id)\|>\s*(?:assistant|model)\b",
            r"<\|channel\|>\s*final\b|<\|[a-z_]{2,40}\|>[ \t]*",
            rf"<｜{_CALLS}begin｜>(?:(?!<｜{_CALLS}begin).)*?<｜{_CALLS}end｜>",
            r"<｜[^<>｜\n]{1,60}｜>",
            r"</?co: ?[\d, ]{1,40}>",
            r"<start_of_turn>(?:model)?\s*|<end_of_turn>",
            r"\A\s*<s>|</s>(?=\s*\Z)",
        ),
    }.items()
)
ROLES = "|".join(
    (
        "Assistant", "AI Assistant", "AI", "Chatbot", "Bot",
        "Asistente", "Assistente", "Assistent", "Assistante", "Asistan",
        "Asisten", "Ассистент", "Асистент", "助手", "助理",
        "アシスタント", "어시스턴트", "المساعد", "העוזר", "सहायक",
        "ผู้ช่วย", "Trợ lý",
    )
)  # fmt: skip
"""The names that a model may put in front of its answer, as a pattern."""
_ROLE = re.compile(rf"\s*(?:#{{1,6}}[ ]*)?(\**)(?:{ROLES})[ ]?(?:\1[ ]?[:：]|[:：]\1)\s*(?=\S)")
# What a fence calls Markdown is the answer itself, or a part of it.
_FENCED = re.compile(
    r"(?:(?<=\n)|\A)(`{3,}+)(?:markdown|md)[ \t]*+\n((?:(?!\n```).)*)\n\1[ \t]*+(?=\n|\Z)",
    re.DOTALL,
)


def without_leftovers(answer: str) -> str:
    """Return *answer* without what no model means a person to read."""
    text = answer
    for sign, leftovers in _LEFTOVERS:
        if sign in text:
            for leftover in leftovers:
                text = leftover.sub("", text)
    if role := _ROLE.match(text):
        text = text[role.end() :]
    return _FENCED.sub(r"\2", text) if "```m" in text else text


# --- marks of sources and notes: which of them tell a customer something -----

_NUMBER = re.compile(r"\[([1-9]\d?)\]")
# Where a source is cited: behind words, at the end of what they say.
_CITED = re.compile(
    r"""
    (?<=[^\s\[\](]) [ \t]?
    (?: \[[1-9]\d?\] (?:,?[ ]?(?=\[[1-9]))? )+
    (?= [ \t]*(?:[.,;:!)。，、；：！）،؛۔।]|\n|\Z)
      | (?<=[.!?。！？۔।]\[\d\]) | (?<=[.!?。！？۔।]\[\d\d\]) | (?<=[.!?。！？۔।][ ]\[\d\]) )
    """,
    re.VERBOSE,
)
_AZURE = re.compile(r"[ \t]?\[doc ?\d{1,2}\](?!\()")
_FOOT_NOTE = re.compile(r"\n[ \t>]*\[\^([^\[\]\s]{1,40}+)\]:")


def without_citations(text: str) -> str:
    """
    Return *text* without the numbers of sources that it does not list.

    They stay if any of them may mean something else: a choice, a place in a list.
    """
    if "[doc" in text:
        text = _AZURE.sub("", text)
    numbers = _NUMBER.findall(text)
    if "1" not in numbers:
        return text
    bare = _CITED.sub("", text)
    return text if _NUMBER.search(bare) else bare


def footnotes(text: str) -> frozenset[str]:
    """Return the labels of the notes that *text* has at its foot."""
    return frozenset(_FOOT_NOTE.findall(text)) if "[^" in text else frozenset()
