"""Lanes by light clients and by both: deployed, shared, given, refused, and taken over where officers change them."""

import pytest
from sqlalchemy import select, update

from adapters.guard import GuardedLedger
from adapters.protocol import Installed
from adapters.solidity.administration import Caps
from adapters.solidity.verifiers import ClientConfiguration, encode_update, qbft_creation, validators_hash
from light_clients.qbft.codec import parse_header
from light_clients.qbft.signed import signed_form
from relay.errors import BadInput, NotFound
from relay.registry.actions import Wish, build_action, refresh_after
from relay.registry.chains import chain_named, open_chain
from relay.registry.gateways import Contract, deploy
from relay.registry.lane_verifiers import LaneVerifiers, Trust, check_possible, parse_trust
from relay.registry.lanes import lane_row, lane_view
from relay.registry.officers import approve, execute, known_proposals, parse_label, propose
from relay.registry.opening import open_lanes
from relay.registry.verifiers import kind_at, learn_verifier
from relay.store.tables import chains, lanes, verifiers
from relay.store.verifiers import Kind, verifier_at
from schemas.primitives import bytes_from_hex

pytestmark = pytest.mark.live


def open_(hub, *pairs, trust, channel="default", config=None, officer=None):
    return open_lanes(
        config or hub.config, hub.store, hub.keys, list(pairs), channel=channel, caps=Caps(), batch_limit=50,
        officer=officer, tell=hub.told.append, trust=trust,
    )  # fmt: skip


def row_at(hub, chain, address):
    with hub.store.read() as connection:
        return verifier_at(connection, chain, bytes(address))


def view(hub, chain, lane_id):
    return bytes_from_hex(lane_view(hub.store, chain, lane_id)["verifier"])


@pytest.fixture(scope="module")
def there(linked):
    """A lane each way by light clients."""
    return open_(linked, ("alpha", "beta"), ("beta", "alpha"), trust=Trust(Kind.LIGHT_CLIENT))


@pytest.fixture
def ledger(linked):
    """The ledger beta, opened."""
    ledger = open_chain(chain_named(linked.store, "beta"))
    yield ledger
    ledger.close()


def test_each_end_has_a_light_client_of_the_other_ledger(linked, there):
    forth, back = there
    assert (forth.trust, forth.state, back.trust) == ("light-client", "active", "light-client")
    row = lane_row(linked.store, "alpha", "beta")
    for chain, peer, address in (("alpha", "beta", row.source_verifier), ("beta", "alpha", row.destination_verifier)):
        known = row_at(linked, chain, address)
        assert (known.kind, known.peer, known.light_client) == ("light-client", peer, address)
        assert view(linked, chain, forth.lane_id) == address


def test_the_client_trusts_the_header_that_the_hub_verified(linked, there):
    row = lane_row(linked.store, "alpha", "beta")
    known, peer = row_at(linked, "beta", row.destination_verifier), chain_named(linked.store, "alpha")
    listed = parse_header(bytes(peer.client_header)).extra.validators
    assert (known.client_height, known.client_hash) == (peer.client_height, peer.client_hash)
    assert known.validators_hash == validators_hash(listed)
    assert (known.frozen, known.expires_at) == (False, peer.client_time + known.trusting_period_s)
    assert any("pinned to block" in line and "0x" + peer.client_hash.hex() in line for line in linked.told)


def test_both_lanes_and_later_ones_share_a_client(linked, there):
    forth, back = (lane_row(linked.store, *pair) for pair in (("alpha", "beta"), ("beta", "alpha")))
    assert forth.destination_verifier == back.source_verifier
    open_(linked, ("alpha", "beta"), trust=Trust(Kind.LIGHT_CLIENT), channel="later")
    assert lane_row(linked.store, "alpha", "beta", "later").destination_verifier == forth.destination_verifier


