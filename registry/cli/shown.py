"""What a verifier shows: a digest, JSON of any known format, a token, or an image with a credential in it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from registry.cli.inputs import STANDARD_INPUT, read_input
from registry.errors import MalformedInputError, ValidationError

if TYPE_CHECKING:
    from registry.credentials.carriers.files import Contents

_JSON_BEGINS = (b"{", b"[", b'"')
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_TOKEN = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*\.[A-Za-z0-9_~.-]*")


@dataclass(frozen=True, slots=True)
class Shown:
    """Exactly one of both.

    Attributes:
        body: for JSON and digests, members of a verification body: ``digest``, ``credential``, ``proof``.
        data: any other file, as it is.
    """

    body: dict[str, Any] | None = None
    data: bytes | None = None


def read_shown(file: str) -> Shown:
    """What an argument means: a digest, the name of a file, or standard input.

    Raises:
        ValidationError: the file cannot be read, or holds nothing that can be verified.
        MalformedJsonError: it begins like JSON and is none that is strict.
    """
    from registry.encoding import parse_json
    from registry.errors import MalformedJsonError

    if file.startswith("0x") and not Path(file).exists():
        return Shown(body_of(file))
    data = read_input(file)
    text = data.removeprefix(_BYTE_ORDER_MARK).strip()
    if text.startswith(b"0x"):
        return Shown(body_of(text.decode("ascii", "replace")))
    if not text.startswith(_JSON_BEGINS):
        return Shown(data=data)
    try:
        return Shown(body_of(parse_json(text)))
    except MalformedJsonError as error:
        raise MalformedJsonError(f"{_named(file)}: {error}", faults=error.faults) from error


def _named(file: str) -> str:
    return "standard input" if file == STANDARD_INPUT else file


def body_of(value: Any) -> dict[str, Any]:
    """The verification body that a value means: a digest, a token, a credential, a proof, or an object that
    holds them.

    Raises:
        ValidationError: it is none of these.
    """
    from registry.merkle import PROOF_TYPE

    if isinstance(value, str):
        return {"credential": value} if _TOKEN.fullmatch(value) else {"digest": value}
    if not isinstance(value, dict):
        raise ValidationError("this holds neither a credential nor a proof nor a digest")
    if value.get("type") == PROOF_TYPE:
        return {"digest": value.get("digest"), "proof": value}
    if "credential" in value or ("digest" in value and value.keys() <= {"digest", "proof"}):
        return {name: value[name] for name in ("credential", "digest", "proof") if name in value}
    inside = value.get("proof")
    if isinstance(inside, dict) and inside.get("type") == PROOF_TYPE:
        return {"credential": value, "proof": inside}
    return {"credential": value}


def opened_body(shown: Shown, file: str) -> dict[str, Any]:
    """The verification body, with the credential taken out of what carries it. A file that says only where an
    old badge's assertion is hosted gives ``hosted_at``.

    Raises:
        MalformedInputError: nothing in the file can be verified; see `read_file`.
    """
    if shown.body is not None:
        return dict(shown.body)
    from registry.merkle import proof_to_json

    contents = contents_of(shown.data or b"", file)
    if contents.presented is None:
        return {"hosted_at": contents.hosted_at}
    body: dict[str, Any] = {"credential": contents.presented.token or contents.presented.document}
    return body if contents.proof is None else body | {"proof": proof_to_json(contents.proof)}


def contents_of(data: bytes, file: str) -> Contents:
    """What a file holds. Raises `MalformedInputError`, which names the file."""
    from registry.credentials.carriers.files import read_file

    try:
        return read_file(data, None if file == STANDARD_INPUT else file)
    except MalformedInputError as error:
        raise type(error)(f"{_named(file)}: {error}", faults=error.faults) from error


def media_type_of(contents: Contents) -> str:
    """The media type under which a server takes the file."""
    from registry.credentials.carriers.files import Carrier

    known = {
        Carrier.PNG: "image/png",
        Carrier.SVG: "image/svg+xml",
        Carrier.PDF: "application/pdf",
        Carrier.TOKEN: "application/jwt",
    }
    return known.get(contents.carrier, "application/octet-stream")


def read_documents(given: Sequence[str]) -> dict[str, bytes]:
    """Documents to send along, by address, from ``URL=FILE`` each. A did:web or https DID's stands at the
    address of its document.

    Raises:
        ValidationError: not of that form, named twice, or a file cannot be read.
    """
    from registry.credentials.verification_methods import document_url

    found: dict[str, bytes] = {}
    for text in given:
        name, _, file = text.rpartition("=")
        if not name or not file:
            raise ValidationError("--document wants URL=FILE")
        address = document_url(name) if name.startswith("did:") else name
        if address in found:
            raise ValidationError("--document names an address twice")
        found[address] = read_input(file)
    return found
