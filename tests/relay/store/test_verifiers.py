"""Which verifier judges a direction of a lane, what is behind it, and the trust level that follows."""

import pytest
from sqlalchemy import MetaData, Table, insert, select, text, update

from relay.errors import NotFound
from relay.store.tables import chains, committees, lanes, verifiers
from relay.store.verifiers import (
    Kind,
    committee_of,
    epochs_of,
    lane_trust,
    light_client_of,
    read_client_again,
    trust_level,
    verifier_of,
)
from schemas.claim import Direction
from tests.support.memory_hub import VERIFIER, MemoryHub

CLIENT, BOTH = b"\x0c" * 20, b"\x0b" * 20


@pytest.fixture(scope="module")
def memory(tmp_path_factory):
    hub = MemoryHub(tmp_path_factory.mktemp("verifiers"))
    yield hub
    hub.close()


@pytest.fixture
def there(memory):
    """A connection whose changes are undone, and the lane alpha → beta."""
    with memory.context.store.engine.connect() as connection:
        changes = connection.begin()
        connection.execute(
            insert(verifiers).values(
                chain="beta", address=CLIENT, kind="light-client", peer="alpha", light_client=CLIENT, read_at=9.0
            )
        )
        connection.execute(
            insert(verifiers).values(
                chain="beta", address=BOTH, kind="both", peer="alpha", light_client=CLIENT, committee=VERIFIER
            )
        )
        yield connection, lambda **columns: _lane(connection, memory, columns)
        changes.rollback()


def _lane(connection, memory, columns):
    mine = lanes.c.lane_id == memory.lane_ids["alpha", "beta"]
    if columns:
        connection.execute(update(lanes).where(mine).values(**columns))
    return connection.execute(select(lanes).where(mine)).one()


def test_the_destination_judges_the_outbox_and_the_source_the_outcomes(there):
    connection, lane = there
    row = lane(destination_verifier=CLIENT)
    assert verifier_of(connection, row, Direction.OUTBOX)[:3] == ("beta", CLIENT, "light-client")
    assert verifier_of(connection, row, Direction.OUTCOMES)[:3] == ("alpha", VERIFIER, "committee")


def test_a_verifier_that_was_not_read_is_named(there):
    connection, lane = there
    with pytest.raises(NotFound, match=r"0x0d0d.* on beta"):
        verifier_of(connection, lane(destination_verifier=b"\x0d" * 20), Direction.OUTBOX)


@pytest.mark.parametrize(
    ("address", "committee", "client"),
    [(VERIFIER, VERIFIER, None), (CLIENT, None, CLIENT), (BOTH, VERIFIER, CLIENT)],
)
def test_what_is_behind_a_verifier(there, address, committee, client):
    connection, lane = there
    row = verifier_of(connection, lane(destination_verifier=address), Direction.OUTBOX)
    found = committee_of(connection, row)
    assert (found.verifier if found else None) == committee
    found = light_client_of(connection, row)
    assert (found.address if found else None) == client


def test_an_epoch_of_another_contract_is_not_this_ones(there):
    connection, lane = there
    other = {"chain": "beta", "verifier": b"\x0e" * 20, "epoch": 9, "threshold": 1, "signers": [], "state": "current"}
    connection.execute(insert(committees).values(**other))
    connection.execute(insert(committees).values(**{**other, "verifier": VERIFIER, "epoch": 0, "state": "old"}))
    row = verifier_of(connection, lane(), Direction.OUTBOX)
    assert committee_of(connection, row).epoch == 1
    assert set(epochs_of(connection, row)) == {0, 1}


def test_a_client_is_read_again(there):
    connection, lane = there
    read_client_again(connection, verifier_of(connection, lane(destination_verifier=BOTH), Direction.OUTBOX))
    read_at = dict(connection.execute(select(verifiers.c.address, verifiers.c.read_at)).all())
    assert read_at[CLIENT] == 0.0


@pytest.mark.parametrize(
    ("kinds", "trust"),
    [
        ((Kind.BOTH, Kind.BOTH), "both"),
        ((Kind.BOTH, Kind.LIGHT_CLIENT), "light-client"),
        ((Kind.LIGHT_CLIENT, Kind.COMMITTEE), "committee"),
        ((Kind.COMMITTEE, Kind.BOTH), "committee"),
    ],
)
def test_the_trust_level_is_that_of_the_weaker_end(kinds, trust):
    assert trust_level(kinds, ["qbft", "qbft"]) == trust


def test_a_ledger_without_consensus_makes_a_lane_development():
    assert trust_level([Kind.BOTH], ["qbft", "development"]) == "development"


def test_the_trust_level_of_a_lane_follows_from_its_two_verifiers(there):
    connection, lane = there
    assert lane_trust(connection, lane(destination_verifier=CLIENT)) == "committee"
    connection.execute(
        insert(verifiers).values(chain="alpha", address=BOTH, kind="both", peer="beta", light_client=CLIENT)
    )
    assert lane_trust(connection, lane(source_verifier=BOTH)) == "light-client"
    assert lane_trust(connection, lane(source_verifier=b"\x0d" * 20)) == "committee"  # not read yet
    connection.execute(update(chains).where(chains.c.name == "alpha").values(consensus="development"))
    assert lane_trust(connection, lane(source_verifier=BOTH)) == "development"


def test_ledgers_of_an_older_hub_keep_their_committees(memory, tmp_path):
    """The migration gives each ledger's committee its row, and its epochs the contract's address."""
    from relay.store import Store
    from tests.support.old_tables import database_of_version

    store = Store(f"sqlite:///{tmp_path / 'old.db'}")
    database_of_version(store, "0001")
    with memory.context.store.read() as connection:
        chain = dict(connection.execute(select(chains).where(chains.c.name == "alpha")).one()._mapping)
    with store.write() as connection:
        older = Table("chains", MetaData(), autoload_with=connection)
        connection.execute(insert(older).values({column.name: chain[column.name] for column in older.columns}))
        connection.execute(
            text("INSERT INTO committees (chain, epoch, threshold, signers, state) VALUES ('alpha', 3, 2, '[]', 'old')")
        )
    store.migrate()
    with store.read() as connection:
        row = connection.execute(select(verifiers)).one()
        epoch = connection.execute(select(committees)).one()
    store.close()
    assert (row.chain, row.address, row.kind, row.committee) == ("alpha", VERIFIER, "committee", VERIFIER)
    assert (epoch.chain, epoch.verifier, epoch.epoch, epoch.signers) == ("alpha", VERIFIER, 3, [])
