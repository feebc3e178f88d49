"""Make a hub: its folder, configuration, database, and on a development hub the local keys of officers and operators."""

from __future__ import annotations

from adapters.loopback_ports import free_port
from relay.config import HubConfig
from relay.errors import BadInput, NotFound
from relay.home import Home
from relay.keys import KeyStore
from relay.registry.names import GUARDIAN, OFFICERS, SENDER
from relay.registry.operators import development_operators
from relay.store import Store
from schemas.primitives import SchemaError, name_text

DEVELOPMENT_ANCHOR_INTERVAL_S = 30
"""Seconds between two notes of the evidence log on the ledgers of a development hub."""


def ensure_hub(home: Home, *, name: str = "", production: bool = False) -> tuple[HubConfig, bool]:
    """Load the hub's configuration, or make a hub: a development hub unless it is to be a production one.

    Args:
        home: the hub's folder.
        name: the hub's name; it enters every lane_id. Needed for production.
        production: no local officers or operators; delays and quorums as the protocol has them.

    Returns:
        The configuration, and whether the hub was made now.

    Raises:
        BadInput: the name cannot be used, contradicts the hub that is there, or the folder cannot be written.
    """
    try:
        config = home.load()
    except NotFound:
        config = _new_hub(home, name, production=production)
        made = True
    else:
        made = False
        if name and name != config.name:
            raise BadInput(
                f"The hub here is named {config.name!r}, not {name!r}.", "Leave --name out, or use another --home."
            )
        if production and config.development:
            raise BadInput("The hub here is a development hub.", "Use another --home for production.")
    if config.web_port == 0:
        config = config.model_copy(update={"web_port": free_port()})
        home.save(config)
    return config, made


def prepare(home: Home, config: HubConfig) -> Store:
    """Bring the database to this version and, on a development hub, make keys and operators that are missing.

    Raises:
        BadInput: something cannot be written; the error says what.
    """
    home.run.mkdir(parents=True, exist_ok=True, mode=0o700)
    store = Store(home.database_url(config))
    store.migrate()
    if config.development:
        keys = KeyStore(home.keys)
        for key in (*OFFICERS, GUARDIAN, SENDER):
            keys.load_or_new(key)
        development_operators(home, config, store)
    return store


def _new_hub(home: Home, name: str, *, production: bool) -> HubConfig:
    if production and not name:
        raise BadInput("A production hub needs a name; it enters every lane's id.", "Give --name NAME.")
    try:
        name_text(name or "development", "hub name")
    except SchemaError as error:
        raise BadInput(f"{error}.", "Choose another name.") from None
    intervals = {} if production else {"anchor_interval_s": DEVELOPMENT_ANCHOR_INTERVAL_S}
    config = HubConfig(name=name or "development", development=not production, **intervals)
    try:
        home.save(config)
    except OSError as error:
        raise BadInput(f"{home.folder} cannot be written: {error.strerror}.", "Choose another --home.") from None
    return config
