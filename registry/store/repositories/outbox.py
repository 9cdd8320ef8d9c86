"""The outbox as one repository: operations, transactions, status requests."""

from __future__ import annotations

from registry.store.database import Database
from registry.store.repositories.operations import Operations
from registry.store.repositories.requests import Requests
from registry.store.repositories.transactions import Transactions


class Outbox(Operations, Transactions, Requests):
    """`registry.ports.store.OutboxRepository`."""

    def __init__(self, database: Database) -> None:
        self._db = database
