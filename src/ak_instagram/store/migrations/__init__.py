"""
The store's history, one step a file; applied at every start.

Each step says in `oldest` which revision's code can still work on the schema that it
makes. It is kept in the database for programs that are older than the schema: while an
update rolls, and after a rollback.
"""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, delete, insert, select

from ak_instagram.errors import StoreUnavailable
from ak_instagram.store.schema import compatibility

STEPS = Path(__file__).parent


def migrate(connection: Connection, steps: Path = STEPS) -> None:
    """
    Bring the schema behind *connection* to the last of *steps*, inside its transaction.

    A newer schema is left as it is. Raises `errors.StoreUnavailable` if it is too new
    to be worked on.
    """
    config = _config(connection, steps)
    scripts = ScriptDirectory.from_config(config)
    found = MigrationContext.configure(connection).get_current_revision()
    if found is None or _is_known(scripts, found):
        command.upgrade(config, "head")
        last = scripts.get_revision("head")
        connection.execute(delete(compatibility))
        connection.execute(insert(compatibility).values(oldest=last.module.oldest))
    else:
        _refuse_too_new(connection, found, scripts.get_current_head() or "")


def check(connection: Connection, steps: Path = STEPS) -> None:
    """
    Raise `errors.StoreUnavailable` unless this version's code can work on the schema.

    Nothing is changed: a service of another version may be working on it.
    """
    scripts = ScriptDirectory.from_config(_config(connection, steps))
    found = MigrationContext.configure(connection).get_current_revision()
    ours = scripts.get_current_head() or ""
    if found is None:
        raise StoreUnavailable("there is no store here; has the service run yet?")
    if not _is_known(scripts, found):
        _refuse_too_new(connection, found, ours)
    elif found != ours:
        raise StoreUnavailable(
            f"the store is of revision {found}, and this version works on {ours}: use the"
            " command of the version that runs, or start the service of this one first"
        )


def _config(connection: Connection, steps: Path) -> Config:
    """Return what Alembic wants to be told; `env.py` takes the connection from it."""
    config = Config()
    config.set_main_option("script_location", str(steps))
    config.attributes["connection"] = connection
    return config


def _is_known(scripts: ScriptDirectory, revision: str) -> bool:
    try:
        return scripts.get_revision(revision) is not None
    except CommandError:
        return False


def _refuse_too_new(connection: Connection, found: str, ours: str) -> None:
    """Raise unless the schema, of the unknown revision *found*, suits the code of *ours*."""
    oldest = connection.execute(select(compatibility.c.oldest)).scalar_one()
    if ours < oldest:
        raise StoreUnavailable(
            f"a newer version has migrated the store (to revision {found}), and this version"
            f" (of revision {ours}) can't work on it: start one of revision {oldest} or later,"
            " or restore the backup from before"
        )
