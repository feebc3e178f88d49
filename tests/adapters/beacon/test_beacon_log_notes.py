"""Notes of an evidence log as the beacon adapter fetches them, alone and guarded, before the light client."""

import pytest

from adapters.beacon import ADAPTER
from adapters.guard import GuardedLedger
from adapters.protocol import AdapterOptions, Endpoint, Rejected
from light_clients.beacon.log_notes import check_note_block, read_note
from light_clients.proofs.log_notes import ProvedNote, note_slots
from schemas.primitives import BlockHash
from schemas.suites import keccak256
from tests.support.beacon_chain import PIN
from tests.support.beacon_notes import ACCOUNT, ROOT, SIZE, NoteChain
from tests.support.beacon_replay import BeaconReplay

CHAIN, HEIGHT = NoteChain(), 144
"""A block above those that were recorded, at the beginning of an epoch."""


class NotingReplay(BeaconReplay):
    """The recorded node with one synthetic execution block more, and the state under it."""

    def __init__(self):
        super().__init__()
        self.blocks[HEIGHT] = CHAIN.block_json(HEIGHT)

    def call(self, call):
        method, params = call["method"], call["params"]
        if method == "eth_getProof" and int(params[2], 16) == HEIGHT:
            answer = CHAIN.proof_json([bytes.fromhex(slot[2:]) for slot in params[1]])
        elif method == "eth_getStorageAt":
            answer = "0x" + CHAIN.world.word(bytes.fromhex(params[1][2:])).hex()
        else:
            return super().call(call)
        return {"jsonrpc": "2.0", "id": call["id"], "result": answer}


@pytest.fixture
def node():
    with NotingReplay() as replay:
        yield replay


@pytest.fixture(params=["alone", "guarded"])
def ledger(node, request):
    options = AdapterOptions((Endpoint(node.url),), timeout_s=5.0)
    opened = ADAPTER.open(options) if request.param == "alone" else GuardedLedger(ADAPTER, options)
    yield opened
    opened.close()


def test_the_light_client_believes_it(ledger):
    evidence, state = ledger.log_note(PIN.address, ACCOUNT, HEIGHT), CHAIN.trusted(HEIGHT)
    block_hash = BlockHash(keccak256(CHAIN.execution_header(HEIGHT)))
    assert read_note(state, evidence, PIN, ACCOUNT) == ProvedNote(HEIGHT, block_hash, SIZE, ROOT)
    check_note_block(state, evidence)
    assert evidence == CHAIN.note(HEIGHT)


@pytest.mark.parametrize(("account", "height", "code"), [(b"\x68" * 20, HEIGHT, "other"), (ACCOUNT, 9_999, "no_state")])
def test_what_is_not_there_is_refused_as_such(ledger, account, height, code):
    with pytest.raises(Rejected) as caught:
        ledger.log_note(PIN.address, account, height)
    assert caught.value.code == code


def test_the_size_is_asked_in_that_very_state(node, ledger):
    asked = []
    whole = node.call
    node.call = lambda call: asked.append((call["method"], call["params"])) or whole(call)
    ledger.log_note(PIN.address, ACCOUNT, HEIGHT)
    words = ["0x" + PIN.address.hex(), "0x" + note_slots(ACCOUNT)[0].hex(), hex(HEIGHT)]
    assert [params for method, params in asked if method == "eth_getStorageAt"] == [words]
