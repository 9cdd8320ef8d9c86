"""From domain values to the public JSON shapes."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from registry.credentials.did_documents import public_key_of
from registry.encoding import format_time, to_checksum, to_hex
from registry.model.batches import Batch, Entry
from registry.model.chain import CallKind
from registry.model.issuers import AccessRecord, ApiKey, Issuer
from registry.model.operations import StatusRequest
from registry.model.reasons import reason_from_code
from registry.model.signing_keys import SigningKey
from registry.services.admin_calls import ToSign


def time_of(instant: datetime | None) -> str | None:
    """RFC 3339 with Z, or None."""
    return None if instant is None else format_time(instant)


def batch_json(batch: Batch, latest_block: int | None) -> dict[str, Any]:
    """The batch object; ``latest_block`` is the newest indexed block, for counting confirmations."""
    anchor = None
    if batch.anchor is not None:
        at = batch.anchor
        confirmations = 0 if latest_block is None else max(latest_block - at.block_number + 1, 0)
        anchor = {
            "transaction": to_hex(at.transaction),
            "block_number": at.block_number,
            "block_hash": to_hex(at.block_hash),
            "anchored_at": format_time(at.anchored_at),
            "confirmations": confirmations,
            "gas_used": at.gas_used,
            "fee_wei": str(at.fee_wei),
            "sender": to_checksum(at.sender),
            "mode": at.mode.value,
        }
    return {
        "id": batch.id,
        "issuer": to_checksum(batch.issuer),
        "state": batch.state.value,
        "size": batch.size,
        "root": None if batch.root is None else to_hex(batch.root),
        "created_at": format_time(batch.created_at),
        "sealed_at": time_of(batch.sealed_at),
        "anchor": anchor,
        "withdrawn": None,
        "error": batch.error,
    }


def issuer_json(issuer: Issuer) -> dict[str, Any]:
    """The public view of an issuer."""
    return {
        "address": to_checksum(issuer.address),
        "name": issuer.name,
        "url": issuer.url,
        "email": issuer.email,
        "state": issuer.state.value,
        "key": to_checksum(issuer.key),
        "hosted_admin": issuer.hosted_admin,
        "created_at": format_time(issuer.created_at),
    }


def api_key_json(key: ApiKey) -> dict[str, Any]:
    """An API key without its token, which is shown once and stored nowhere."""
    return {
        "id": key.id,
        "label": key.label,
        "scopes": sorted(scope.value for scope in key.scopes),
        "created_at": format_time(key.created_at),
        "expires_at": time_of(key.expires_at),
        "revoked_at": time_of(key.revoked_at),
    }


def signing_key_json(key: SigningKey, method: str | None) -> dict[str, Any]:
    """The public half of a key that signs credentials; ``method`` is its id in the DID document."""
    return {
        "kind": key.kind.value,
        "verification_method": method,
        "public_key_jwk": public_key_of(key).to_jwk(),
        "created_at": format_time(key.created_at),
        "retired_at": time_of(key.retired_at),
    }


def request_json(request: StatusRequest) -> dict[str, Any]:
    """A status request."""
    return {
        "id": request.id,
        "kind": request.kind.value,
        "issuer": to_checksum(request.issuer),
        "state": request.state.value,
        "reason": reason_from_code(request.reason).label,
        "count": request.count,
        "skipped": [to_hex(digest) for digest in request.skipped],
        "transactions": [to_hex(transaction) for transaction in request.transactions],
        "requested_by": request.requested_by,
        "note": request.note,
        "created_at": format_time(request.created_at),
        "error": request.error,
    }


def to_sign_json(to_sign: ToSign) -> dict[str, Any]:
    """What an admin whose key is not here signs; nothing is stored until the signatures come. About a new key
    also which one it is, with its consent, for an admin that sends `addKey` itself."""
    view: dict[str, Any] = {
        "signer": to_checksum(to_sign.signer),
        "to_sign": list(to_sign.typed_data),
        "deadline": to_sign.deadline,
    }
    call = to_sign.call
    if call.kind is CallKind.ADD_KEY and call.account is not None:
        view |= {
            "key": to_checksum(call.account),
            "consent": to_hex(call.consent),
            "consent_deadline": call.consent_deadline,
        }
    return view


def registration_json(to_sign: ToSign) -> dict[str, Any]:
    """The same as members of an issuer that awaits its admin."""
    return {
        "typed_data": to_sign.typed_data[0],
        "deadline": to_sign.deadline,
        "consent": to_hex(to_sign.call.consent),
        "consent_deadline": to_sign.call.consent_deadline,
    }


def entry_json(entry: Entry, status: str | None, anchored_at: datetime | None) -> dict[str, Any]:
    """One entry of `GET /v1/credentials/{digest}`."""
    return {
        "issuer": to_checksum(entry.issuer),
        "batch": entry.batch_id,
        "index": entry.index,
        "state": entry.batch_state.value,
        "status": status,
        "anchored_at": time_of(anchored_at),
    }


def access_json(record: AccessRecord) -> dict[str, Any]:
    """A line of the access log."""
    return {
        "id": record.id,
        "at": format_time(record.at),
        "actor": record.actor,
        "action": record.action,
        "subject": record.subject,
        "detail": record.detail,
    }
