"""The registry's tables.

Revision: 0001
Before:
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "access_log",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_access_log")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "api_keys",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("issuer", sa.LargeBinary(), nullable=False),
        sa.Column("token_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_keys")),
    )
    op.create_index(op.f("ix_api_keys_issuer_created_at"), "api_keys", ["issuer", "created_at"], unique=False)
    op.create_index(op.f("ix_api_keys_token_sha256"), "api_keys", ["token_sha256"], unique=True)
    op.create_table(
        "batches",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("issuer", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=True),
        sa.Column("allow_duplicate", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("touched_at", sa.BigInteger(), nullable=False),
        sa.Column("sealed_at", sa.BigInteger(), nullable=True),
        sa.Column("awaiting_approval_of", sa.Text(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("anchor_transaction", sa.LargeBinary(), nullable=True),
        sa.Column("anchor_block", sa.BigInteger(), nullable=True),
        sa.Column("anchor_block_hash", sa.LargeBinary(), nullable=True),
        sa.Column("anchor_at", sa.BigInteger(), nullable=True),
        sa.Column("anchor_gas_used", sa.BigInteger(), nullable=True),
        sa.Column("anchor_fee_wei", sa.Text(), nullable=True),
        sa.Column("anchor_sender", sa.LargeBinary(), nullable=True),
        sa.Column("anchor_mode", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_batches")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_batches_id"), "batches", ["id"], unique=True)
    op.create_index(op.f("ix_batches_issuer_seq"), "batches", ["issuer", "seq"], unique=False)
    op.create_index(op.f("ix_batches_root"), "batches", ["root"], unique=False)
    op.create_index(op.f("ix_batches_state_seq"), "batches", ["state", "seq"], unique=False)
    op.create_index(
        "uq_batches_open",
        "batches",
        ["issuer"],
        unique=True,
        sqlite_where=sa.text("state = 'open'"),
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_table(
        "counters",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_counters")),
    )
    op.create_table(
        "entries",
        sa.Column("batch_seq", sa.BigInteger(), nullable=False),
        sa.Column("entry_index", sa.BigInteger(), nullable=False),
        sa.Column("method", sa.SmallInteger(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=True),
        sa.Column("salt", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("batch_seq", "entry_index", name=op.f("pk_entries")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_entries_digest"), "entries", ["digest"], unique=False)
    op.create_table(
        "entry_details",
        sa.Column("batch_seq", sa.BigInteger(), nullable=False),
        sa.Column("entry_index", sa.BigInteger(), nullable=False),
        sa.Column("issuer", sa.LargeBinary(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=True),
        sa.Column("valid_from", sa.BigInteger(), nullable=True),
        sa.Column("valid_until", sa.BigInteger(), nullable=True),
        sa.Column("document", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("batch_seq", "entry_index", name=op.f("pk_entry_details")),
    )
    op.create_index(
        op.f("ix_entry_details_issuer_external_id"), "entry_details", ["issuer", "external_id"], unique=True
    )
    op.create_table(
        "feed",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("issuer", sa.LargeBinary(), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_feed")),
    )
    op.create_index(op.f("ix_feed_issuer_id"), "feed", ["issuer", "id"], unique=False)
    op.create_table(
        "feed_cursors",
        sa.Column("consumer", sa.Text(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("consumer", name=op.f("pk_feed_cursors")),
    )
    op.create_table(
        "idempotency_keys",
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("claimed_until", sa.BigInteger(), nullable=False),
        sa.Column("resource", sa.Text(), nullable=True),
        sa.Column("status", sa.BigInteger(), nullable=True),
        sa.Column("answer_headers", sa.Text(), nullable=True),
        sa.Column("answer_body", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("owner", "key", name=op.f("pk_idempotency_keys")),
    )
    op.create_index(op.f("ix_idempotency_keys_created_at"), "idempotency_keys", ["created_at"], unique=False)
    op.create_table(
        "index_event_words",
        sa.Column("event_id", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("target", sa.LargeBinary(), nullable=False),
        sa.Column("mask", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("event_id", "position", name=op.f("pk_index_event_words")),
    )
    op.create_index(op.f("ix_index_event_words_target"), "index_event_words", ["target"], unique=False)
    op.create_table(
        "index_events",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("issuer", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("head", sa.LargeBinary(), nullable=False),
        sa.Column("block_number", sa.BigInteger(), nullable=False),
        sa.Column("block_hash", sa.LargeBinary(), nullable=False),
        sa.Column("transaction_hash", sa.LargeBinary(), nullable=False),
        sa.Column("log_index", sa.BigInteger(), nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=True),
        sa.Column("account", sa.LargeBinary(), nullable=True),
        sa.Column("reason", sa.BigInteger(), nullable=False),
        sa.Column("roles", sa.BigInteger(), nullable=False),
        sa.Column("valid_until", sa.BigInteger(), nullable=False),
        sa.Column("uri", sa.LargeBinary(), nullable=False),
        sa.Column("subject", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_index_events")),
    )
    op.create_index(op.f("ix_index_events_at_id"), "index_events", ["at", "id"], unique=False)
    op.create_index(
        op.f("ix_index_events_block_number_log_index"),
        "index_events",
        ["block_number", "log_index"],
        unique=True,
    )
    op.create_index(op.f("ix_index_events_issuer_id"), "index_events", ["issuer", "id"], unique=False)
    op.create_index(op.f("ix_index_events_kind_id"), "index_events", ["kind", "id"], unique=False)
    op.create_index(op.f("ix_index_events_subject"), "index_events", ["subject"], unique=False)
    op.create_table(
        "index_headers",
        sa.Column(
            "number",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("parent_hash", sa.LargeBinary(), nullable=False),
        sa.Column("timestamp", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_index_headers")),
    )
    op.create_table(
        "index_mismatches",
        sa.Column("issuer", sa.LargeBinary(), nullable=False),
        sa.Column("block_number", sa.BigInteger(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("issuer", name=op.f("pk_index_mismatches")),
    )
    op.create_table(
        "index_position",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("block_number", sa.BigInteger(), nullable=False),
        sa.Column("block_hash", sa.LargeBinary(), nullable=False),
        sa.Column("parent_hash", sa.LargeBinary(), nullable=False),
        sa.Column("timestamp", sa.BigInteger(), nullable=False),
        sa.Column("final_block", sa.BigInteger(), nullable=False),
        sa.Column("read_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_index_position")),
    )
    op.create_table(
        "issuers",
        sa.Column("address", sa.LargeBinary(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("hosted_admin", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("address", name=op.f("pk_issuers")),
    )
    op.create_table(
        "leases",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=True),
        sa.Column("token", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_leases")),
    )
    op.create_table(
        "meta",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_meta")),
    )
    op.create_table(
        "operations",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("issuer", sa.LargeBinary(), nullable=False),
        sa.Column("actor", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("batch_seq", sa.BigInteger(), nullable=True),
        sa.Column("request_id", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("effect_block", sa.BigInteger(), nullable=True),
        sa.Column("effect_hash", sa.LargeBinary(), nullable=True),
        sa.Column("effect_transaction", sa.LargeBinary(), nullable=True),
        sa.Column("call_kind", sa.Text(), nullable=False),
        sa.Column("call_issuer", sa.LargeBinary(), nullable=False),
        sa.Column("call_root", sa.LargeBinary(), nullable=True),
        sa.Column("call_changes", sa.LargeBinary(), nullable=False),
        sa.Column("call_reason", sa.BigInteger(), nullable=False),
        sa.Column("call_account", sa.LargeBinary(), nullable=True),
        sa.Column("call_roles", sa.BigInteger(), nullable=False),
        sa.Column("call_valid_until", sa.BigInteger(), nullable=False),
        sa.Column("call_consent_deadline", sa.Text(), nullable=False),
        sa.Column("call_consent", sa.LargeBinary(), nullable=False),
        sa.Column("call_value_wei", sa.Text(), nullable=False),
        sa.Column("call_signature", sa.LargeBinary(), nullable=False),
        sa.Column("call_deadline", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_operations")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_operations_batch_seq"), "operations", ["batch_seq"], unique=False)
    op.create_index(op.f("ix_operations_call_root_state"), "operations", ["call_root", "state"], unique=False)
    op.create_index(
        op.f("ix_operations_issuer_state_id"), "operations", ["issuer", "state", "id"], unique=False
    )
    op.create_index(op.f("ix_operations_request_id"), "operations", ["request_id"], unique=False)
    op.create_index(op.f("ix_operations_state_id"), "operations", ["state", "id"], unique=False)
    op.create_table(
        "status_requests",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("issuer", sa.LargeBinary(), nullable=False),
        sa.Column("reason", sa.BigInteger(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("requested_by", sa.Text(), nullable=False),
        sa.Column("requested_by_key", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("entry_count", sa.BigInteger(), nullable=False),
        sa.Column("awaiting_approval", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_status_requests")),
    )
    op.create_table(
        "tiles",
        sa.Column("batch_seq", sa.BigInteger(), nullable=False),
        sa.Column("place", sa.BigInteger(), nullable=False),
        sa.Column("nodes", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("batch_seq", "place", name=op.f("pk_tiles")),
    )
    op.create_table(
        "skipped_digests",
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["request_id"], ["status_requests.id"], name=op.f("fk_skipped_digests_request_id")
        ),
        sa.PrimaryKeyConstraint("request_id", "position", name=op.f("pk_skipped_digests")),
    )
    op.create_index(op.f("ix_skipped_digests_digest"), "skipped_digests", ["digest"], unique=False)
    op.create_table(
        "transactions",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("operation_id", sa.BigInteger(), nullable=False),
        sa.Column("sender", sa.LargeBinary(), nullable=False),
        sa.Column("nonce", sa.BigInteger(), nullable=False),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.Column("receiver", sa.LargeBinary(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("gas_limit", sa.BigInteger(), nullable=False),
        sa.Column("value_wei", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["operation_id"], ["operations.id"], name=op.f("fk_transactions_operation_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_transactions")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_transactions_operation_id"), "transactions", ["operation_id"], unique=False)
    op.create_index(op.f("ix_transactions_sender_nonce"), "transactions", ["sender", "nonce"], unique=True)
    op.create_index(
        op.f("ix_transactions_state_sender_nonce"), "transactions", ["state", "sender", "nonce"], unique=False
    )
    op.create_table(
        "attempts",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("transaction_id", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.Column("max_fee_per_gas_wei", sa.Text(), nullable=False),
        sa.Column("max_priority_fee_per_gas_wei", sa.Text(), nullable=False),
        sa.Column("signed_at", sa.BigInteger(), nullable=False),
        sa.Column("sent_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["transaction_id"], ["transactions.id"], name=op.f("fk_attempts_transaction_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attempts")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_attempts_hash"), "attempts", ["hash"], unique=True)
    op.create_index(op.f("ix_attempts_transaction_id"), "attempts", ["transaction_id"], unique=False)


def downgrade() -> None:
    op.drop_index(op.f("ix_attempts_transaction_id"), table_name="attempts")
    op.drop_index(op.f("ix_attempts_hash"), table_name="attempts")
    op.drop_table("attempts")
    op.drop_index(op.f("ix_transactions_state_sender_nonce"), table_name="transactions")
    op.drop_index(op.f("ix_transactions_sender_nonce"), table_name="transactions")
    op.drop_index(op.f("ix_transactions_operation_id"), table_name="transactions")
    op.drop_table("transactions")
    op.drop_index(op.f("ix_skipped_digests_digest"), table_name="skipped_digests")
    op.drop_table("skipped_digests")
    op.drop_table("tiles")
    op.drop_table("status_requests")
    op.drop_index(op.f("ix_operations_state_id"), table_name="operations")
    op.drop_index(op.f("ix_operations_request_id"), table_name="operations")
    op.drop_index(op.f("ix_operations_issuer_state_id"), table_name="operations")
    op.drop_index(op.f("ix_operations_call_root_state"), table_name="operations")
    op.drop_index(op.f("ix_operations_batch_seq"), table_name="operations")
    op.drop_table("operations")
    op.drop_table("meta")
    op.drop_table("leases")
    op.drop_table("issuers")
    op.drop_table("index_position")
    op.drop_table("index_mismatches")
    op.drop_table("index_headers")
    op.drop_index(op.f("ix_index_events_subject"), table_name="index_events")
    op.drop_index(op.f("ix_index_events_kind_id"), table_name="index_events")
    op.drop_index(op.f("ix_index_events_issuer_id"), table_name="index_events")
    op.drop_index(op.f("ix_index_events_block_number_log_index"), table_name="index_events")
    op.drop_index(op.f("ix_index_events_at_id"), table_name="index_events")
    op.drop_table("index_events")
    op.drop_index(op.f("ix_index_event_words_target"), table_name="index_event_words")
    op.drop_table("index_event_words")
    op.drop_index(op.f("ix_idempotency_keys_created_at"), table_name="idempotency_keys")
    op.drop_table("idempotency_keys")
    op.drop_table("feed_cursors")
    op.drop_index(op.f("ix_feed_issuer_id"), table_name="feed")
    op.drop_table("feed")
    op.drop_index(op.f("ix_entry_details_issuer_external_id"), table_name="entry_details")
    op.drop_table("entry_details")
    op.drop_index(op.f("ix_entries_digest"), table_name="entries")
    op.drop_table("entries")
    op.drop_table("counters")
    op.drop_index(
        "uq_batches_open",
        table_name="batches",
        sqlite_where=sa.text("state = 'open'"),
        postgresql_where=sa.text("state = 'open'"),
    )
    op.drop_index(op.f("ix_batches_state_seq"), table_name="batches")
    op.drop_index(op.f("ix_batches_root"), table_name="batches")
    op.drop_index(op.f("ix_batches_issuer_seq"), table_name="batches")
    op.drop_index(op.f("ix_batches_id"), table_name="batches")
    op.drop_table("batches")
    op.drop_index(op.f("ix_api_keys_token_sha256"), table_name="api_keys")
    op.drop_index(op.f("ix_api_keys_issuer_created_at"), table_name="api_keys")
    op.drop_table("api_keys")
    op.drop_table("access_log")
