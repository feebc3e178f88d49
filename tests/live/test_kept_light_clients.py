"""The keeper on two sealed networks: it leads a light client after a changed set, refreshes an idle one, and freezes one."""

import time

import pytest
from sqlalchemy import func, select, update

import relay.work as work_module
from adapters.evm.devnet import DevelopmentNetwork
from adapters.solidity.administration import Caps, set_verifier
from adapters.solidity.verifiers import encode_update, validators_hash
from light_clients.qbft.codec import parse_header
from relay.context import Context
from relay.home import Home
from relay.keys import KeyStore
from relay.registry.chains import chain_named, open_chain
from relay.registry.gateways import Contract
from relay.registry.hub import ensure_hub, prepare
from relay.registry.lane_verifiers import Trust
from relay.registry.lanes import lane_row
from relay.registry.opening import open_lanes
from relay.registry.registration import ChainRequest, Registration
from relay.steps import keep, validator_run
from relay.steps import verifiers as steps_verifiers
from relay.steps.verifiers import wait_id
from relay.store import waits
from relay.store.tables import lanes, transactions, verifiers
from relay.store.tables import waits as waits_table
from relay.store.verifiers import Kind, verifier_at
from relay.store.waits import Reason
from relay.work import work
from schemas.primitives import LaneId

pytestmark = pytest.mark.live

BLOCK_S = 0.25
PATIENCE_S = 120.0
PERIOD_S = 3_600


class Kept:
    """A hub without processes: a lane by light clients, and a worker that is this thread."""

    def __init__(self, folder, networks):
        self.networks = networks
        home = Home(folder / "hub")
        config, _ = ensure_hub(home, name="hub")
        store = prepare(home, config)
        keys = KeyStore(home.keys)
        for name, network in networks.items():
            Registration(home, config, store, lambda _line: None).add(ChainRequest(name, (network.url,)))
        open_lanes(
            config, store, keys, [("alpha", "beta")], channel="default", caps=Caps(), batch_limit=50, officer=None,
            tell=lambda _line: None, trust=Trust(Kind.LIGHT_CLIENT, {}, PERIOD_S),
        )  # fmt: skip
        store.close()
        self.later_s = 0
        self.context = Context(home, clock=lambda: time.time() + self.later_s)
        self.address = bytes(lane_row(self.context.store, "alpha", "beta").destination_verifier)
        self.ledger = open_chain(chain_named(self.context.store, "beta"))
        self.contract = Contract(self.ledger, "QbftVerifier", self.address)

    def look(self, *names):
        """Each ledger's task, once."""
        for name in names or self.networks:
            work(self.context, "chain", name, lambda *_: None)

    def until(self, what):
        """Look until it is so."""
        deadline = time.monotonic() + PATIENCE_S
        while not what():
            assert time.monotonic() < deadline, (self.client(), self.waits())
            self.look()
            time.sleep(BLOCK_S / 2)

    def client(self):
        with self.context.store.read() as connection:
            return verifier_at(connection, "beta", self.address)

    def waits(self):
        with self.context.store.read() as connection:
            return waits.find(connection, "client", wait_id("beta", self.address))

    def sent(self):
        """How many transactions the hub made for the light client on beta."""
        with self.context.store.read() as connection:
            counted = select(func.count()).where(transactions.c.purpose == "client", transactions.c.chain == "beta")
            return connection.execute(counted.select_from(transactions)).scalar_one()

    def validators_of(self, name):
        """Hash of the set that the hub's newest verified header of a ledger lists."""
        header = bytes(chain_named(self.context.store, name).client_header)
        return validators_hash(parse_header(header).extra.validators)

    def vote(self, *, add):
        """Vote a validator in or out on alpha, and wait until the hub verified a header that lists the new set."""
        network = self.networks["alpha"]
        before, present = self.validators_of("alpha"), network.rpc("qbft_getValidatorsByBlockNumber", "latest")
        subject = network.rpc("devnet_newValidator") if add else present[0]
        network.rpc("qbft_proposeValidatorVote", subject, add)
        self.until(lambda: self.validators_of("alpha") != before)
        network.rpc("qbft_discardValidatorVote", subject)

    def close(self):
        self.ledger.close()
        for name in self.networks:
            self.context.ledger(self.context.chain(name)).close()
        self.context.close()


