"""Achievements' drawings in pixels, drawn once where they are taken.

Revision: 0012
Before: 0011
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("achievement_images", sa.Column("pixels", sa.LargeBinary(), nullable=True))


def downgrade() -> None:
    op.drop_column("achievement_images", "pixels")
