"""Alembic's environment and the versions of the tables."""

HEAD = "0009"
"""The newest version; a test compares it with the modules in `versions`."""
