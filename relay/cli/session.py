"""What most commands begin with: the hub's configuration, database and keys."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from relay.backup.registered import keep_registry
from relay.cli.output import note
from relay.config import HubConfig
from relay.errors import BadInput
from relay.home import Home
from relay.keys import Key, KeyStore
from relay.registry.names import OFFICERS
from relay.store import Store


@dataclass(frozen=True, slots=True)
class Session:
    """An opened hub."""

    home: Home
    config: HubConfig
    store: Store
    keys: KeyStore

    def officer(self, name: str) -> Key | None:
        """The officer's key of that name; None where a development hub acts with its local officers."""
        if name:
            return self.keys.load(name)
        if self.config.development:
            return None
        raise BadInput("On a production hub an officer signs this.", "Give --key NAME of an officer's key.")

    def narrowing_officer(self, name: str) -> Key:
        """The key that narrows at once: the named one, else the first local officer's of a development hub."""
        return self.officer(name) or self.keys.load(OFFICERS[0])


@contextmanager
def session(home: str) -> Iterator[Session]:
    """Open the hub of `--home`; its tables are brought to this version.

    Raises:
        NotFound: there is no hub.
        BadInput: its configuration or database cannot be used.
    """
    place = Home.locate(home or None)
    config = place.load()
    store = Store(place.database_url(config))
    try:
        store.migrate()
        yield Session(place, config, store, KeyStore(place.keys))
        _keep(place, store)
    finally:
        store.close()


def _keep(place: Home, store: Store) -> None:
    """Write registry.toml where the command changed the registry; what was done stays done where that cannot be written."""
    try:
        keep_registry(place, store)
    except OSError as error:
        note(f"registry.toml was not written: {error.strerror}. The watch tries again.")
