"""The migrations of a version that is to come."""

from __future__ import annotations

import shutil
from pathlib import Path

from ak_instagram.store.migrations import STEPS

NEWEST = max(path.name.partition("_")[0] for path in (STEPS / "versions").glob("*.py"))
"""The revision of this version."""

_NEXT = '''
"""A step of a version that is to come."""
import sqlalchemy as sa
from alembic import op
revision = "9999"
down_revision = "{last}"
branch_labels = depends_on = None
oldest = "{oldest}"
def upgrade() -> None:
    op.add_column("{table}", sa.Column("mood", sa.Text))
'''


def next_steps(folder: Path, *, last: str, oldest: str, table: str = "events") -> Path:
    """Return all steps up to *last* and one that changes *table*; code of *oldest* will do."""
    steps = Path(shutil.copytree(STEPS, folder / "steps"))
    step = _NEXT.format(last=last, oldest=oldest, table=table)
    (steps / "versions" / "9999_next.py").write_text(step)
    return steps