def test_a_frozen_or_expired_client_is_not_shared(linked, there):
    first = lane_row(linked.store, "alpha", "beta").destination_verifier
    mine = (verifiers.c.chain == "beta", verifiers.c.address == first)
    alpha, beta = (chain_named(linked.store, name) for name in ("alpha", "beta"))
    found = LaneVerifiers(linked.store, linked.keys, development=True, tell=linked.told.append)
    before = row_at(linked, "beta", first)
    for columns in ({"frozen": True}, {"expires_at": 5}):
        with linked.store.write() as connection:
            connection.execute(update(verifiers).where(*mine).values(**columns))
        ends = found.at([(beta, alpha)], Trust(Kind.LIGHT_CLIENT))
        assert ends["beta", "alpha"] != first
        with linked.store.write() as connection:
            connection.execute(verifiers.delete().where(verifiers.c.address == ends["beta", "alpha"]))
            kept = {"frozen": False, "expires_at": before.expires_at}
            connection.execute(update(verifiers).where(*mine).values(**kept))


def test_both_means_the_ledgers_committee_and_the_shared_client(linked, there, ledger):
    opened = open_(linked, ("alpha", "beta"), trust=Trust(Kind.BOTH), channel="both")[0]
    row, beta = lane_row(linked.store, "alpha", "beta", "both"), chain_named(linked.store, "beta")
    known = row_at(linked, "beta", row.destination_verifier)
    client = lane_row(linked.store, "alpha", "beta").destination_verifier
    assert (opened.trust, known.kind, known.peer) == ("both", "both", "alpha")
    assert (known.committee, known.light_client) == (beta.verifier, client)
    assert kind_at(ledger, row.destination_verifier) is Kind.BOTH
    open_(linked, ("alpha", "beta"), trust=Trust(Kind.BOTH), channel="both again")
    again = lane_row(linked.store, "alpha", "beta", "both again")
    assert again.destination_verifier == row.destination_verifier


def test_a_client_gets_the_officers_of_the_gateway_beside_it(linked, there, ledger):
    row, beta = lane_row(linked.store, "alpha", "beta"), chain_named(linked.store, "beta")
    client = Contract(ledger, "QbftVerifier", row.destination_verifier)
    gateway = Contract(ledger, "Gateway", bytes(beta.gateway))
    for question in ("officers", "guardian", "delaySeconds", "chainWord"):
        assert client.ask(question) == gateway.ask(question)
    assert client.ask("configuration")["peerChainWord"] == chain_named(linked.store, "alpha").chain_word


def test_anybody_may_bring_a_client_a_newer_header(linked, there, ledger):
    """What the keeper brings: the newest header of the peer, sealed by the stored set."""
    row = lane_row(linked.store, "alpha", "beta")
    peer = open_chain(chain_named(linked.store, "alpha"))
    tip = peer.tip()
    signed = signed_form(peer.headers(tip, tip)[0])
    peer.close()
    client = Contract(ledger, "QbftVerifier", row.destination_verifier)
    client.call(linked.keys.load("relayer-beta"), encode_update((signed.header, signed.seals)))
    learn_verifier(linked.store.write, ledger, "beta", row.destination_verifier)
    assert row_at(linked, "beta", row.destination_verifier).client_height == tip


def test_a_given_verifier_is_used(linked, there):
    client = bytes(lane_row(linked.store, "alpha", "beta").destination_verifier)
    trust = Trust(Kind.LIGHT_CLIENT, {"beta": client})
    assert open_(linked, ("alpha", "beta"), trust=trust, channel="given")[0].trust == "light-client"
    assert lane_row(linked.store, "alpha", "beta", "given").destination_verifier == client


def test_given_verifiers_that_do_not_fit(linked, there):
    alpha, beta = (chain_named(linked.store, name) for name in ("alpha", "beta"))
    row = lane_row(linked.store, "alpha", "beta")
    here, there_ = bytes(row.source_verifier), bytes(row.destination_verifier)
    cases = [
        (Kind.LIGHT_CLIENT, {"gamma": there_}, "no end on gamma"),
        (Kind.LIGHT_CLIENT, {"beta": bytes(beta.verifier)}, "of the kind committee"),
        (Kind.COMMITTEE, {"beta": there_}, "of the kind light-client"),
        (Kind.LIGHT_CLIENT, {"beta": bytes(beta.gateway)}, "no verifier of this version"),
    ]
    for kind, given, match in cases:
        with pytest.raises(BadInput, match=match):
            open_(linked, ("alpha", "beta"), trust=Trust(kind, given), channel="unfit")
    with linked.store.read() as connection:
        assert connection.execute(select(lanes.c.channel).where(lanes.c.channel == "unfit")).first() is None
    assert here != there_
    assert alpha.verifier != beta.verifier


