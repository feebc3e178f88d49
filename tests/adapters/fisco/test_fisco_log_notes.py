"""Notes of an evidence log at gateways of simulated networks: fetched alone and guarded, and judged by the light client."""

import itertools

import pytest

from adapters.fisco.adapter import FiscoLedger
from adapters.protocol import BadAnswer, Call, Rejected
from adapters.solidity.contracts import contract
from light_clients import fisco
from light_clients.errors import NoteAbsent, SealsTooFew
from light_clients.fisco import log_notes
from light_clients.fisco.errors import CallUnexpected
from light_clients.proofs.log_notes import ProvedNote
from schemas.primitives import Bytes32
from schemas.suites import keccak256
from tests.support.fisco_lane import FiscoLane, fisco_options, followed, open_fisco

LEDGERS = {"line 2": (2, False), "line 3": (3, False), "line 2 national": (2, True), "line 3 national": (3, True)}
GAS = 1_000_000
HUB, OTHER = (keccak256(name) for name in (b"key of a hub", b"key of another hub"))
ROOT = Bytes32(keccak256(b"root of a log"))
SIZES = itertools.count(1)


@pytest.fixture(scope="module", params=LEDGERS.values(), ids=LEDGERS)
def lane(request):
    line, national = request.param
    made = FiscoLane(line, national=national)
    yield made
    made.close()


@pytest.fixture(params=["alone", "guarded"])
def ledger(lane, request):
    options = fisco_options(lane.networks[0])
    opened = FiscoLedger(options) if request.param == "alone" else open_fisco(lane.networks[0])
    yield opened
    opened.close()


def together(lane, *notes):
    """Notes of (key, size) in one block; their receipts."""
    calls = [
        (key, Call(lane.gateways[0], contract("Gateway").encode("anchorLog", size, ROOT), GAS)) for key, size in notes
    ]
    signed = [lane.signed(0, key, call) for key, call in calls]
    network = lane.networks[0].ledger
    with network.lock:
        for item in signed:
            network.submit(item.raw)
    return [lane.receipt(0, item.transaction) for item in signed]


def judged(lane, state, evidence, key=HUB):
    log_notes.check_note_block(state, evidence)
    return log_notes.read_note(state, evidence, fisco.FiscoPin(lane.gateways[0]), lane.account(0, key))


def test_the_last_note_of_the_account_in_the_block_holds(lane, ledger):
    first, last, others = next(SIZES), next(SIZES), next(SIZES)
    before = followed(ledger, lane.configuration(0))
    receipts = together(lane, (HUB, first), (HUB, last), (OTHER, others))
    together(lane, (OTHER, next(SIZES)))
    (height,), (block_hash,) = {item.height for item in receipts}, {item.block_hash for item in receipts}
    evidence = ledger.log_note(lane.gateways[0], lane.account(0, HUB), height)
    for state in (before, followed(ledger, lane.configuration(0))):
        assert judged(lane, state, evidence) == ProvedNote(height, block_hash, last, ROOT)
    state = followed(ledger, lane.configuration(0))
    with pytest.raises(NoteAbsent):
        judged(lane, state, evidence, OTHER)
    other = ledger.log_note(lane.gateways[0], lane.account(0, OTHER), height)
    assert judged(lane, state, other, OTHER).size == others
    with pytest.raises(CallUnexpected):
        log_notes.read_note(state, evidence, fisco.FiscoPin(lane.verifiers[0]), lane.account(0, HUB))


def test_where_nothing_is_noted_it_says_so(lane, ledger):
    size = next(SIZES)
    noted, again = (together(lane, (HUB, size))[0] for _ in range(2))
    assert (noted.success, again.success) == (True, False)  # a note only grows
    gateway, account = lane.gateways[0], lane.account(0, HUB)
    for *where, code in (
        (gateway, account, again.height, "other"),
        (gateway, lane.account(0, OTHER), noted.height, "other"),
        (lane.verifiers[0], account, noted.height, "other"),
        (gateway, account, again.height + 1_000, "no_state"),
    ):
        with pytest.raises(Rejected) as caught:
            ledger.log_note(*where)
        assert caught.value.code == code


def test_too_few_of_a_larger_set_were_there_at_the_note(lane, ledger):
    """Three of four sign a block here; of five it would be four. Anchors of before and after take the note."""
    (noted,) = together(lane, (HUB, next(SIZES)))
    evidence = ledger.log_note(lane.gateways[0], lane.account(0, HUB), noted.height)
    added = lane.networks[0].add_sealer()
    for _ in range(2):
        together(lane, (OTHER, next(SIZES)))
    larger = followed(ledger, lane.configuration(0))
    with pytest.raises(SealsTooFew):
        log_notes.check_note_block(larger, evidence)
    lane.networks[0].remove_sealer(added)
    for _ in range(2):
        together(lane, (OTHER, next(SIZES)))
    assert [len(state.sealers) for state in (larger, followed(ledger, lane.configuration(0)))] == [5, 4]
    assert judged(lane, followed(ledger, lane.configuration(0)), evidence).height == noted.height


@pytest.fixture
def changed(lane, monkeypatch):
    """A ledger whose node tells something else than it was asked for."""
    opened = FiscoLedger(fisco_options(lane.networks[0]))
    asked = opened.node.ask

    def tell(change):
        monkeypatch.setattr(opened.node, "ask", lambda method, *words: change(method, asked(method, *words)))
        return opened

    yield tell
    opened.close()


def test_a_header_of_another_block_is_left(lane, changed):
    (noted,) = together(lane, (HUB, next(SIZES)))
    ledger = changed(lambda _, told: told if "transactions" in told else told | {"hash": "0x" + "11" * 32})
    with pytest.raises(BadAnswer, match="two blocks of one height"):
        ledger.log_note(lane.gateways[0], lane.account(0, HUB), noted.height)


def test_a_note_that_the_node_does_not_tell_whole_is_none(lane, changed):
    """Nodes of before 2.7 tell no signature; a transaction of line 3 may be one that can be read in several ways."""
    (noted,) = together(lane, (HUB, next(SIZES)))
    missing = {"signature": None} if lane.configuration(0).line == 2 else {"nonce": ""}

    def change(method, told):
        if method == "getBlockByNumber" and "transactions" in told:
            return told | {"transactions": [item | missing for item in told["transactions"]]}
        return told | missing if method == "getTransaction" else told

    with pytest.raises(Rejected, match="shows no note"):
        changed(change).log_note(lane.gateways[0], lane.account(0, HUB), noted.height)
