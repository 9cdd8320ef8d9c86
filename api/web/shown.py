"""What a visitor showed: files, pasted text, a link, a digest; made into one question.

Nothing is fetched: a link is understood when it leads to this server, else the visitor is told to open it
and to drop what it holds. A RootmarkProof may come beside the credential, as a second file.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from api.context import parse_as_of
from api.uploads import Upload
from registry.credentials.carriers.files import read_file
from registry.credentials.findings import Presented
from registry.credentials.syntax import parse_issuer_name
from registry.credentials.verification import DocumentRequest
from registry.encoding import Digest, format_time, parse_digest, parse_time
from registry.errors import Fault, ValidationError
from registry.merkle import InclusionProof, proof_from_json
from registry.services.verification import VerifyRequest

MAX_FILES = 2
_DIGEST = re.compile(r"(?:0x)?[0-9a-fA-F]{64}")
_LINK = re.compile(r"https?://\S+", re.IGNORECASE)
_PROOF_TYPE = "RootmarkProof/v1"
_BUNDLE_TYPE = "RootmarkBundle/v1"


@dataclass(frozen=True, slots=True)
class Question:
    """What is to be verified, and when the document says that it was issued, in RFC 3339."""

    request: VerifyRequest | DocumentRequest
    issued: str | None = None


@dataclass(frozen=True, slots=True)
class PageLink:
    """Somebody pasted the address of one of this server's own pages; ``path`` leads there."""

    path: str


@dataclass(slots=True)
class _Found:
    documents: list[DocumentRequest] = field(default_factory=list)
    proofs: list[InclusionProof] = field(default_factory=list)
    digests: list[Digest] = field(default_factory=list)
    links: list[PageLink] = field(default_factory=list)


def question_of(
    files: Sequence[Upload], text: str, *, issuer: str, as_of: str, own_hosts: frozenset[str]
) -> Question | PageLink:
    """Understand what was shown.

    Args:
        issuer, as_of: the form's fields, empty when they were left so.
        own_hosts: host and port by which this server may be called, in lower case.

    Raises:
        ValidationError: nothing was shown, or several credentials, or a link to elsewhere.
        StrictJsonError, TooLargeError, UnsupportedMediaTypeError: see `read_file`.
    """
    found = _Found()
    for file in files:
        _look_at(file.data, file.name, file.media_type, found)
    if text.strip():
        _look_at_text(text.strip(), own_hosts, found)
    if found.links:
        return found.links[0]
    named = parse_issuer_name(issuer) if issuer else None
    moment = parse_as_of(as_of, "/as_of") if as_of else None
    if len(found.documents) > 1 or len(found.proofs) > 1 or len(found.digests) > 1:
        raise _refused("several", "several credentials were shown; check one after the other")
    proof = found.proofs[0] if found.proofs else None
    digest = found.digests[0] if found.digests else None
    if found.documents:
        shown = found.documents[0]
        request = DocumentRequest(
            presented=shown.presented,
            hosted_at=shown.hosted_at,
            digest=digest,
            proof=proof or shown.proof,
            issuer=named,
            as_of=moment,
        )
        return Question(request, _issued(shown.presented.document))
    if proof is None and digest is None:
        raise _refused("missing", "nothing was shown; drop a file, or paste text, a link or a digest")
    if isinstance(named, str):
        raise _refused(
            "issuer", "beside a digest or a proof alone the issuer is named by its address, 0x…", "/issuer"
        )
    if digest is None and proof is not None:
        digest = proof.digest
    return Question(VerifyRequest(digest, None, proof, named, moment, False))


def _look_at_text(text: str, own_hosts: frozenset[str], found: _Found) -> None:
    if _DIGEST.fullmatch(text):
        found.digests.append(parse_digest(text if text.startswith("0x") else f"0x{text}", pointer="/text"))
    elif _LINK.fullmatch(text):
        _look_at_link(text, own_hosts, found)
    else:
        _look_at(text.encode(), None, None, found)


def _look_at_link(text: str, own_hosts: frozenset[str], found: _Found) -> None:
    try:
        parts = urlsplit(text)
    except ValueError as error:
        raise _refused("link", "this is no address") from error
    if parts.netloc.lower() not in own_hosts:
        raise _refused(
            "link", "nothing is fetched from elsewhere: open the link, save the credential, and drop it here"
        )
    asked = parse_qs(parts.query).get("digest", [])
    if parts.path == "/" and len(asked) == 1:
        found.digests.append(parse_digest(asked[0], pointer="/text"))
        return
    last = parts.path.rstrip("/").rpartition("/")[2]
    if _DIGEST.fullmatch(last) and parts.path.startswith("/v1/"):
        found.digests.append(parse_digest(last, pointer="/text"))
        return
    if parts.path.startswith(("/c/", "/s/")):
        found.links.append(PageLink(parts.path))
        return
    raise _refused("link", "this link to here leads to no credential")


def _look_at(data: bytes, name: str | None, media_type: str | None, found: _Found) -> None:
    contents = read_file(data, name, media_type)
    presented = contents.presented
    document = presented.document if presented is not None else None
    kind = document.get("type") if document is not None else None
    if document is not None and kind == _PROOF_TYPE:
        found.proofs.append(proof_from_json(document, pointer=""))
        return
    if document is not None and (kind == _BUNDLE_TYPE or set(document) == {"credential", "proof"}):
        inner, proof = document.get("credential"), document.get("proof")
        if isinstance(proof, Mapping):
            found.proofs.append(proof_from_json(proof, pointer="/proof"))
        if isinstance(inner, Mapping):
            found.documents.append(DocumentRequest(Presented(document=inner)))
        elif isinstance(inner, str):
            found.documents.append(DocumentRequest(Presented(token=inner)))
        return
    if contents.proof is not None:
        found.proofs.append(contents.proof)
    found.documents.append(DocumentRequest(presented or Presented(), hosted_at=contents.hosted_at))


def _issued(document: Mapping[str, Any] | None) -> str | None:
    """When a document says that it was issued; None where it says nothing that can be read."""
    for name in ("validFrom", "issuanceDate", "issuedOn"):
        value = (document or {}).get(name)
        if isinstance(value, str):
            try:
                return format_time(parse_time(value, pointer=f"/{name}"))
            except ValidationError:
                return None
    return None


def _refused(code: str, detail: str, pointer: str = "") -> ValidationError:
    return ValidationError(detail, faults=[Fault(code, detail, pointer)])