def creation(linked, ledger, **fields):
    """Bytecode of a light client of alpha on beta, with something changed."""
    alpha, beta = (chain_named(linked.store, name) for name in ("alpha", "beta"))
    gateway = Contract(ledger, "Gateway", bytes(beta.gateway))
    words = {"chain_word": bytes(beta.chain_word), "peer_chain_word": bytes(alpha.chain_word)} | fields
    return qbft_creation(
        chain_word=words["chain_word"],
        officers=[bytes_from_hex(officer) for officer in gateway.ask("officers")],
        guardian=bytes_from_hex(gateway.ask("guardian")),
        delay_s=0,
        configuration=ClientConfiguration(words["peer_chain_word"]),
        header=signed_form(bytes(alpha.client_header)).header,
        pinned_hash=bytes(alpha.client_hash),
        development=True,
    )


@pytest.mark.parametrize(
    ("field", "match"),
    [("chain_word", "made for another ledger than beta"), ("peer_chain_word", "does not judge alpha")],
)
def test_a_client_of_or_on_another_ledger_is_refused(linked, there, ledger, field, match):
    code = creation(linked, ledger, **{field: b"\x05" * 32})
    made = deploy(ledger, linked.keys.load("relayer-beta"), [("QbftVerifier", code)])[0]
    with pytest.raises(BadInput, match=match):
        open_(linked, ("alpha", "beta"), trust=Trust(Kind.LIGHT_CLIENT, {"beta": made.address}), channel="unfit")


def test_a_contract_that_only_says_it_is_a_verifier_is_refused(linked, there, ledger, monkeypatch):
    """Code is compared with what this version compiles to."""
    client = bytes(lane_row(linked.store, "alpha", "beta").destination_verifier)
    monkeypatch.setattr(GuardedLedger, "installed", lambda *_: Installed(b"\x60\x00", b"\x01" * 32))
    with pytest.raises(BadInput, match="no QbftVerifier of this version"):
        open_(linked, ("alpha", "beta"), trust=Trust(Kind.LIGHT_CLIENT, {"beta": client}), channel="unfit")


def test_a_ledger_without_qbft_has_no_light_client(linked):
    with linked.store.write() as connection:
        connection.execute(update(chains).where(chains.c.name == "beta").values(consensus="clique"))
    try:
        with pytest.raises(BadInput, match="light client of beta: its consensus is clique"):
            open_(linked, ("alpha", "beta"), trust=Trust(Kind.LIGHT_CLIENT), channel="unfit")
        check_possible(chain_named(linked.store, "beta"), Kind.COMMITTEE)
    finally:
        with linked.store.write() as connection:
            connection.execute(update(chains).where(chains.c.name == "beta").values(consensus="qbft"))


def test_officers_change_a_verifier_and_the_hub_takes_it_over(linked, there):
    opened = open_(linked, ("alpha", "beta"), trust=Trust(), channel="changed")[0]
    assert opened.trust == "committee"
    shared = lane_row(linked.store, "alpha", "beta")
    for chain, address in (("alpha", shared.source_verifier), ("beta", shared.destination_verifier)):
        row = chain_named(linked.store, chain)
        wish = Wish(lane=opened.lane_id.hex(), verifier="0x" + address.hex())
        contract, action, text = build_action(linked.store, row, "set-verifier", wish)
        label = proposed(linked, row, contract, action, text)
        approve(linked.store, label, linked.keys.load("officer-2"))
        execute(linked.store, label, linked.keys.load("officer-1"))
        refresh_after(linked.store, row)
        assert view(linked, chain, opened.lane_id) == address
    row = lane_row(linked.store, "alpha", "beta", "changed")
    assert (row.source_verifier, row.destination_verifier) == (shared.source_verifier, shared.destination_verifier)
    assert row.trust == "light-client"


