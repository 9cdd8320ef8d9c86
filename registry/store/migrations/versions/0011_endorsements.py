"""Whom endorsements are about.

Revision: 0011
Before: 0010
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "endorsements",
        sa.Column("batch_seq", sa.BigInteger(), nullable=False),
        sa.Column("entry_index", sa.BigInteger(), nullable=False),
        sa.Column("issuer", sa.LargeBinary(), nullable=False),
        sa.Column("subject_sha256", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("batch_seq", "entry_index", name=op.f("pk_endorsements")),
    )
    op.create_index(op.f("ix_endorsements_subject_sha256_issuer"), "endorsements", ["subject_sha256", "issuer"])


def downgrade() -> None:
    op.drop_table("endorsements")
