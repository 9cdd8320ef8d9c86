"""A few worker processes, each of which can be killed when a document keeps it busy. Safe from several
threads.

Plain child processes that speak over pipes, not `multiprocessing`: nothing is forked from a process that has
threads, nothing is pickled, and the children inherit no file but their pipes, no environment but what Python
needs, and no terminal's signals. A worker is started when one is needed and kept; it ends when its input
does, so it ends with its parent.
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import threading
import time
from collections.abc import Mapping
from typing import Any

from registry.credentials.rdf.worker import MAX_FRAME_BYTES
from registry.errors import DefectError, Fault, TooComplexError, UnavailableError
from registry.limited import started

SECONDS_PER_DOCUMENT = 3.0
MEMORY_BYTES = 1 << 30
WORKERS = 2

_START_SECONDS = 60.0
_QUEUE_SECONDS = 30.0
_END_SECONDS = 2.0


class _GoneError(Exception):
    """The worker has ended, or does not answer in time."""


class _Worker:
    """One child process."""

    def __init__(self, contexts: Mapping[str, str], seconds: float, memory_bytes: int) -> None:
        self.owner = os.getpid()
        self._process = started("registry.credentials.rdf.worker")
        first = {"contexts": dict(contexts), "memory_bytes": memory_bytes, "seconds": seconds + 1}
        try:
            self.ask(first, _START_SECONDS)
        except _GoneError as error:
            self.end()
            raise DefectError("the canonicaliser's process does not start") from error

    def ask(self, message: Mapping[str, Any], seconds: float) -> dict[str, Any]:
        """Send a frame and read the answer. Raises _GoneError, after which the worker must be ended."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        data = json.dumps(message).encode()
        deadline = time.monotonic() + seconds
        try:
            self._process.stdin.write(len(data).to_bytes(4, "big") + data)
            self._process.stdin.flush()
        except OSError as error:
            raise _GoneError from error
        source = self._process.stdout.fileno()
        length = int.from_bytes(_read(source, 4, deadline), "big")
        if length > MAX_FRAME_BYTES:
            raise _GoneError
        answer: dict[str, Any] = json.loads(_read(source, length, deadline))
        return answer

    def alive(self) -> bool:
        return self._process.poll() is None

    def end(self, *, gently: bool = False) -> None:
        """End the process and wait for it. ``gently`` lets an idle one leave by itself."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            if not gently:
                self._process.kill()
            self._process.stdin.close()
        except OSError:
            pass  # it has ended already, with something unwritten
        try:
            self._process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()


def _read(source: int, amount: int, deadline: float) -> bytes:
    parts = bytearray()
    waiting = select.poll()
    waiting.register(source, select.POLLIN | select.POLLHUP)
    while len(parts) < amount:
        left = deadline - time.monotonic()
        if left <= 0 or not waiting.poll(left * 1000):
            raise _GoneError
        part = os.read(source, min(amount - len(parts), 1 << 20))
        if not part:
            raise _GoneError
        parts += part
    return bytes(parts)


class WorkerPool:
    """At most ``workers`` processes; further callers wait for one."""

    def __init__(
        self,
        contexts: Mapping[str, str],
        *,
        workers: int = WORKERS,
        seconds: float = SECONDS_PER_DOCUMENT,
        memory_bytes: int = MEMORY_BYTES,
    ) -> None:
        """Nothing is started yet.

        Args:
            contexts: the operator's contexts, as `ContextStore.operator_texts` gives them.
            seconds: how long a document may take.
            memory_bytes: how large a process may become.
        """
        self._contexts = contexts
        self._seconds = seconds
        self._memory_bytes = memory_bytes
        self._places = threading.BoundedSemaphore(workers)
        self._idle: list[_Worker] = []
        self._lock = threading.Lock()
        self._closed = False

    def ask(self, request: Mapping[str, Any], seconds: float | None = None) -> dict[str, Any]:
        """A worker's answer to ``request``, within ``seconds`` (by default what a document may take).

        Raises:
            TooComplexError: it took too long, or the worker ended over it.
            UnavailableError: all workers stay busy.
            DefectError: a worker does not start, or the pool is closed.
        """
        if not self._places.acquire(timeout=_QUEUE_SECONDS):
            raise UnavailableError("every canonicaliser is busy", part="canonicaliser")
        try:
            worker = self._take()
            try:
                answer = worker.ask(request, self._seconds if seconds is None else seconds)
            except _GoneError as error:
                worker.end()
                detail = "the document needs more time or memory to be canonicalised than any credential does"
                raise TooComplexError(detail, faults=[Fault("too-complex", detail, "")]) from error
            except BaseException:
                worker.end()
                raise
            self._give_back(worker)
            return answer
        finally:
            self._places.release()

    def start(self) -> None:
        """Start a worker, if none runs, so that the first document need not wait for it. Raises as `ask`."""
        with self._places:
            self._give_back(self._take())

    def _take(self) -> _Worker:
        while True:
            with self._lock:
                if self._closed:
                    raise DefectError("the canonicaliser is closed")
                worker = self._idle.pop() if self._idle else None
            if worker is None:
                return _Worker(self._contexts, self._seconds, self._memory_bytes)
            if worker.owner != os.getpid():
                continue  # a fork's copy of its parent's worker: not ours to talk to
            if worker.alive():
                return worker
            worker.end()

    def _give_back(self, worker: _Worker) -> None:
        with self._lock:
            if not self._closed:
                self._idle.append(worker)
                return
        worker.end(gently=True)

    def close(self) -> None:
        """End all workers; busy ones end when they have answered. May be called twice."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for worker in idle:
            if worker.owner == os.getpid():
                worker.end(gently=True)
