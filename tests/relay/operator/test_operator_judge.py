"""What an operator refuses to sign: each field of the hub's offer flipped, alone, refused by its name."""

import dataclasses

import pytest

from adapters.registry import open_ledger
from light_clients.errors import LightClientError, Misbehaviour
from relay.following import Lied
from relay.operator.configuration import ChainConfig
from relay.operator.database import OperatorDatabase
from relay.operator.judge import NeedsRewind, NotYet, RefusedClaim, judge, read_offer
from relay.operator.lanes import LaneBook
from relay.operator.view import LedgerView
from relay.web.offers import offers
from schemas.attestation import attestation_digest
from schemas.claim import Direction
from schemas.suites import EVM
from tests.support.operator_world import NAMES, OperatorWorld


class Scene:
    """An operator's two views of a memory hub's ledgers, and the hub's offers."""

    def __init__(self, folder, endpoints=1, *, clique=False):
        self.world = OperatorWorld(folder, endpoints=endpoints, clique=clique)
        self.hub = self.world.hub
        self.file = folder / "operator.db"
        self.open()

    def open(self):
        self.database, self.book = OperatorDatabase(self.file), LaneBook()
        self.views = {name: self.view(name) for name in NAMES}

    def reopen(self):
        """What a restart does."""
        self.database.close()
        self.open()

    def view(self, name, **changes):
        config = ChainConfig.model_validate(self.world.chain(name, **changes))
        return LedgerView(config, open_ledger(config.adapter, config.options), self.database, self.book)

    def send(self, count=1, source="alpha", destination="beta"):
        for number in range(count):
            self.hub.send(source, destination, b"message %d" % number)
        self.world.look()

    def look(self, *names, target=None):
        for name in names or NAMES:
            self.views[name].look(int(self.hub.context.clock()), target)

    def offers(self):
        return [read_offer(item) for item in offers(self.hub.context.store, 0, 500)]

    def judge(self, offer, view=None):
        view = view or self.views["beta" if offer.claim.direction else "alpha"]
        return judge(offer, self.book.get(offer.claim.lane_id), view)

    def close(self):
        self.database.close()
        self.hub.close()


@pytest.fixture
def scene(tmp_path):
    scene = Scene(tmp_path)
    yield scene
    scene.close()


@pytest.fixture(scope="module")
def still(tmp_path_factory):
    """One scene with an open claim after three messages, for the tests that change nothing."""
    scene = Scene(tmp_path_factory.mktemp("still"))
    scene.send(3)
    scene.look()
    yield scene
    scene.close()


def flipped(value):
    return type(value)(bytes([value[0] ^ 1]) + value[1:])


def change(offer, part, **fields):
    return dataclasses.replace(offer, **{part: dataclasses.replace(getattr(offer, part), **fields)})


def test_an_honest_claim_passes_and_its_digest_is_of_the_operators_own_place(still):
    (offer,) = still.offers()
    judged = still.judge(offer)
    beta = still.hub.ledgers["beta"]
    assert (judged.place.chain, judged.place.gateway) == (beta.word, beta.gateway.address)
    assert judged.digest == attestation_digest(EVM, judged.place, offer.claim)


def test_a_prefix_of_the_history_passes(still):
    (offer,) = still.offers()
    heads = still.views["alpha"].chronicles[offer.claim.lane_id, 0].heads
    for nonce, head in enumerate(heads, 1):
        assert still.judge(change(offer, "claim", nonce=nonce, head=head)).offer.claim.nonce == nonce


@pytest.mark.parametrize(
    ("part", "name", "refusal"),
    [
        ("claim", "head", "HeadMismatch"),
        ("claim", "block_hash", "BlockMismatch"),
        ("place", "chain", "PlaceMismatch"),
        ("place", "gateway", "PlaceMismatch"),
        ("place", "verifier", "PlaceMismatch"),
    ],
)
def test_a_flipped_word_is_refused_by_name(still, part, name, refusal):
    (offer,) = still.offers()
    with pytest.raises(RefusedClaim) as told:
        still.judge(change(offer, part, **{name: flipped(getattr(getattr(offer, part), name))}))
    assert told.value.name == refusal
    if part == "place":
        assert name in str(told.value)


@pytest.mark.parametrize(
    ("fields", "refusal"),
    [
        ({"nonce": 0}, "ClaimMalformed"),
        ({"nonce": 2}, "HeadMismatch"),
        ({"nonce": 4}, "NonceAhead"),
        ({"nonce": 2**63}, "ClaimMalformed"),
        ({"height": 2**63}, "ClaimMalformed"),
        ({"height": 2}, "BlockMismatch"),
    ],
)
def test_a_changed_number_of_the_claim_is_refused_by_name(still, fields, refusal):
    (offer,) = still.offers()
    with pytest.raises(RefusedClaim) as told:
        still.judge(change(offer, "claim", **fields))
    assert told.value.name == refusal


@pytest.mark.parametrize(("epoch", "place_epoch", "refusal"), [(2, 1, "PlaceMismatch"), (0, 0, "ClaimMalformed")])
def test_an_epoch_that_does_not_fit_is_refused(still, epoch, place_epoch, refusal):
    (offer,) = still.offers()
    changed = dataclasses.replace(change(offer, "place", epoch=place_epoch), epoch=epoch)
    with pytest.raises(RefusedClaim) as told:
        still.judge(changed)
    assert told.value.name == refusal


