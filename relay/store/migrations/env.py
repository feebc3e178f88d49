"""Where Alembic finds the database: the Store that `Store.migrate()` hands over."""

from __future__ import annotations

from alembic import context

from relay.store.engine import Store
from relay.store.tables import metadata


def run() -> None:
    """Run the migrations in one write transaction of the store."""
    store: Store = context.config.attributes["store"]
    with store.write() as connection:
        context.configure(connection=connection, target_metadata=metadata, render_as_batch=True)
        context.run_migrations()


run()
