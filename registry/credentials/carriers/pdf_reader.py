"""Reads a PDF in the child process of `registry.credentials.carriers.pdf`, and in no other."""

from __future__ import annotations

import base64
import io
import json
import zlib
from typing import Any

import pikepdf

from registry.credentials.carriers.baked import COMPACT_TOKEN
from registry.credentials.carriers.pdf import MAX_ATTACHMENT_BYTES, MAX_ATTACHMENTS

_PROOF_TYPE = "RootmarkProof/v1"


class _ProblemError(Exception):
    """Why there is no credential; its text is one of the parent's sentences by name."""


def answer(data: bytes) -> bytes:
    """What is attached, or the problem, as JSON."""
    try:
        found: dict[str, Any] = _look(data)
    except _ProblemError as problem:
        found = {"problem": str(problem)}
    except pikepdf.PasswordError:
        found = {"problem": "encrypted"}
    except MemoryError:
        found = {"problem": "too-large"}
    except Exception:  # noqa: BLE001 - whatever the library makes of a damaged file
        found = {"problem": "broken"}
    return json.dumps(found).encode()


def _look(data: bytes) -> dict[str, Any]:
    with pikepdf.open(io.BytesIO(data), attempt_recovery=False, suppress_warnings=True) as pdf:
        if pdf.is_encrypted:
            raise _ProblemError("encrypted")
        names = list(pdf.attachments)
        if len(names) > MAX_ATTACHMENTS:
            raise _ProblemError("too-many")
        texts = [_text(pdf.attachments[name].obj.EF.F) for name in names]
    credentials: list[bytes] = []
    proofs: list[bytes] = []
    for text in filter(None, texts):
        kind = _kind(text)
        if kind is not None:
            (proofs if kind == "proof" else credentials).append(text)
    if len(credentials) > 1 or len(proofs) > 1:
        raise _ProblemError("several")
    if not credentials:
        raise _ProblemError("none")
    encoded = [base64.b64encode(text).decode() for text in (*credentials, *proofs)]
    return {"credential": encoded[0], "proof": encoded[1] if proofs else None}


def _text(stream: Any) -> bytes | None:
    """A stream's bytes; None for a filter that texts do not need."""
    raw: bytes = bytes(stream.read_raw_bytes())
    wanted = stream.get("/Filter")
    if wanted is None or (len(wanted) == 0 if _is_array(wanted) else False):
        return raw if len(raw) <= MAX_ATTACHMENT_BYTES else None
    names = [str(one) for one in wanted] if _is_array(wanted) else [str(wanted)]
    if names != ["/FlateDecode"] or stream.get("/DecodeParms") is not None:
        return None
    unpacker = zlib.decompressobj()
    text = unpacker.decompress(raw, MAX_ATTACHMENT_BYTES + 1)
    if len(text) > MAX_ATTACHMENT_BYTES:
        raise _ProblemError("too-large")
    return text


def _is_array(value: Any) -> bool:
    return type(value).__name__ == "Array" or str(getattr(value, "_type_name", "")) == "array"


def _kind(text: bytes) -> str | None:
    """``credential``, ``proof``, or None for anything else."""
    trimmed = text.strip()
    if COMPACT_TOKEN.fullmatch(trimmed):
        return "credential"
    if trimmed[:1] != b"{":
        return None
    try:
        value = json.loads(trimmed)
    except ValueError:
        return "credential"  # it is judged, and refused, by the strict reader
    if value.get("type") == _PROOF_TYPE:
        return "proof"
    return "credential" if "@context" in value or "credentialSubject" in value or "id" in value else None
