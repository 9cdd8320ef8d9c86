"""Credentials attached to PDF files (ISO 32000-1, section 7.11; PDF/A-3 allows any attachment).

A PDF is a container whose parts may unpack to any size, read by a library in C++: it is read in a child
process of its own with little memory and time, which gives back at most a credential and its RootmarkProof.
What is attached decides, never its name: an attachment that is JSON or a compact token is a credential, JSON
of the type RootmarkProof/v1 is a proof.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass

from registry.credentials.carriers.baked import refused
from registry.limited import answer_of

SECONDS = 5
MEMORY_BYTES = 1 << 30
MAX_ATTACHMENTS = 20
MAX_ATTACHMENT_BYTES = 1024 * 1024
_READER = "registry.credentials.carriers.pdf_reader"
_SENTENCES = {
    "encrypted": "this PDF is encrypted: save it without a password, or send the credential itself",
    "broken": "this PDF cannot be read: it is damaged, or no PDF",
    "too-many": f"this PDF has more than {MAX_ATTACHMENTS} attachments: send the credential itself",
    "too-large": "this PDF unpacks to more than is read here: send the credential itself",
    "none": "the PDF carries no credential: send one that has the credential attached",
    "several": "the PDF carries several credentials: send one at a time",
}


@dataclass(frozen=True, slots=True)
class Attached:
    """What is attached to a PDF: the text of a credential (JSON or a token), and of its RootmarkProof."""

    credential: bytes
    proof: bytes | None


def is_pdf(data: bytes) -> bool:
    """Whether a file begins as PDFs do."""
    return data.startswith(b"%PDF-")


def attached_to(data: bytes) -> Attached:
    """The credential in a PDF.

    Raises:
        ValidationError: encrypted, damaged, without a credential or with several, or too large inside.
        UnavailableError: the reader does not start.
    """
    output = answer_of(_READER, data, seconds=SECONDS, memory_bytes=MEMORY_BYTES)
    if output is None:
        raise _refused("too-large")
    found = json.loads(output)
    if "problem" in found:
        raise _refused(found["problem"])
    proof = found["proof"]
    return Attached(base64.b64decode(found["credential"]), None if proof is None else base64.b64decode(proof))


def _refused(problem: str) -> Exception:
    return refused(f"pdf-{problem}", _SENTENCES[problem])
