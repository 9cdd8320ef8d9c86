"""Designs of issuers' certificates.

Revision: 0007
Before: 0006
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "certificate_designs",
        sa.Column("issuer", sa.LargeBinary(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("logo_type", sa.Text(), nullable=True),
        sa.Column("logo", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("issuer", name=op.f("pk_certificate_designs")),
    )


def downgrade() -> None:
    op.drop_table("certificate_designs")
