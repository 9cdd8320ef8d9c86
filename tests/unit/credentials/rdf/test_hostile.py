"""Documents that would keep a canonicaliser busy, and the processes that stand in their way."""

from __future__ import annotations

import io
import json
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from registry import limited
from registry.credentials.rdf import ContextStore, RdfCanonicalizer, expansion, pool, worker
from registry.credentials.rdf import canonicalizer as canonicalizer_module
from registry.credentials.rdf.pool import WorkerPool
from registry.credentials.rdf.worker import Service, read_frame, serve, write_frame
from registry.errors import (
    DefectError,
    TooComplexError,
    UnavailableError,
    UndefinedTermError,
    UnknownContextError,
    ValidationError,
)
from registry.ports.documents import RdfHash
from tests.unit.credentials.rdf.samples import (
    EXAMPLES,
    VC2,
    badge,
    changed,
    clique,
    full_way,
    proof_configuration,
)


@pytest.fixture(scope="module")
def canonicalizer() -> Iterator[RdfCanonicalizer]:
    with RdfCanonicalizer(ContextStore()) as made:
        yield made


@pytest.fixture
def impatient() -> Iterator[RdfCanonicalizer]:
    with RdfCanonicalizer(ContextStore(), workers=1, seconds=0.5) as made:
        yield made


def request(document: dict[str, Any]) -> dict[str, Any]:
    return {"document": document, "hash": "sha256"}


def children() -> set[int]:
    """This process's children, zombies included."""
    text = Path(f"/proc/self/task/{threading.get_native_id()}/children")
    found = set()
    for task in Path("/proc/self/task").iterdir():
        text = task / "children"
        found.update(int(number) for number in text.read_text().split())
    return found


def test_poison_graph_is_stopped_and_the_next_document_is_served(impatient: RdfCanonicalizer) -> None:
    document = clique(9)
    assert len(json.dumps(document)) < 4_000
    impatient.n_quads(badge())
    started = time.monotonic()
    with pytest.raises(TooComplexError) as caught:
        impatient.n_quads(document)
    assert time.monotonic() - started < 10
    assert caught.value.faults[0].code == "too-complex"
    assert impatient.n_quads(badge()) == full_way(badge())


def test_poison_that_takes_the_shape_of_a_known_document_is_stopped(impatient: RdfCanonicalizer) -> None:
    def named(names: list[str]) -> dict[str, Any]:
        document = clique(9)
        for node, name in zip(document["credentialSubject"], names, strict=True):
            node["https://x.example/name"] = name
        return document

    honest = [named([f"{batch}-{number}" for number in range(9)]) for batch in range(3)]
    for document in honest:
        assert impatient.n_quads_of_many([document, document]) == [full_way(document)] * 2
    with pytest.raises(TooComplexError):
        impatient.n_quads(named(["same"] * 9))


def test_document_with_many_quads_is_refused(canonicalizer: RdfCanonicalizer, monkeypatch: Any) -> None:
    monkeypatch.setattr(expansion, "MAX_QUADS", 10)
    with pytest.raises(TooComplexError, match="quads"):
        full_way(badge())


def test_document_with_many_blank_nodes_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(expansion, "MAX_BLANK_NODES", 3)
    with pytest.raises(TooComplexError, match="id"):
        full_way(badge())


def test_document_with_a_huge_array_is_refused_in_time(impatient: RdfCanonicalizer) -> None:
    with pytest.raises(TooComplexError):
        impatient.n_quads(badge(name=[str(number) for number in range(30_000)]))


@pytest.mark.parametrize("wrap", [lambda inner: [inner], lambda inner: {"name": inner}])
def test_document_that_is_nested_too_deep_is_refused(
    canonicalizer: RdfCanonicalizer, wrap: Callable[[Any], Any]
) -> None:
    inner: Any = "x"
    for _ in range(100):
        inner = wrap(inner)
    with pytest.raises(TooComplexError, match="deep"):
        canonicalizer.n_quads(badge(name=inner))


def test_document_that_is_too_large_is_refused(canonicalizer: RdfCanonicalizer) -> None:
    for name in (["x"] * 100_001, "x" * ((4 << 20) + 1)):
        with pytest.raises(TooComplexError, match="larger"):
            canonicalizer.n_quads(badge(name=name))


def test_document_that_needs_too_much_memory_is_refused() -> None:
    measured = WorkerPool({}, workers=1)
    measured.ask(request(badge()))
    status = Path(f"/proc/{measured._idle[0]._process.pid}/status").read_text()
    (peak,) = (int(line.split()[1]) << 10 for line in status.splitlines() if line.startswith("VmPeak"))
    measured.close()
    with RdfCanonicalizer(ContextStore(), workers=1, seconds=20, memory_bytes=peak + (4 << 20)) as made:
        assert made.n_quads(badge()) == full_way(badge())
        with pytest.raises(TooComplexError):
            made.n_quads(badge(name="x" * (4_000_000)))
        assert made.n_quads(badge()) == full_way(badge())


