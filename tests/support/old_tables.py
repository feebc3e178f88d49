"""A database as an earlier version of the hub left it."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config

import relay.store.migrations as migrations
from relay.store import Store


def database_of_version(store: Store, version: str) -> None:
    """Make the tables of that version in an empty database."""
    config = Config()
    config.set_main_option("script_location", str(Path(next(iter(migrations.__path__)))))
    config.attributes["store"] = store
    command.upgrade(config, version)
