"""
The store's history, one step a file; what is new is applied at the start.

A store that is new is made as the last step leaves it, at once: the steps are for those that
there are.

A step's file begins with its revision, and the last by name is the newest. Each step says
in `oldest` which revision's code can still work on the schema that it makes. It is kept in
the database for programs that are older than the schema: while an update rolls, and after a
rollback.
"""

from __future__ import annotations

import re
from pathlib import Path

from sqlalchemy import (
    Column,
    Connection,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    insert,
    inspect,
    select,
)

from ak_instagram.errors import StoreUnavailable
from ak_instagram.store.schema import compatibility, metadata

STEPS = Path(__file__).parent

# As Alembic makes it.
_version = Table(
    "alembic_version",
    MetaData(),
    Column("version_num", String(32), nullable=False),
    PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)


def migrate(connection: Connection, steps: Path = STEPS) -> None:
    """
    Bring the schema behind *connection* to the last of *steps*, inside its transaction.

    A newer schema is left as it is. Raises `errors.StoreUnavailable` if it is too new
    to be worked on.
    """
    known, found = _revisions(steps), _revision(connection)
    if found == known[-1]:
        return
    if found is None and steps == STEPS:
        _create(connection, known[-1])
        return
    if found is not None and found not in known:
        _refuse_too_new(connection, found, known[-1])
        return
    # Here and not above: Alembic takes longer to import than all the rest of the store, and
    # few starts have a step to apply.
    from .upgrading import upgrade

    upgrade(connection, steps)


def check(connection: Connection, steps: Path = STEPS) -> None:
    """
    Raise `errors.StoreUnavailable` unless this version's code can work on the schema.

    Nothing is changed: a service of another version may be working on it.
    """
    known, found = _revisions(steps), _revision(connection)
    if found is None:
        raise StoreUnavailable("there is no store here; has the service run yet?")
    if found not in known:
        _refuse_too_new(connection, found, known[-1])
    elif found != known[-1]:
        raise StoreUnavailable(
            f"the store is of revision {found}, and this version works on {known[-1]}: use the"
            " command of the version that runs, or start the service of this one first"
        )


def revisions(connection: Connection, steps: Path = STEPS) -> tuple[str | None, str]:
    """Return the schema's revision, `None` if there is no schema, and that of this version."""
    return _revision(connection), _revisions(steps)[-1]


def _create(connection: Connection, revision: str) -> None:
    """Make the schema of this version, whose last step is *revision*, where there is none."""
    metadata.create_all(connection, checkfirst=False)
    _version.create(connection)
    connection.execute(insert(_version).values(version_num=revision))
    [step] = (STEPS / "versions").glob(f"{revision}_*.py")
    declared = re.search(r'^oldest = "(\d+)"$', step.read_text(encoding="utf-8"), re.M)
    assert declared is not None
    connection.execute(insert(compatibility).values(oldest=declared[1]))


def _revisions(steps: Path) -> list[str]:
    """Return the revisions of *steps*, oldest first."""
    return sorted(file.name.partition("_")[0] for file in (steps / "versions").glob("*.py"))


def _revision(connection: Connection) -> str | None:
    """Return the revision of the schema, `None` if there is none."""
    if not inspect(connection).has_table(_version.name):
        return None
    found: str | None = connection.execute(select(_version.c.version_num)).scalar_one_or_none()
    return found


def _refuse_too_new(connection: Connection, found: str, ours: str) -> None:
    """Raise unless the schema, of the unknown revision *found*, suits the code of *ours*."""
    oldest = connection.execute(select(compatibility.c.oldest)).scalar_one()
    if ours < oldest:
        raise StoreUnavailable(
            f"a newer version has migrated the store (to revision {found}), and this version"
            f" (of revision {ours}) can't work on it: start one of revision {oldest} or later,"
            " or restore the backup from before"
        )
