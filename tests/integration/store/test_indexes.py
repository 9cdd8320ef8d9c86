"""Every question that is asked often, or of large tables, is answered through an index.

The statements are caught on their way to the database and explained there. PostgreSQL is told to avoid
sequential scans, as it would for tables of some size: what still scans has no index.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Connection, event

from registry.model.chain import CallKind, EventKind
from registry.model.operations import OperationState, TransactionState
from registry.model.signing_keys import SigningKeyKind
from registry.ports.store import Unit
from registry.store import SqlStore
from registry.store.prepared import Prepared
from tests.integration.store.makers import T0, address, b32, digest, root, tx_hash

PAIRS = [(address(number), root(number)) for number in range(3)]
TARGETS = [(*pair, 5) for pair in PAIRS]
QUESTIONS: dict[str, Callable[[Unit], object]] = {
    "issuer": lambda unit: unit.issuers.get(address("a")),
    "key by token": lambda unit: unit.access.key_by_token(b32("t")),
    "keys of issuer": lambda unit: unit.access.keys_of(address("a")),
    "current signing key": lambda unit: unit.signing_keys.current(address("a"), SigningKeyKind.ED25519),
    "signing keys of issuer": lambda unit: unit.signing_keys.of_issuer(address("a")),
    "batch by id": lambda unit: unit.batches.by_id("x"),
    "batches by root": lambda unit: unit.batches.by_roots(PAIRS),
    "batches of issuer": lambda unit: unit.batches.page(address("a"), None, 9, 5),
    "open batch": lambda unit: unit.batches.open_batch(address("a")),
    "due": lambda unit: unit.batches.open_due(T0, 5),
    "abandoned": lambda unit: unit.batches.abandoned(T0),
    "oldest unanchored": lambda unit: unit.batches.oldest_unanchored(),
    "tiles": lambda unit: unit.batches.read_tiles(1, [(0, 0), (1, 0)]),
    "leaves": lambda unit: list(unit.entries.leaf_inputs(1)),
    "entry by digest": lambda unit: unit.entries.by_digests([digest(1)]),
    "entries by digest": lambda unit: unit.entries.by_digests([digest(1), digest(2)]),
    "entries by external id": lambda unit: unit.entries.by_external_ids(address("a"), ["x", "y"]),
    "entries by index": lambda unit: unit.entries.by_indices([(1, 2), (1, 3)]),
    "entries of batch": lambda unit: unit.entries.of_batch(1, 5, 10),
    "document": lambda unit: unit.entries.document(1, 2),
    "repeated": lambda unit: unit.entries.repeated_in(1, 5),
    "already anchored": lambda unit: unit.entries.already_anchored(1, 5),
    "achievement": lambda unit: unit.achievements.get("urn:x"),
    "achievement's version": lambda unit: unit.achievements.get("urn:x", 3),
    "newest achievements": lambda unit: unit.achievements.newest(["urn:x", "urn:y"]),
    "achievements of issuer": lambda unit: unit.achievements.page(address("a"), "urn:x", 5),
    "achievement's picture": lambda unit: unit.achievement_images.get("urn:x"),
    "award": lambda unit: unit.awards.get("x"),
    "awards by place": lambda unit: unit.awards.by_places([(1, 2), (1, 3)]),
    "awards of issuer": lambda unit: unit.awards.page(address("a"), before=(7, 3)),
    "awards of batch": lambda unit: unit.awards.page(address("a"), batch_seq=7),
    "awards of achievement": lambda unit: unit.awards.page(address("a"), achievement_id="urn:x"),
    "awards behind entries": lambda unit: unit.awards.marked(address("a"), [(1, 2), (1, 3)], ()),
    "awards behind batches": lambda unit: unit.awards.marked(address("a"), (), [1, 2]),
    "awards in a list": lambda unit: unit.awards.marked(address("a"), [(1, 2)], [3], status_list="x"),
    "status list": lambda unit: unit.status_lists.get("x"),
    "status lists of issuer": lambda unit: unit.status_lists.of_issuer(address("a")),
    "status list with room": lambda unit: unit.status_lists.with_room(address("a"), 5),
    "operations by state": lambda unit: unit.outbox.operations(states={OperationState.QUEUED}),
    "operations of batch": lambda unit: unit.outbox.operations_of_batch(1),
    "operations of request": lambda unit: unit.outbox.operations_of_request("r"),
    "operations of kind": lambda unit: unit.outbox.operations_of_kind(address("a"), CallKind.ADD_KEY),
    "pending": lambda unit: unit.outbox.pending_for_roots(PAIRS),
    "nonce": lambda unit: unit.outbox.next_nonce(address("s"), 0),
    "signed": lambda unit: unit.outbox.transactions(states={TransactionState.SIGNED}, sender=address("s")),
    "transactions of": lambda unit: unit.outbox.transactions_of([1, 2]),
    "request": lambda unit: unit.outbox.request("r"),
    "requests by transaction": lambda unit: unit.outbox.requests_by_transactions([tx_hash(1), tx_hash(2)]),
    "head": lambda unit: unit.events.head_of(address("a")),
    "head at a block": lambda unit: unit.events.head_of(address("a"), 5),
    "history": lambda unit: list(unit.events.of_issuer(address("a"))),
    "touching one": lambda unit: unit.events.touching(TARGETS[:1]),
    "touching many": lambda unit: unit.events.touching(TARGETS),
    "events of kind": lambda unit: unit.events.list(kinds=[EventKind.REVOKED]),
    "feed": lambda unit: unit.feed.after(5, 10),
    "feed of issuer": lambda unit: unit.feed.after(5, 10, issuer=address("a")),
}

SEARCHED = {
    "tiles": "(batch_seq=? AND place=?)",
    "entries by index": "SEARCH entries USING PRIMARY KEY (batch_seq=? AND entry_index=?)",
    "entries of batch": "SEARCH entries USING PRIMARY KEY (batch_seq=? AND entry_index>?)",
    "leaves": "SEARCH entries USING PRIMARY KEY (batch_seq=? AND entry_index>? AND entry_index<?)",
    "already anchored": "SEARCH other USING COVERING INDEX ix_entries_digest (digest=?)",
    "entries by external id": "(issuer=? AND external_id=?)",
    "awards by place": "USING INDEX ix_awards_batch_seq_entry_index (batch_seq=? AND entry_index=?)",
    "awards behind entries": "USING INDEX ix_awards_batch_seq_entry_index (batch_seq=? AND entry_index=?)",
    "awards behind batches": "USING INDEX ix_awards_batch_seq_entry_index (batch_seq=?",
    "awards in a list": "USING INDEX ix_awards_batch_seq_entry_index (batch_seq=?",
    "awards of issuer": "(issuer=? AND batch_seq<?)",
    "awards of achievement": "(issuer=? AND achievement_id=?)",
    "status list with room": "(issuer=? AND used<?)",
    "pending": "(call_root=? AND state=?)",
    "history": "(issuer=? AND id>?)",
}
"""Where SQLite has a choice: how it has to search. Through a wrong index it would read a whole table too."""


@contextmanager
def caught(store: SqlStore) -> Iterator[list[tuple[str, Any]]]:
    statements: list[tuple[str, Any]] = []

    def catch(_c: Connection, _cursor: object, statement: str, parameters: Any, *_rest: object) -> None:
        if statement.startswith(("SELECT", "WITH")):
            statements.append((statement, parameters))

    class Cursor:
        """Notes what a prepared query hands to the driver."""

        def __init__(self, cursor: Any) -> None:
            self._cursor = cursor
            self.fetchall = cursor.fetchall

        def execute(self, statement: str, parameters: Any) -> None:
            statements.append((statement, parameters if isinstance(parameters, dict) else tuple(parameters)))
            self._cursor.execute(statement, parameters)

    run, here = Prepared.run, threading.get_ident()

    def noted(query: Prepared, cursor: Any, *rest: Any) -> Any:
        """Queries of this thread alone: a server of other tests may be at work beside it."""
        return run(query, Cursor(cursor) if threading.get_ident() == here else cursor, *rest)

    event.listen(store._engines.read, "before_cursor_execute", catch)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Prepared, "run", noted)
        yield statements
    event.remove(store._engines.read, "before_cursor_execute", catch)


def plan_of(unit: Unit, statement: str, parameters: Any) -> list[str]:
    database = unit.meta._db  # type: ignore[attr-defined]
    if database.is_postgres:
        database.connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        rows = database.connection.exec_driver_sql(f"EXPLAIN {statement}", parameters)
        return [row[0] for row in rows]
    rows = database.connection.connection.cursor().execute(f"EXPLAIN QUERY PLAN {statement}", parameters)
    return [row[3] for row in rows]


@pytest.mark.parametrize("question", QUESTIONS)
def test_question_is_answered_through_an_index(indexed: SqlStore, question: str) -> None:
    with indexed.read() as unit:
        with caught(indexed) as statements:
            QUESTIONS[question](unit)
        assert statements
        for statement, parameters in statements:
            plan = plan_of(unit, statement, parameters)
            if not unit.meta._db.is_postgres and question in SEARCHED:
                assert SEARCHED[question] in "\n".join(plan)
            assert not [line for line in plan if is_scan(line)], "\n".join([statement, *plan])


def is_scan(line: str) -> bool:
    constant = "CONSTANT" in line or "SCAN listed" in line
    return ("SCAN" in line and not constant) or "Seq Scan" in line


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def indexed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqlStore]:
    """An empty store for all questions on one database."""
    from registry.store import open_store

    if request.param == "sqlite":
        store = open_store(f"sqlite:///{tmp_path_factory.mktemp('plans') / 'plans.db'}", migrate=True)
        yield store
        store.close()
        return
    server = request.getfixturevalue("postgres_server")
    url = server.lend()
    store = open_store(url, migrate=False)
    yield store
    store.close()
    server.take_back(url)
