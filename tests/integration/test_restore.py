"""A backup put back: what came after it is missing here and stands on the chain; nothing is done twice."""

from __future__ import annotations

import shutil
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from hashlib import sha256
from pathlib import Path

from registry.bootstrap import App, build
from registry.encoding import Digest, DigestMethod
from registry.merkle import proof_from_json
from registry.model.batches import Batch, BatchState
from registry.model.chain import EventKind
from registry.model.issuers import Caller
from registry.services.claims import VerifyRequest
from registry.services.items import NewItem
from registry.settings import load_settings
from registry.verdict.report import Outcome


@contextmanager
def running(directory: Path) -> Iterator[App]:
    app = build(load_settings(data_dir=directory))
    with closing(app):
        yield app


def digests(name: str) -> list[Digest]:
    return [Digest(sha256(f"{name} {number}".encode()).digest()) for number in range(3)]


def issued(app: App, caller: Caller, name: str) -> Batch:
    """A final batch."""
    batch = app.issuing.create_batch(caller, [NewItem(d, DigestMethod.OPAQUE) for d in digests(name)])
    deadline = time.monotonic() + 60
    while batch.state is not BatchState.FINAL:
        assert batch.state is not BatchState.FAILED, batch.error
        assert time.monotonic() < deadline, batch
        app.worker.step()
        time.sleep(0.05)
        batch = app.issuing.batch(None, batch.id)
    return batch


def test_restored_database_lacks_what_came_after_it_says_so_and_doubles_nothing(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with running(data) as app:
        admin = app.access.authenticate((data / "admin-token").read_text().strip())
        token = app.issuers.register(admin, "College", "https://college.example", None).token
        caller = app.access.authenticate(token)
        before = issued(app, caller, "before")
    shutil.copy(data / "rootmark.db", tmp_path / "backup.db")
    with running(data) as app:
        after = issued(app, caller, "after")
        proof = proof_from_json(app.issuing.proof(digests("after")[0]))
    for path in data.glob("rootmark.db*"):
        path.unlink()
    shutil.copy(tmp_path / "backup.db", data / "rootmark.db")

    with running(data) as app:
        app.worker.step()
        (lost,) = app.audit.consistency().differences
        assert (lost.kind, lost.root) == ("anchor_not_made_here", after.root)

        def outcome(request: VerifyRequest) -> Outcome:
            return app.verification.verify(request).outcome

        assert outcome(VerifyRequest(digest=digests("before")[0])) is Outcome.VALID
        assert outcome(VerifyRequest(digest=digests("after")[0])) is Outcome.NOT_FOUND
        assert outcome(VerifyRequest(proof=proof)) is Outcome.VALID  # the holder kept it

        again = issued(app, caller, "later")
        events = app.audit.events(
            issuer=caller.issuer, kinds={EventKind.BATCH_ANCHORED}, since=None, until=None, after=0, limit=100
        )
        anchors = Counter(event.root for event in events.items)
        assert anchors == {before.root: 1, after.root: 1, again.root: 1}
