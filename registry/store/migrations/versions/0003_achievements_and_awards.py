"""Achievements and awards.

Revision: 0003
Before: 0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "achievements",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("issuer", sa.LargeBinary(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", "version", name=op.f("pk_achievements")),
    )
    op.create_index(
        op.f("ix_achievements_issuer_id_version"), "achievements", ["issuer", "id", "version"], unique=False
    )
    op.create_table(
        "awards",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("issuer", sa.LargeBinary(), nullable=False),
        sa.Column("batch_seq", sa.BigInteger(), nullable=False),
        sa.Column("entry_index", sa.BigInteger(), nullable=False),
        sa.Column("achievement_id", sa.Text(), nullable=False),
        sa.Column("achievement_version", sa.BigInteger(), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=True),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=True),
        sa.Column("status_list", sa.Text(), nullable=True),
        sa.Column("status_index", sa.BigInteger(), nullable=True),
        sa.Column("supersedes", sa.Text(), nullable=True),
        sa.Column("superseded_by", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_awards")),
    )
    op.create_index(
        op.f("ix_awards_batch_seq_entry_index"), "awards", ["batch_seq", "entry_index"], unique=True
    )
    op.create_index(
        op.f("ix_awards_issuer_batch_seq_entry_index"),
        "awards",
        ["issuer", "batch_seq", "entry_index"],
        unique=False,
    )
    op.create_index(
        op.f("ix_awards_issuer_achievement_id_batch_seq_entry_index"),
        "awards",
        ["issuer", "achievement_id", "batch_seq", "entry_index"],
        unique=False,
    )


def downgrade() -> None:
    op.drop_table("awards")
    op.drop_table("achievements")
