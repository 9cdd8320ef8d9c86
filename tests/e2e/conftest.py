"""Databases for whole systems."""

from tests.support.databases import postgres_server, postgres_url

__all__ = ["postgres_server", "postgres_url"]
