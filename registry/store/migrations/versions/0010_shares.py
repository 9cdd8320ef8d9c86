"""Shares: some of a holder's credentials under one address.

Revision: 0010
Before: 0009
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "shares",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("show_name", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shares")),
    )
    op.create_index(op.f("ix_shares_holder_created_at"), "shares", ["holder", "created_at"])
    op.create_index(op.f("ix_shares_expires_at"), "shares", ["expires_at"])
    op.create_table(
        "shared_pages",
        sa.Column("share_id", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("page_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("share_id", "number", name=op.f("pk_shared_pages")),
    )
    op.create_index(op.f("ix_shared_pages_page_id"), "shared_pages", ["page_id"])


def downgrade() -> None:
    op.drop_table("shared_pages")
    op.drop_table("shares")
