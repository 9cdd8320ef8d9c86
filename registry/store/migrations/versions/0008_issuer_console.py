"""Sessions and drafts of the issuers' console.

Revision: 0008
Before: 0007
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "console_sessions",
        sa.Column("token_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("token_sha256", name=op.f("pk_console_sessions")),
    )
    op.create_index(
        op.f("ix_console_sessions_key_id_created_at"), "console_sessions", ["key_id", "created_at"]
    )
    op.create_index(op.f("ix_console_sessions_created_at"), "console_sessions", ["created_at"])
    op.create_table(
        "console_drafts",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("issuer", sa.LargeBinary(), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("made", sa.Text(), nullable=True),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_console_drafts")),
    )
    op.create_index(
        op.f("ix_console_drafts_key_id_created_at"), "console_drafts", ["key_id", "created_at"]
    )
    op.create_index(op.f("ix_console_drafts_created_at"), "console_drafts", ["created_at"])


def downgrade() -> None:
    op.drop_table("console_drafts")
    op.drop_table("console_sessions")
