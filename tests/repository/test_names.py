"""Names in `src` are found again: a class has one of its own, a docstring begins with its thing."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from pathlib import Path

SRC = Path(__file__).parents[2] / "src"
SIDE_BY_SIDE = 14  # modules; more of them are no overview

RIDDLE = re.compile(r"(What|Who|Whoever|Whose|How|Where|Which|That)\b")


def modules() -> dict[Path, ast.Module]:
    """Return all modules of both packages, parsed, by their path below `src`."""
    return {path.relative_to(SRC): ast.parse(path.read_text()) for path in SRC.rglob("*.py")}


def test_no_class_name_is_used_twice():
    places = defaultdict(list)
    for path, module in modules().items():
        for node in ast.walk(module):
            if isinstance(node, ast.ClassDef):
                places[node.name].append(f"{path}:{node.lineno}")

    assert {name: found for name, found in places.items() if len(found) > 1} == {}


def test_every_module_says_first_what_it_is():
    firsts = {path: ast.get_docstring(module) or "" for path, module in modules().items()}

    riddles = {str(path): line for path, line in firsts.items() if RIDDLE.match(line) or not line}
    assert riddles == {}, "a docstring's first word is its subject"


def test_no_folder_has_more_modules_than_can_be_seen_at_once():
    folders = defaultdict(list)
    for path in modules():
        if path.name != "__init__.py":
            folders[str(path.parent)].append(path.name)

    crowded = {folder: sorted(each) for folder, each in folders.items() if len(each) > SIDE_BY_SIDE}
    assert crowded == {}
