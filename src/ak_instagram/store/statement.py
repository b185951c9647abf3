"""
Statements that are compiled once and run on the driver itself.

SQLAlchemy writes the SQL for either dialect; executing it through SQLAlchemy as well
costs ten times what SQLite needs for it, and a turn takes a dozen statements.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import Any

from sqlalchemy import ClauseElement, Connection, Dialect

# Which columns a statement has is known when it first runs. To a type checker its rows are
# what their caller says they are (`rows.Held`).
_row_type: Callable[..., Any] = namedtuple


class Statement:
    """
    A statement with named parameters, for any connection.

    Its values go to the driver as they are: strings, integers and `None`. It can't
    have a list as a parameter; `run_many` takes its place.
    """

    def __init__(self, clause: ClauseElement) -> None:
        self._clause = clause
        self._compiled: dict[str, _Compiled] = {}

    def sql(self, dialect: Dialect) -> str:
        """Return it as *dialect* has it."""
        return self._compile(dialect).sql

    def rows(self, connection: Connection, **values: object) -> list[Any]:
        """Run it and return all rows, their columns as attributes."""
        cursor, compiled = self._execute(connection, values)
        rows: list[Any] = cursor.fetchall()
        if rows:
            rows = compiled.named(cursor, rows)
        cursor.close()
        return rows

    def row(self, connection: Connection, **values: object) -> Any | None:  # noqa: ANN401 - a row
        """Run it and return its first row, if it has one."""
        rows = self.rows(connection, **values)
        return rows[0] if rows else None

    def value(self, connection: Connection, **values: object) -> Any:  # noqa: ANN401 - a column's
        """Run it and return the first column of its first row, `None` if it has no row."""
        row = self.row(connection, **values)
        return None if row is None else row[0]

    def run(self, connection: Connection, **values: object) -> int:
        """Run it and return how many rows it changed."""
        cursor, _ = self._execute(connection, values)
        count: int = cursor.rowcount
        cursor.close()
        return count

    def run_many(self, connection: Connection, values: Sequence[Mapping[str, object]]) -> None:
        """Run it once for each of *values*."""
        if not values:
            return
        compiled = self._compile(connection.dialect)
        cursor = connection.connection.cursor()
        cursor.executemany(compiled.sql, [compiled.arguments(each) for each in values])
        cursor.close()

    def _execute(
        self, connection: Connection, values: Mapping[str, object]
    ) -> tuple[Any, _Compiled]:
        compiled = self._compile(connection.dialect)
        cursor = connection.connection.cursor()
        cursor.execute(compiled.sql, compiled.arguments(values))
        return cursor, compiled

    def _compile(self, dialect: Dialect) -> _Compiled:
        compiled = self._compiled.get(dialect.name)
        if compiled is None:
            compiled = self._compiled[dialect.name] = _Compiled(self._clause, dialect)
        return compiled


class _Compiled:
    """A statement in a driver's words."""

    def __init__(self, clause: ClauseElement, dialect: Dialect) -> None:
        compiled: Any = clause.compile(dialect=dialect)
        self.sql = str(compiled)
        self._constants: Mapping[str, object] = {
            name: value
            for name, value in compiled.params.items()
            if not compiled.binds[name].required
        }
        self._pick = _picker(compiled.positiontup)
        self._make: Any = None

    def arguments(self, values: Mapping[str, object]) -> Sequence[object]:
        """Return *values* in the statement's order, with the constants that it has itself."""
        return self._pick({**self._constants, **values} if self._constants else values)

    def named(self, cursor: Any, rows: Sequence[Any]) -> list[Any]:  # noqa: ANN401 - the driver's
        """Return *rows* of *cursor* with their columns as attributes."""
        if self._make is None:
            names = [column[0] for column in cursor.description]
            self._make = _row_type("Row", names, rename=True)._make
        return list(map(self._make, rows))


def _picker(names: Sequence[str]) -> Callable[[Mapping[str, object]], Sequence[object]]:
    """Return a function that picks the values of *names*, in their order."""
    if len(names) > 1:  # a quarter of what a comprehension takes, a dozen times a turn
        return itemgetter(*names)
    return lambda values: [values[name] for name in names]