@pytest.fixture
def kept(tmp_path):
    with (
        DevelopmentNetwork(chain_id=53_001, block_time_s=BLOCK_S) as alpha,
        DevelopmentNetwork(chain_id=53_002, block_time_s=BLOCK_S) as beta,
    ):
        kept = Kept(tmp_path, {"alpha": alpha, "beta": beta})
        yield kept
        kept.close()


def test_validators_voted_in_and_out_are_followed(kept, monkeypatch):
    first = kept.client()
    for add in (True, False):
        before = kept.client()
        kept.vote(add=add)
        kept.until(lambda: kept.client().validators_hash == kept.validators_of("alpha") and kept.waits() is None)
        assert kept.contract.ask("client")["validatorsHash"] == kept.client().validators_hash
        assert kept.client().validators_hash != before.validators_hash
    assert kept.client().validators_since > first.validators_since

    monkeypatch.setattr(validator_run, "PIECE_HEADERS", 2)  # a run in pieces
    sent = kept.sent()
    kept.vote(add=True)
    kept.until(lambda: kept.client().validators_hash == kept.validators_of("alpha"))
    assert kept.sent() >= sent + 2

    sent = kept.sent()
    kept.look()
    assert kept.sent() == sent  # nothing is due


def test_an_idle_client_is_refreshed_and_an_expired_one_waits(kept):
    first = kept.client()
    kept.look()
    assert kept.sent() == 0
    kept.later_s = PERIOD_S // 3
    kept.until(lambda: kept.client().client_height > first.client_height)
    assert kept.sent() >= 1
    assert kept.waits() is None
    kept.later_s = 2 * PERIOD_S
    kept.until(lambda: kept.waits() is not None)
    found = kept.waits()
    assert (found.code, found.party) == ("light_client_expired", "officers")
    assert f"pin-validators --chain beta --verifier 0x{kept.address.hex()}" in found.text
    kept.later_s = 0
    kept.until(lambda: kept.waits() is None)


def test_contradicting_headers_freeze_the_client_too(kept):
    kept.look()
    alpha = kept.networks["alpha"]
    height = chain_named(kept.context.store, "alpha").client_height
    alpha.rpc("devnet_equivocate", hex(height))
    kept.until(lambda: chain_named(kept.context.store, "alpha").state == "frozen")
    kept.until(lambda: kept.contract.ask("client")["frozen"])
    kept.until(lambda: kept.waits() is not None and kept.waits().code == "light_client_frozen")
    assert kept.client().frozen
    assert (kept.waits().party, kept.sent()) == ("officers", 1)


def test_a_change_without_votes_waits_for_the_officers(kept, monkeypatch):
    """As `transitions` in a configuration make it; nothing is sent, and nothing is asked again until it is time."""
    kept.look()
    monkeypatch.setattr(validator_run, "LONGEST_RUN", 0)
    kept.vote(add=True)
    kept.until(lambda: kept.waits() is not None)
    found, sent = kept.waits(), kept.sent()
    assert (found.code, found.party, sent) == ("light_client_behind", "officers", 0)
    assert "pin-validators" in found.text
    kept.look()
    assert kept.waits().attempts == found.attempts
    monkeypatch.undo()
    with kept.context.store.write() as connection:
        connection.execute(waits_table.update().values(next_at=0))
    kept.until(lambda: kept.client().validators_hash == kept.validators_of("alpha") and kept.waits() is None)


def test_a_peer_that_does_not_answer_is_not_asked(kept, monkeypatch):
    """Its own task says so and asks again; the ledger on which the light client stands goes on meanwhile."""
    kept.look()
    monkeypatch.setattr(work_module, "keep", lambda *_: None)
    kept.vote(add=True)
    monkeypatch.undo()
    monkeypatch.setattr(keep, "next_piece", lambda *_: pytest.fail("the peer was asked"))
    with kept.context.store.write() as connection:
        waits.wait(connection, "chain", "alpha", Reason.ENDPOINT_SLOW, party="chain alpha", text="Silence.")
    kept.look("beta")
    assert (kept.waits().code, kept.waits().party) == ("light_client_behind", "chain alpha")
    assert "Silence." in kept.waits().text
    monkeypatch.undo()
    with kept.context.store.write() as connection:
        connection.execute(waits_table.delete())
    kept.until(lambda: kept.client().validators_hash == kept.validators_of("alpha"))


