"""
Statements that are compiled once and run on the driver itself.

SQLAlchemy writes the SQL for either dialect; executing it through SQLAlchemy as well
costs ten times what SQLite needs for it, and a turn takes a dozen statements.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import Any, NamedTuple, TypeAlias

from sqlalchemy import ClauseElement, Dialect

from .database import Tx

# A row's columns in the statement's order, as the driver has them.
Row: TypeAlias = Sequence[Any]


class Compiled(NamedTuple):
    """A statement in one driver's words: its SQL, its own values, and the order of all."""

    sql: str
    constants: Mapping[str, object]
    arguments: Callable[[Mapping[str, object]], Sequence[object]]


class Statement:
    """
    A statement with named parameters, for any transaction.

    Its values go to the driver as they are: strings, integers and `None`. A list can't be
    a parameter.
    """

    def __init__(self, clause: ClauseElement) -> None:
        self._clause = clause
        self._compiled: dict[str, Compiled] = {}

    def rows(self, tx: Tx, /, **values: object) -> Sequence[Row]:
        """Run it and return all rows."""
        connection = tx.connection
        known = self._compiled.get(connection.dialect.name)
        sql, constants, arguments = known or self.compile(connection.dialect)
        cursor = connection.connection.cursor()
        cursor.execute(sql, arguments({**constants, **values}))
        rows = cursor.fetchall()
        cursor.close()
        return rows

    def row(self, tx: Tx, /, **values: object) -> Row | None:
        """Run it and return its first row, if it has one."""
        rows = self.rows(tx, **values)
        return rows[0] if rows else None

    def value(self, tx: Tx, /, **values: object) -> Any:  # noqa: ANN401 - a column's
        """Run it and return the first column of its first row, `None` if it has no row."""
        rows = self.rows(tx, **values)
        return rows[0][0] if rows else None

    def run(self, tx: Tx, /, **values: object) -> int:
        """Run it and return how many rows it changed."""
        connection = tx.connection
        known = self._compiled.get(connection.dialect.name)
        sql, constants, arguments = known or self.compile(connection.dialect)
        cursor = connection.connection.cursor()
        cursor.execute(sql, arguments({**constants, **values}))
        count = cursor.rowcount
        cursor.close()
        return count

    def run_in_order(self, tx: Tx, /, values: Sequence[object]) -> int:
        """Run it with *values* in its order and no names, for very many of them."""
        known = self._compiled.get(tx.connection.dialect.name)
        sql, _, _ = known or self.compile(tx.connection.dialect)
        cursor = tx.connection.connection.cursor()
        cursor.execute(sql, values)
        count = cursor.rowcount
        cursor.close()
        return count

    def run_many(self, tx: Tx, /, values: Sequence[Mapping[str, object]]) -> None:
        """Run it once for each of *values*."""
        if not values:
            return
        sql, constants, arguments = self.compile(tx.connection.dialect)
        cursor = tx.connection.connection.cursor()
        cursor.executemany(sql, [arguments({**constants, **each}) for each in values])
        cursor.close()

    def compile(self, dialect: Dialect) -> Compiled:
        """Return it as *dialect* has it."""
        known = self._compiled.get(dialect.name)
        if known is not None:
            return known
        compiled: Any = self._clause.compile(dialect=dialect)
        binds = compiled.binds
        constants = {name: it for name, it in compiled.params.items() if not binds[name].required}
        names: Sequence[str] = compiled.positiontup
        arguments: Callable[[Mapping[str, object]], Sequence[object]] = (
            itemgetter(*names)  # a quarter of what a comprehension takes, a dozen times a turn
            if len(names) > 1
            else lambda values: tuple(map(values.__getitem__, names))
        )
        self._compiled[dialect.name] = Compiled(str(compiled), constants, arguments)
        return self._compiled[dialect.name]
