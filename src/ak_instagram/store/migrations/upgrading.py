"""Steps are applied by Alembic, which is imported here alone."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, delete, insert

from ak_instagram.store.schema import compatibility


def upgrade(connection: Connection, steps: Path) -> None:
    """Apply those of *steps* that are new, and write down what the last says of older programs."""
    config = Config()
    config.set_main_option("script_location", str(steps))
    config.attributes["connection"] = connection  # for `env.py`
    command.upgrade(config, "head")
    last = ScriptDirectory.from_config(config).get_revision("head")
    connection.execute(delete(compatibility))
    connection.execute(insert(compatibility).values(oldest=last.module.oldest))