def test_what_the_ledger_would_refuse_is_not_sent(kept, monkeypatch):
    """The contract refuses what is brought: the reason is told in its words, and it is tried again when it is time."""
    kept.look()
    monkeypatch.setattr(keep, "encode_update", lambda header: encode_update((header[0], header[1][:1])))
    kept.later_s = PERIOD_S // 3
    kept.look("beta")
    found = kept.waits()
    assert (found.code, kept.sent()) == ("transaction_reverted", 0)
    assert "SealsTooFew" in found.text
    monkeypatch.undo()
    kept.look("beta")
    assert kept.sent() == 0
    with kept.context.store.write() as connection:
        connection.execute(waits_table.update().values(next_at=0))
    kept.look("beta")
    assert kept.sent() == 1


def test_a_reading_from_the_future_is_none(kept):
    """It was written before the clock was set back."""
    kept.look()
    with kept.context.store.write() as connection:
        mine = (verifiers.c.chain == "beta", verifiers.c.address == kept.address)
        stranger = {"validators_hash": b"\x07" * 32, "read_at": time.time() + 5}
        connection.execute(update(verifiers).where(*mine).values(**stranger))
    kept.look("beta")
    assert kept.client().validators_hash != b"\x07" * 32


def test_a_verifier_that_officers_set_is_read(kept):
    with kept.context.store.write() as connection:
        connection.execute(verifiers.delete().where(verifiers.c.address == kept.address))
        connection.execute(update(lanes).values(trust="committee"))
    kept.look("beta")
    assert kept.client().kind == Kind.LIGHT_CLIENT
    assert lane_row(kept.context.store, "alpha", "beta").trust == "light-client"


def test_who_verifies_is_asked_at_the_gateway_where_the_hub_knows_nonsense(kept):
    """A false event or an old row says another contract: the gateway's answer holds."""
    stranger = bytes(chain_named(kept.context.store, "beta").gateway)
    with kept.context.store.write() as connection:
        connection.execute(update(lanes).values(destination_verifier=stranger))
    kept.look("beta")
    assert lane_row(kept.context.store, "alpha", "beta").destination_verifier == kept.address


def test_a_contract_that_is_no_verifier_waits_for_the_officers(kept, monkeypatch):
    """The gateway itself names it: it would not have been set by this hub."""
    stranger = bytes(chain_named(kept.context.store, "beta").gateway)
    monkeypatch.setattr(steps_verifiers, "_ask_gateway", lambda *_: None)
    with kept.context.store.write() as connection:
        connection.execute(update(lanes).values(destination_verifier=stranger))
    kept.look("beta")
    with kept.context.store.read() as connection:
        found = waits.find(connection, "client", wait_id("beta", stranger))
    assert (found.code, found.party) == ("verifier_unknown", "officers")
    assert "0x" + stranger.hex() in found.text
    monkeypatch.undo()
    kept.look("beta")
    assert lane_row(kept.context.store, "alpha", "beta").destination_verifier == kept.address
    with kept.context.store.read() as connection:
        assert waits.find(connection, "client", wait_id("beta", stranger)) is None


def test_a_verifier_that_officers_change_past_the_hub_is_taken_over(kept):
    """By the event VerifierChanged; the committee is known already."""
    kept.look()
    hub, row = kept.context, chain_named(kept.context.store, "beta")
    lane_id = lane_row(hub.store, "alpha", "beta").lane_id
    officers = [hub.keys.load(name) for name in ("officer-1", "officer-2")]
    gateway = Contract(kept.ledger, "Gateway", bytes(row.gateway))
    gateway.act(*officers, [set_verifier(LaneId(lane_id), bytes(row.verifier))])
    kept.until(lambda: lane_row(hub.store, "alpha", "beta").destination_verifier == row.verifier)
    assert lane_row(hub.store, "alpha", "beta").trust == "committee"
