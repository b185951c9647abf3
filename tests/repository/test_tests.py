"""The tests use what everyone may use: they neither reach into our code nor replace parts of it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
OURS = ("ak_instagram", "instagram_simulator", "qa", "tests")
LONGEST_NAME = 80

# Names with an underscore in front that are not ours.
FOREIGN = {
    "_replace",  # public: a namedtuple's own names must not clash with its fields'
    "_labelnames",  # prometheus_client shows the labels of a metric without samples nowhere else
}


def objections(source: str) -> list[str]:
    """Return each place of *source* that a test has no business with: the line, and why."""
    tree = ast.parse(source)
    roots = imported_roots(tree)
    found = [*private_names(tree), *patches(tree, roots), *assignments(tree, roots)]
    return [f"{line}: {why}" for line, why in sorted(found)]


def is_ours(module: str | None) -> bool:
    return module is not None and module.partition(".")[0] in OURS


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__") and name not in FOREIGN


def imported_roots(tree: ast.Module) -> dict[str, str]:
    """Return the modules behind imported names, by the names."""
    roots: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            roots |= {each.asname or each.name: node.module or "" for each in node.names}
        elif isinstance(node, ast.Import):
            roots |= {each.asname or each.name.partition(".")[0]: each.name for each in node.names}
    return roots


def private_names(tree: ast.Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and is_ours(node.module):
            for each in node.names:
                if is_private(each.name):
                    yield node.lineno, f"imports {node.module}.{each.name}"
        elif (
            isinstance(node, ast.Attribute)
            and is_private(node.attr)
            and not (isinstance(node.value, ast.Name) and node.value.id in ("self", "cls"))
        ):
            yield node.lineno, f"reaches into {ast.unparse(node)}"


def patches(tree: ast.Module, roots: dict[str, str]) -> Iterator[tuple[int, str]]:
    """Yield what is replaced, unless it belongs to another's module."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom) and "mock" in ast.unparse(node):
            yield node.lineno, ast.unparse(node)
        elif (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in ("setattr", "delattr")
            and not is_foreign(node.args[0], roots)
        ):
            yield node.lineno, f"patches {ast.unparse(node.args[0])}"


def is_foreign(target: ast.expr, roots: dict[str, str]) -> bool:
    if isinstance(target, ast.Constant):
        return not is_ours(str(target.value))
    root = root_of(target)
    return root in roots and not is_ours(roots[root])


def root_of(target: ast.expr) -> str | None:
    while isinstance(target, ast.Attribute):
        target = target.value
    return target.id if isinstance(target, ast.Name) else None


def assignments(tree: ast.Module, roots: dict[str, str]) -> Iterator[tuple[int, str]]:
    """Yield what is set in our modules and classes from outside."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store | ast.Del):
            root = root_of(node)
            if root in roots and is_ours(roots[root]):
                yield node.lineno, f"sets {ast.unparse(node)}"


@pytest.mark.parametrize(
    ("source", "why"),
    [
        pytest.param("from ak_instagram.logs import _mask", "imports", id="private-import"),
        pytest.param("from qa.support import _port", "imports", id="private-import-from-qa"),
        pytest.param("store._leases.claim()", "reaches into", id="private-attribute"),
        pytest.param("Bench(url)._open()", "reaches into", id="private-method"),
        pytest.param("from unittest import mock", "mock", id="mock"),
        pytest.param("from unittest.mock import patch", "mock", id="patch"),
        pytest.param(
            "from ak_instagram import logs\nmonkeypatch.setattr(logs, 'log', 1)",
            "patches",
            id="patched-module",
        ),
        pytest.param(
            "monkeypatch.setattr('ak_instagram.logs.log', 1)", "patches", id="patched-by-name"
        ),
        pytest.param("monkeypatch.setattr(store, 'run', 1)", "patches", id="patched-object"),
        pytest.param("from qa import tables\ntables.DECISIONS = 1", "sets", id="set-in-a-module"),
    ],
)
def test_what_a_test_has_no_business_with_is_found(source, why):
    [objection] = objections(source)

    assert why in objection


@pytest.mark.parametrize(
    "source",
    [
        pytest.param("self._left = 1", id="its-own-state"),
        pytest.param("event._replace(at=1)", id="a-namedtuples-method"),
        pytest.param("from ak_instagram import __version__", id="dunder"),
        pytest.param("import asyncpg\nmonkeypatch.setattr(asyncpg.Connection, 'x', 1)", id="other"),
        pytest.param("monkeypatch.setenv('A', '1')", id="environment"),
        pytest.param("clock.now = 5", id="a-fakes-state"),
    ],
)
def test_what_a_test_may_do_is_not_objected_to(source):
    assert objections(source) == []


def test_no_test_reaches_into_our_code_or_patches_it():
    found = {
        str(path.relative_to(TESTS)): lines
        for path in sorted(TESTS.rglob("*.py"))
        if (lines := objections(path.read_text()))
    }

    assert found == {}, "what a test has to control is an argument"


def test_names_of_tests_can_be_read_at_once():
    names = [
        node.name
        for path in TESTS.rglob("test_*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]

    assert [name for name in names if len(name) > LONGEST_NAME] == []