@pytest.mark.parametrize(
    ("document", "error"),
    [
        (badge(hairColour="x"), UndefinedTermError),
        (badge(id="relative"), UndefinedTermError),
        (badge(id="https://x.example/{}"), ValidationError),
        (badge(name="\ud800"), ValidationError),
        (badge(id=1), ValidationError),
        (badge(**{"@context": [VC2, "https://unknown.example"]}), UnknownContextError),
    ],
)
def test_refusal_in_the_worker_arrives_with_its_class_and_faults(
    canonicalizer: RdfCanonicalizer, document: dict[str, Any], error: type[ValidationError]
) -> None:
    with pytest.raises(error) as caught:
        canonicalizer.n_quads(document)
    assert type(caught.value) is error
    assert caught.value.faults


def test_refusal_of_one_of_many_says_which(canonicalizer: RdfCanonicalizer) -> None:
    documents = [badge(), badge(id="urn:a"), badge(hairColour="x")]
    with pytest.raises(UndefinedTermError) as caught:
        canonicalizer.n_quads_of_many(documents)
    assert caught.value.faults[0].pointer == "/2/hairColour"


def test_refusal_without_a_place_points_at_the_document(impatient: RdfCanonicalizer) -> None:
    deep: Any = "x"
    for _ in range(100):
        deep = [deep]
    with pytest.raises(TooComplexError) as caught:
        impatient.n_quads_of_many([badge(name=deep)])
    assert caught.value.faults[0].pointer == "/0"


def test_text_that_does_not_fit_its_place_goes_the_full_way_and_is_refused(
    canonicalizer: RdfCanonicalizer,
) -> None:
    canonicalizer.n_quads_of_many([badge(), badge()])
    for value in ("relative", "https://x.example/{}", "\ud800"):
        with pytest.raises(ValidationError):
            canonicalizer.n_quads(badge(id=value))
    assert canonicalizer.n_quads(badge(id="_:b0")) == full_way(badge(id="_:b0"))


def test_many_documents_of_few_shapes_equal_the_full_way(canonicalizer: RdfCanonicalizer) -> None:
    documents = []
    for number in range(20):
        documents.append(changed(badge(), ["id"], f"urn:uuid:{number}"))
        documents.append({**proof_configuration(), "created": f"2026-01-01T00:00:{number:02d}Z"})
    for rdf_hash in RdfHash:
        expected = [full_way(document, rdf_hash) for document in documents]
        assert canonicalizer.n_quads_of_many(documents, rdf_hash) == expected


def test_wrong_template_is_found_out_by_the_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(canonicalizer_module, "SAMPLE_EVERY", 2)
    with RdfCanonicalizer(ContextStore(), workers=1) as made:
        made.n_quads_of_many([badge()])
        made.n_quads(badge())
        known = made._cache.find(made._reader.read(badge()))
        assert known is not None
        assert known.template is not None
        monkeypatch.setattr(type(known.template), "n_quads", lambda *_: b"wrong")
        with pytest.raises(DefectError, match="differs"):
            made.n_quads_of_many([badge(), badge()])
        assert made._cache.find(made._reader.read(badge())) is None