def proposed(linked, row, contract, action, text):
    ledger = open_chain(row)
    try:
        return propose(linked.store, ledger, row, contract, action, linked.keys.load("officer-1"), text=text).label
    finally:
        ledger.close()


def test_officers_pin_the_validators_of_a_client(linked, there, ledger):
    client = bytes(lane_row(linked.store, "alpha", "beta").destination_verifier)
    before = Contract(ledger, "QbftVerifier", client).ask("generation")
    row = chain_named(linked.store, "beta")
    contract, action, text = build_action(linked.store, row, "pin-validators", Wish(verifier="0x" + client.hex()))
    label = proposed(linked, row, contract, action, text)
    assert label.startswith("beta/0x" + client.hex())
    assert parse_label(linked.store, label)[1] == "0x" + client.hex()
    assert label in [item["proposal"] for item in known_proposals(linked.store)]
    approve(linked.store, label, linked.keys.load("officer-2"))
    execute(linked.store, label, linked.keys.load("officer-1"))
    assert Contract(ledger, "QbftVerifier", client).ask("generation") != before
    refresh_after(linked.store, row)
    peer = chain_named(linked.store, "alpha")
    known = row_at(linked, "beta", client)
    assert (known.client_height, known.client_hash) == (peer.client_height, peer.client_hash)


@pytest.mark.parametrize("verifier", ["0x" + "07" * 20, "committee"])
def test_validators_are_pinned_at_a_light_client_alone(linked, there, verifier):
    row = chain_named(linked.store, "beta")
    address = "0x" + bytes(row.verifier).hex() if verifier == "committee" else verifier
    with pytest.raises(NotFound, match="no light client at"):
        build_action(linked.store, row, "pin-validators", Wish(verifier=address))


def test_a_production_hub_deploys_and_proposes(linked, there):
    production = linked.config.model_copy(update={"development": False})
    with pytest.raises(BadInput, match="--key NAME"):
        open_(linked, ("alpha", "beta"), trust=Trust(Kind.BOTH), channel="proposed", config=production)
    officer = linked.keys.load("officer-1")
    counts = []
    for channel in ("proposed", "proposed again"):
        opened = open_(
            linked, ("alpha", "beta"), trust=Trust(Kind.BOTH), channel=channel, config=production, officer=officer
        )[0]
        assert (opened.state, opened.trust, len(opened.proposals)) == ("opening", "both", 2)
        with linked.store.read() as connection:
            counts.append(len(connection.execute(select(verifiers)).all()))
    assert counts[0] == counts[1]  # those of the first lane serve the second


def test_a_trusting_period_of_ones_own(linked, hub, sealed, other):
    """A hub with no verifiers yet deploys light clients that trust for as long as it is told."""
    for name, network in (("alpha", sealed), ("beta", other)):
        hub.add(name, network.url)
    open_(hub, ("alpha", "beta"), trust=Trust(Kind.LIGHT_CLIENT, {}, 3_600))
    row = lane_row(hub.store, "alpha", "beta")
    known = row_at(hub, "beta", row.destination_verifier)
    assert (known.trusting_period_s, known.expires_at - known.client_time) == (3_600, 3_600)


@pytest.mark.parametrize("text", ["none", "", "Both"])
def test_kinds_that_are_none(text):
    with pytest.raises(BadInput, match="Choose one of committee, light-client, both"):
        parse_trust(text, [], None)


@pytest.mark.parametrize("text", ["0x" + "11" * 20, "=0x" + "11" * 20, "beta=0x11", "beta="])
def test_verifiers_that_are_named_wrongly(text):
    with pytest.raises(BadInput):
        parse_trust("both", [text], None)


def test_a_trust_that_is_named_well():
    given = ["alpha=0x" + "11" * 20, "贝塔=0x" + "22" * 20]
    wanted = Trust(Kind.BOTH, {"alpha": b"\x11" * 20, "贝塔": b"\x22" * 20}, 60)
    assert parse_trust("both", given, 60) == wanted