def test_another_suite_is_refused(still):
    (offer,) = still.offers()
    with pytest.raises(RefusedClaim) as told:
        still.judge(dataclasses.replace(offer, suite="sm"))
    assert told.value.name == "SuiteMismatch"


def test_the_other_direction_of_the_lane_is_refused(still):
    (offer,) = still.offers()
    claim = dataclasses.replace(offer.claim, direction=Direction.OUTCOMES)
    known = still.book.get(claim.lane_id)
    block = still.views["beta"].state
    claim = dataclasses.replace(claim, height=block.height, block_hash=block.block_hash)
    changed = dataclasses.replace(offer, claim=claim, place=known.place(claim.direction, 1))
    with pytest.raises(RefusedClaim) as told:
        still.judge(changed)
    assert told.value.name == "NonceAhead"


def test_a_lane_that_no_gateway_opened_is_not_judged(still):
    (offer,) = still.offers()
    with pytest.raises(NotYet) as told:
        still.judge(change(offer, "claim", lane_id=flipped(offer.claim.lane_id)))
    assert told.value.name == "LaneUnknown"


def test_a_lane_that_only_one_gateway_opened_is_not_judged(scene):
    scene.send()
    scene.look("alpha")
    (offer,) = scene.offers()
    with pytest.raises(NotYet) as told:
        scene.judge(offer)
    assert told.value.name == "LaneUnknown"
    scene.look("beta")
    assert scene.judge(offer)


def test_a_claim_of_another_ledgers_history_is_not_judged_here(still):
    (offer,) = still.offers()
    with pytest.raises(NotYet):
        still.judge(offer, still.views["beta"])


def test_a_claim_above_the_finalized_height_is_not_judged_yet(scene):
    scene.send()
    (offer,) = scene.offers()
    scene.look("beta")
    scene.look("alpha", target=offer.claim.height - 1)
    with pytest.raises(NotYet) as told:
        scene.judge(offer)
    assert told.value.name == "HeightNotReached"
    scene.look("alpha", target=offer.claim.height)
    assert scene.judge(offer)


def test_a_block_older_than_the_light_client_remembers_is_refused(scene):
    scene.send()
    scene.look()
    (offer,) = scene.offers()
    scene.hub.ledgers["alpha"].mine(300)
    scene.look()
    with pytest.raises(RefusedClaim) as told:
        scene.judge(offer)
    assert told.value.name == "HeightNotRetained"


def test_other_code_pinned_at_the_verifying_end_is_refused(scene):
    scene.send()
    scene.look()
    (offer,) = scene.offers()
    view = scene.view("alpha", gateway_code_hash="0x" + "12" * 32)
    view.chronicles, view.state = scene.views["alpha"].chronicles, scene.views["alpha"].state
    with pytest.raises(RefusedClaim) as told:
        scene.judge(offer, view)
    assert told.value.name == "CodeHashMismatch"


def test_a_gateway_with_other_code_proves_nothing(scene):
    scene.send()
    view = scene.view("alpha", gateway_code_hash="0x" + "12" * 32)
    with pytest.raises(Lied) as told:
        view.look(int(scene.hub.context.clock()))
    assert told.value.name == "CodeHashMismatch"


def test_two_sealed_blocks_of_one_height_freeze_the_client_for_good(scene):
    scene.send()
    scene.look()
    (offer,) = scene.offers()
    scene.hub.ledgers["alpha"].reorganise(1)
    scene.hub.mine("alpha")
    scene.hub.mine("alpha")
    with pytest.raises(Misbehaviour) as told:
        scene.look("alpha")
    assert len(told.value.evidence) == 2
    with pytest.raises(RefusedClaim) as refused:
        scene.judge(offer)
    assert refused.value.name == "ClientFrozen"
    scene.reopen()
    assert scene.views["alpha"].frozen
    with pytest.raises(LightClientError):
        scene.look("alpha")


def test_a_claim_older_than_what_is_kept_is_read_again_from_the_opening(scene):
    scene.send(5)
    scene.look()
    (offer,) = scene.offers()
    view, key = scene.views["alpha"], (offer.claim.lane_id, 0)
    chronicle = view.chronicles[key]
    early = change(offer, "claim", nonce=2, head=chronicle.head_after(2))
    chronicle.base_nonce, chronicle.base_head = 4, chronicle.head_after(4)
    del chronicle.heads[:4], chronicle.heights[:4]
    with pytest.raises(NeedsRewind):
        scene.judge(early)
    view.rewind(key)
    scene.look("alpha")
    assert scene.judge(early)
    view.prove([key], offer.claim.height)
    assert view.proved(key, offer.claim.height) == 5


@pytest.mark.parametrize(
    "broken",
    [
        {},
        [],
        None,
        7,
        {"cursor": 1},
        {"cursor": "x", "claim": {}, "epoch": "1", "suite": "evm", "place": {}},
        {"cursor": 1, "claim": {"lane_id": "0x" + "00" * 32}, "epoch": "1", "suite": "evm", "place": {}},
    ],
)
def test_an_offer_that_cannot_be_read_is_refused(broken):
    with pytest.raises(RefusedClaim) as told:
        read_offer(broken)
    assert told.value.name == "OfferMalformed"