def test_threads_get_the_same_answers(canonicalizer: RdfCanonicalizer) -> None:
    documents = [badge(id=f"urn:uuid:{number}", name=[str(number)] * (number % 3)) for number in range(12)]
    answers: dict[int, bytes] = {}

    def work(number: int) -> None:
        answers[number] = canonicalizer.n_quads(documents[number])

    threads = [threading.Thread(target=work, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == {number: full_way(document) for number, document in enumerate(documents)}


# --- the pool -----------------------------------------------------------------------------------------------


def test_closing_leaves_no_process_behind() -> None:
    before = children()
    made = WorkerPool({}, workers=2)
    made.ask(request(badge()))
    assert len(children() - before) == 1
    made.close()
    made.close()
    assert children() <= before
    with pytest.raises(DefectError, match="closed"):
        made.ask(request(badge()))


def test_started_canonicalizer_has_one_worker_and_uses_it() -> None:
    before = children()
    with RdfCanonicalizer(ContextStore()) as made:
        made.start()
        started = children() - before
        made.start()
        made.n_quads(badge())
        assert len(started) == 1
        assert children() - before == started
    assert children() <= before


def test_killed_worker_leaves_no_zombie() -> None:
    before = children()
    made = WorkerPool({}, workers=1, seconds=0.3)
    with pytest.raises(TooComplexError):
        made.ask(request(clique(9)))
    assert children() <= before
    made.close()


def test_worker_that_died_while_idle_is_replaced() -> None:
    made = WorkerPool({}, workers=1)
    made.ask(request(badge()))
    process = made._idle[0]._process
    os.kill(process.pid, signal.SIGKILL)
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert "n_quads" in made.ask(request(badge()))
    made.close()


def test_worker_of_another_process_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    made = WorkerPool({}, workers=2)
    made.ask(request(badge()))
    inherited = made._idle[0]
    monkeypatch.setattr(inherited, "owner", -1)
    assert "n_quads" in made.ask(request(badge()))
    assert inherited not in made._idle
    assert inherited.alive()
    made.close()
    inherited.end(gently=True)


def test_worker_that_does_not_start_is_a_defect(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limited, "_CODE", "raise SystemExit(3)")
    made = WorkerPool({}, workers=1)
    with pytest.raises(DefectError, match="start"):
        made.ask(request(badge()))
    made.close()


def test_caller_is_turned_away_when_all_workers_stay_busy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "_QUEUE_SECONDS", 0.01)
    made = WorkerPool({}, workers=1)
    made._places.acquire()
    with pytest.raises(UnavailableError, match="busy"):
        made.ask(request(badge()))
    made.close()


def test_answer_that_announces_too_much_ends_the_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "MAX_FRAME_BYTES", 100)
    made = WorkerPool({}, workers=1)
    with pytest.raises(TooComplexError):
        made.ask(request(badge()))
    made.close()


def test_worker_sees_no_secret_of_its_parents_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROOTMARK_SECRET", "secret")
    made = WorkerPool({}, workers=1)
    made.ask(request(badge()))
    environment = Path(f"/proc/{made._idle[0]._process.pid}/environ").read_bytes()
    assert b"SECRET" not in environment
    made.close()


def test_busy_worker_ends_by_itself_when_its_parent_is_gone() -> None:
    first = {"contexts": {}, "memory_bytes": 1 << 30, "seconds": 0.5}
    process = limited.started(worker.__name__)
    assert process.stdin is not None
    assert process.stdout is not None
    write_frame(process.stdin, first)
    assert read_frame(process.stdout) == {"ready": True}
    write_frame(process.stdin, request(clique(9)))
    process.stdin.close()
    assert process.wait(20) == -signal.SIGALRM
    process.stdout.close()


# --- the worker, in this process ----------------------------------------------------------------------------


def frames(*messages: dict[str, Any]) -> io.BytesIO:
    stream = io.BytesIO()
    for message in messages:
        write_frame(stream, message)
    stream.seek(0)
    return stream


def test_worker_answers_until_its_input_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "_limit_memory", lambda amount: None)
    monkeypatch.setattr(signal, "setitimer", lambda *_: None)
    answers = io.BytesIO()
    first = {"contexts": {}, "memory_bytes": 1, "seconds": 1}
    serve(frames(first, request(badge()), request(badge(id="relative"))), answers)
    answers.seek(0)
    assert read_frame(answers) == {"ready": True}
    assert read_frame(answers) == {"n_quads": full_way(badge()).decode()}
    refused = read_frame(answers)
    assert refused is not None
    assert refused["error"][0] == "UndefinedTermError"
    assert read_frame(answers) is None


def test_worker_without_input_ends() -> None:
    answers = io.BytesIO()
    serve(io.BytesIO(), answers)
    assert answers.getvalue() == b""


def test_service_makes_a_template_on_request() -> None:
    service = Service({})
    document = {"@context": [VC2, EXAMPLES], "type": ["VerifiableCredential"], "issuer": "urn:a"}
    n_quads = service.answer(request(document))["n_quads"]
    made = service.answer({**request(document), "n_quads": n_quads, "forced": []})
    assert made["template"]["cheap"] is True
    assert service.answer({**request(document), "n_quads": "x", "forced": []}) == {"template": None}


def test_service_reports_what_is_no_iri_and_what_needs_too_much_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    service = Service({})
    assert service.answer(request(badge(id="https://x.example/{}")))["error"][0] == "ValidationError"

    def exhausted(*_: Any, **__: Any) -> None:
        raise MemoryError

    monkeypatch.setattr(service._expander, "quads", exhausted)
    assert service.answer(request(badge()))["error"][0] == "TooComplexError"


def test_frame_that_is_cut_or_too_long_is_refused() -> None:
    assert read_frame(io.BytesIO(b"\0\0\0\5abc")) is None
    assert read_frame(io.BytesIO(b"\0")) is None
    with pytest.raises(ValueError, match="too long"):
        read_frame(io.BytesIO(b"\xff\xff\xff\xff"))
