"""The process that does what can take long: expansion, first canonicalisation of a shape, and hostile
documents.

RDFC-1.0 takes exponential time for blank nodes that look alike (RDF Dataset Canonicalization, section 7.1,
"dataset poisoning"), inside native code that cannot be interrupted, so the only guard is a process that can
be killed. Requests and answers are frames: four bytes of length, big-endian, then JSON. The first frame in
gives the operator's contexts and the limits; the first frame out says that the worker is ready.

The process limits itself as well: its memory, and by an alarm whose default action ends it, its time; so one
whose parent has died does not compute on for ever. It reads nothing but its pipe and the package's own files.
"""

from __future__ import annotations

import json
import resource
import signal
import struct
import sys
from collections.abc import Mapping
from typing import Any, BinaryIO, cast

from registry.credentials.rdf.compiling import Compiled, Compiler
from registry.credentials.rdf.context_store import ContextStore
from registry.credentials.rdf.expansion import Expander
from registry.credentials.rdf.shape import ShapeReader
from registry.credentials.rdf.terms import canonical_n_quads, quad
from registry.errors import Fault, RootmarkError, TooComplexError, ValidationError
from registry.ports.documents import RdfHash

MAX_FRAME_BYTES = 64 << 20

_LENGTH = struct.Struct(">I")


def write_frame(stream: BinaryIO, message: Mapping[str, Any]) -> None:
    """Write one frame."""
    data = json.dumps(message).encode()
    stream.write(_LENGTH.pack(len(data)) + data)
    stream.flush()


def read_frame(stream: BinaryIO) -> dict[str, Any] | None:
    """Read one frame; None at the end of the stream.

    Raises:
        ValueError: longer than `MAX_FRAME_BYTES`, or not JSON.
    """
    head = stream.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    (length,) = _LENGTH.unpack(head)
    if length > MAX_FRAME_BYTES:
        raise ValueError("a frame is too long")
    data = stream.read(length)
    return cast(dict[str, Any], json.loads(data)) if len(data) == length else None


class Service:
    """Answers requests; see `registry.credentials.rdf.pool` for who asks."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        store = ContextStore(texts=texts)
        self._expander = Expander(store)
        self._compiler = Compiler(self._expander, ShapeReader(store), store.vocabulary.terms)

    def answer(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """The answer: ``n_quads`` and perhaps ``template``, or ``error`` with its class, message and
        faults."""
        try:
            return self._answer(request)
        except RootmarkError as error:
            faults = [[fault.code, fault.detail, fault.pointer] for fault in error.faults]
            return {"error": [type(error).__name__, str(error), faults]}
        except MemoryError:
            return {"error": [TooComplexError.__name__, "the document needs too much memory", []]}

    def _answer(self, request: Mapping[str, Any]) -> dict[str, Any]:
        document = request["document"]
        rdf_hash = RdfHash(request["hash"])
        if "n_quads" in request:
            n_quads = str(request["n_quads"]).encode()
            compiled = self._compiler.compile(document, n_quads, rdf_hash, forced=request["forced"])
            return {"template": None if compiled is None else _message(compiled)}
        rows = self._expander.quads(document)
        try:
            return {"n_quads": canonical_n_quads(map(quad, rows), rdf_hash).decode()}
        except ValueError as error:
            detail = "the document has an IRI, a language tag or a text that is not one"
            raise ValidationError(detail, faults=[Fault("invalid-term", detail, "")]) from error


def _message(compiled: Compiled) -> dict[str, Any]:
    return {"rows": compiled.rows, "fixed": compiled.fixed, "cheap": compiled.cheap}


def serve(requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer until the stream of requests ends."""
    first = read_frame(requests)
    if first is None:
        return
    _limit_memory(int(first["memory_bytes"]))
    service = Service(first["contexts"])
    write_frame(answers, {"ready": True})
    while (request := read_frame(requests)) is not None:
        signal.setitimer(signal.ITIMER_REAL, first["seconds"])
        answer = service.answer(request)
        signal.setitimer(signal.ITIMER_REAL, 0)
        write_frame(answers, answer)


def _limit_memory(memory_bytes: int) -> None:
    for kind, amount in ((resource.RLIMIT_AS, memory_bytes), (resource.RLIMIT_CORE, 0)):
        _, hard = resource.getrlimit(kind)
        soft = amount if hard == resource.RLIM_INFINITY else min(amount, hard)
        resource.setrlimit(kind, (soft, hard))


def main() -> None:
    """Serve standard input and output."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    serve(sys.stdin.buffer, sys.stdout.buffer)


if __name__ == "__main__":
    main()
