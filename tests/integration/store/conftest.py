"""Fixtures of the store's tests."""

from __future__ import annotations

from tests.support.databases import database_url, postgres_server, postgres_url, sqlite_url, store

__all__ = ["database_url", "postgres_server", "postgres_url", "sqlite_url", "store"]
