"""Keys that sign credentials, an issuer's address for mail, and the URI of a profile set on chain.

Revision: 0002
Before: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "signing_keys",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("issuer", sa.LargeBinary(), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("retired_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_signing_keys")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_signing_keys_public_key"), "signing_keys", ["public_key"], unique=True)
    op.create_index(op.f("ix_signing_keys_issuer_id"), "signing_keys", ["issuer", "id"], unique=False)
    op.create_index(
        "uq_signing_keys_current",
        "signing_keys",
        ["issuer", "kind"],
        unique=True,
        sqlite_where=sa.text("retired_at IS NULL"),
        postgresql_where=sa.text("retired_at IS NULL"),
    )
    op.add_column("issuers", sa.Column("email", sa.Text(), nullable=True))
    op.add_column("operations", sa.Column("call_uri", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("operations", "call_uri")
    op.drop_column("issuers", "email")
    op.drop_index("uq_signing_keys_current", table_name="signing_keys")
    op.drop_index(op.f("ix_signing_keys_issuer_id"), table_name="signing_keys")
    op.drop_index(op.f("ix_signing_keys_public_key"), table_name="signing_keys")
    op.drop_table("signing_keys")
