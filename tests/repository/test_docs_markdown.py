"""The person sees of Markdown what docs/agents.md says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ak_instagram.agents.agent import Text
from ak_instagram.reply.plan import plan_answer

DOCUMENT = Path(__file__).parents[2] / "docs/agents.md"
SECTION = re.compile(r"\n## What of Markdown the person sees\n(.*?)\n## ", re.DOTALL)


def examples():
    """Return the pairs of the table: what the agent writes, what the person sees."""
    section = SECTION.search(DOCUMENT.read_text())
    assert section is not None
    rows = [
        re.split(r"(?<!\\)\|", line)[1:3]
        for line in section[1].splitlines()
        if line.startswith("| `")
    ]
    for row in rows:
        written, seen = (re.findall(r"`([^`]+)`", cell.replace("\\|", "|")) for cell in row)
        yield from zip(written, seen, strict=True)


EXAMPLES = list(examples())


@pytest.mark.parametrize(("written", "seen"), EXAMPLES)
def test_the_person_sees_what_the_docs_say(written, seen):
    assert [message["text"] for message in plan_answer([Text(written)]).messages] == [seen]


def test_the_docs_have_examples():
    assert len(EXAMPLES) > 15
