"""Tables in the documents are those that the code prints."""

from __future__ import annotations

from ak_instagram.meta.graph.codes import RULES, ErrorClass
from qa.tables import (
    AGENTS,
    CONFORMANCE,
    DECISIONS,
    RELIABILITY,
    RICH,
    between,
    decision_table,
    rich_table,
)
from tests.support.dialects import conformance_table


def test_the_table_of_deliverys_decisions_is_printed_from_code():
    printed = between(RELIABILITY.read_text(encoding="utf-8"), DECISIONS)

    assert printed == decision_table(), "run `python -m qa.tables`"


def test_the_table_of_deliverys_decisions_has_every_kind_of_error():
    rows = decision_table().splitlines()

    missing = [
        name for name in ErrorClass if not any(row.startswith(f"| `{name}` ") for row in rows)
    ]
    changing = [rule.meaning for rule in RULES.values() if rule.failures is not None]
    assert missing == []
    assert all(any(meaning in row for row in rows) for meaning in changing)


def test_the_table_of_instagrams_limits_is_printed_from_code():
    printed = between(AGENTS.read_text(encoding="utf-8"), RICH)

    assert printed == rich_table(), "run `python -m qa.tables`"


def test_the_table_of_what_adapters_make_of_trouble_is_printed_from_the_tests():
    printed = between(AGENTS.read_text(encoding="utf-8"), CONFORMANCE)

    assert printed == conformance_table(), "run `python -m qa.tables`"
