"""The database: rows, repositories, units of work, migrations. Nothing else in the registry knows SQL.

SQLite and PostgreSQL through the same repositories and the same migrations.
"""

from registry.store.copying import copy_database
from registry.store.errors import StoreDefectError
from registry.store.schema import migrate, migrations_behind, newest_version, schema_version
from registry.store.store import SqlStore, open_store
from registry.store.unit import SqlUnit

__all__ = [
    "SqlStore",
    "SqlUnit",
    "StoreDefectError",
    "copy_database",
    "migrate",
    "migrations_behind",
    "newest_version",
    "open_store",
    "schema_version",
]
