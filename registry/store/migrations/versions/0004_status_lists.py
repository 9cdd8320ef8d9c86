"""Status lists, and what ties awards to them.

Revision: 0004
Before: 0003
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "status_lists",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("issuer", sa.LargeBinary(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("used", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("taken", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_status_lists")),
    )
    op.create_index(op.f("ix_status_lists_issuer_used"), "status_lists", ["issuer", "used"], unique=False)
    op.add_column("awards", sa.Column("credential_id", sa.Text(), nullable=True))
    op.create_index(
        "uq_awards_status",
        "awards",
        ["status_list", "status_index"],
        unique=True,
        sqlite_where=sa.text("status_list IS NOT NULL"),
        postgresql_where=sa.text("status_list IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index("uq_awards_status", table_name="awards")
    op.drop_column("awards", "credential_id")
    op.drop_table("status_lists")
