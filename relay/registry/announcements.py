"""Changes of a ledger's validators that its network announced for later blocks, told to the light clients that follow it.

The hub's own client and the files of its operators are changed; an operator elsewhere changes its own file.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, select, update

from light_clients.bft.options import read_options
from light_clients.bft.reconfigure import reconfigure
from light_clients.errors import ConfigurationInvalid
from light_clients.families import client_named
from relay.clients import BFT_FAMILIES
from relay.config import HubConfig
from relay.errors import BadInput
from relay.home import Home
from relay.registry.chains import chain_named
from relay.registry.client_options import read_client_options
from relay.registry.operators import write_operator_files
from relay.registry.turns import turn_of_chain
from relay.store import Store
from relay.store.tables import chains


def announce(home: Home, config: HubConfig, store: Store, name: str, path: str) -> Row[Any]:
    """Take up the overrides and selections of a file for blocks that are still to come.

    Args:
        home: the hub's folder.
        config: its configuration.
        store: its database.
        name: the ledger.
        path: options of the light client, or the genesis file, as for registration.

    Returns:
        The ledger's row.

    Raises:
        NotFound: there is no such ledger.
        BadInput: the file is of another family, or changes what is decided.
        NotNow: the ledger's worker does not pause.
    """
    row = chain_named(store, name)
    said = read_client_options(path)
    if row.consensus not in BFT_FAMILIES or said.consensus not in ("", row.consensus):
        raise BadInput(
            f"{name} is followed as {row.consensus}, and the file is of {said.consensus or 'a BFT family'}.",
            f"Give a file for one of {', '.join(BFT_FAMILIES)}, and the ledger that it is of.",
        )
    try:
        announced = read_options(BFT_FAMILIES[row.consensus], said.options)
        with turn_of_chain(store, name) as lease, lease.write() as connection:
            held = connection.execute(select(chains.c.client_state).where(chains.c.name == name)).scalar_one()
            state = reconfigure(client_named(row.consensus).state_from_bytes(bytes(held)), announced)
            connection.execute(update(chains).where(chains.c.name == name).values(client_state=state.to_bytes()))
    except ConfigurationInvalid as error:
        raise BadInput(error.message, "Correct the file.") from None
    if config.development:
        write_operator_files(home, config, store)
    return chain_named(store, name)
