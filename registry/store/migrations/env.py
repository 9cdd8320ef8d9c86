"""How alembic runs here: on the connection it is given, inside the transaction that is open on it."""

from __future__ import annotations

from alembic import context

from registry.store.rows import METADATA
from registry.store.schema import VERSION_TABLE

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=METADATA, version_table=VERSION_TABLE)
context.run_migrations()
