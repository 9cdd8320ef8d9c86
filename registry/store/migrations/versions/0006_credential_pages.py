"""Pages of credentials, the links by which they are claimed, and their holders.

Revision: 0006
Before: 0005
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "credential_pages",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("award_id", sa.Text(), nullable=False),
        sa.Column("visibility", sa.Text(), nullable=False),
        sa.Column("show_name", sa.Boolean(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_credential_pages")),
    )
    op.create_index(op.f("ix_credential_pages_award_id"), "credential_pages", ["award_id"], unique=True)
    op.create_index(op.f("ix_credential_pages_holder"), "credential_pages", ["holder"], unique=False)
    op.create_table(
        "claim_links",
        sa.Column("token_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("page_id", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("used_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("token_sha256", name=op.f("pk_claim_links")),
    )
    op.create_index(op.f("ix_claim_links_page_id"), "claim_links", ["page_id"], unique=False)
    op.create_index(op.f("ix_claim_links_expires_at"), "claim_links", ["expires_at"], unique=False)
    op.create_table(
        "holders",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_holders")),
    )
    op.create_table(
        "holder_tokens",
        sa.Column("token_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("token_sha256", name=op.f("pk_holder_tokens")),
    )
    op.create_index(op.f("ix_holder_tokens_holder_kind"), "holder_tokens", ["holder", "kind"], unique=False)
    op.create_index(op.f("ix_holder_tokens_expires_at"), "holder_tokens", ["expires_at"], unique=False)


def downgrade() -> None:
    for name in ("holder_tokens", "holders", "claim_links", "credential_pages"):
        op.drop_table(name)
