"""Alembic's migrations, inside the package so that an installation can run them."""
