"""What is inside a file that somebody shows: a document, a token, or the address of a hosted assertion.

The kind of a file is told by its content, never by its name; name and declared type only choose the words of
an error. Read are JSON (``.json``, ``.opencert``), compact JWS and SD-JWT (``.jwt``, ``.jws``, ``.txt``), PNG
and SVG with a credential baked in, and PDF with one attached. Nothing is fetched.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum

from registry.credentials.carriers.baked import COMPACT_TOKEN, MAX_CREDENTIAL_BYTES, MAX_FILE_BYTES, refused
from registry.credentials.carriers.pdf import Attached, attached_to, is_pdf
from registry.credentials.carriers.png import is_png, unbake_png
from registry.credentials.carriers.svg import unbake_svg
from registry.credentials.findings import Presented
from registry.encoding import parse_json
from registry.errors import TooLargeError, UnsupportedMediaTypeError
from registry.merkle import InclusionProof, proof_from_json

MAX_URL_CHARACTERS = 2048

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_WEB_ADDRESS = re.compile(rb"https?://[\x21-\x7e]+", re.IGNORECASE)
_NOT_READ = {
    b"\xff\xd8\xff": "a JPEG cannot carry a credential: send the PNG or SVG, or the credential itself",
    b"GIF8": "a GIF cannot carry a credential: send the PNG or SVG, or the credential itself",
    b"PK\x03\x04": "an archive is not read here: unpack it, and send one credential",
    b"\x1f\x8b": "an archive is not read here: unpack it, and send one credential",
}


class Carrier(Enum):
    """What the credential was in. ``value`` is the name for people."""

    JSON = "JSON"
    TOKEN = "compact token"
    ADDRESS = "web address"
    PNG = "PNG"
    SVG = "SVG"
    PDF = "PDF"


_EMPTY = {
    Carrier.PNG: "the PNG carries no credential",
    Carrier.SVG: "the SVG carries no credential",
}


@dataclass(frozen=True, slots=True)
class Contents:
    """What a file holds: exactly one of ``presented`` and ``hosted_at``.

    Attributes:
        carrier: the file itself, whatever the form of what it carries.
        presented: the document or token.
        proof: the RootmarkProof beside it, where the file holds both.
        hosted_at: where an Open Badges assertion is hosted (2.0 and before); whoever wants it verified asks
            their documents for it.
    """

    carrier: Carrier
    presented: Presented | None = None
    hosted_at: str | None = None
    proof: InclusionProof | None = None


def read_file(data: bytes, name: str | None = None, media_type: str | None = None) -> Contents:
    """Take the credential out of a file.

    Args:
        data: the whole file.
        name, media_type: what the sender calls it; only for the words of an error.

    Raises:
        TooLargeError: over 10 MiB, or the credential over 1 MiB.
        UnsupportedMediaTypeError: a kind of file that is not read.
        StrictJsonError: JSON that is not strict.
        ValidationError: an image or PDF without a credential, with several, encrypted or damaged; JSON that
            is no object.
    """
    if len(data) > MAX_FILE_BYTES:
        raise TooLargeError(f"a file has at most {MAX_FILE_BYTES} bytes")
    for start, detail in _NOT_READ.items():
        if data.startswith(start):
            raise UnsupportedMediaTypeError(detail)
    if is_pdf(data):
        return _from_pdf(attached_to(data))
    if is_png(data):
        baked = unbake_png(data)
        return _from_image(None if baked is None else baked.text, Carrier.PNG)
    text = data.removeprefix(_BYTE_ORDER_MARK)
    if text.lstrip()[:1] == b"<":
        baked = unbake_svg(data)
        return _from_image(None if baked is None else baked.text, Carrier.SVG)
    contents = _from_text(text, None)
    if contents is None:
        raise UnsupportedMediaTypeError(_not_read(name, media_type))
    return contents


def _from_image(text: bytes | None, carrier: Carrier) -> Contents:
    if text is None:
        raise refused("not-baked", _EMPTY[carrier])
    contents = _from_text(text, carrier)
    if contents is None:
        raise refused("baked-text", f"what the {carrier.value} carries is neither JSON nor a token")
    return contents


def _from_pdf(found: Attached) -> Contents:
    contents = _from_text(found.credential, Carrier.PDF)
    if contents is None:
        raise refused("baked-text", "what is attached to the PDF is neither JSON nor a token")
    proof = None if found.proof is None else proof_from_json(parse_json(found.proof), pointer="/proof")
    return replace(contents, proof=proof)


def _from_text(text: bytes, carrier: Carrier | None) -> Contents | None:
    """None for what is none of the texts that are read."""
    if len(text) > MAX_CREDENTIAL_BYTES:
        raise TooLargeError(f"a credential has at most {MAX_CREDENTIAL_BYTES} bytes")
    trimmed = text.strip()
    if trimmed[:1] in (b"{", b"["):
        document = parse_json(text)
        if not isinstance(document, Mapping):
            raise refused("type", "a list was sent; send one credential, a JSON object")
        return Contents(carrier or Carrier.JSON, presented=Presented(document=document))
    if COMPACT_TOKEN.fullmatch(trimmed):
        return Contents(carrier or Carrier.TOKEN, presented=Presented(token=trimmed.decode()))
    if len(trimmed) <= MAX_URL_CHARACTERS and _WEB_ADDRESS.fullmatch(trimmed):
        return Contents(carrier or Carrier.ADDRESS, hosted_at=trimmed.decode())
    return None


def _not_read(name: str | None, media_type: str | None) -> str:
    expected = "send JSON, a JWT, or a PNG, SVG or PDF with a credential in it"
    ending = (name or "").rpartition(".")[2].lower()
    kind = (media_type or "").partition(";")[0].strip().lower()
    if ending in ("json", "opencert", "jsonld") or kind.endswith("json"):
        return f"the file is called JSON and is not: {expected}"
    if ending in ("png", "svg") or kind in ("image/png", "image/svg+xml"):
        return f"the file is called an image and is none: {expected}"
    if ending == "pdf" or kind == "application/pdf":
        return f"the file is called a PDF and is none: {expected}"
    return f"the file is of a kind that is not read here: {expected}"
