"""Notes of an evidence log as the cosmos adapter fetches them, alone and guarded, before the light client."""

from dataclasses import replace

import pytest

from adapters.guard import GuardedLedger
from adapters.protocol import AdapterOptions, Endpoint, Rejected
from light_clients.cometbft.codec import read_bundle
from light_clients.cometbft.log_notes import check_note_block, read_note
from light_clients.cometbft.note_evidence import CometbftNoteEvidence
from light_clients.proofs.log_notes import ProvedNote
from tests.support.cometbft_chain import members
from tests.support.cometbft_gateway import EVM, GATEWAY
from tests.support.cometbft_node import CometbftNode
from tests.support.cometbft_notes import ACCOUNT, ROOT, SIZE, NoteWorld, note_keys

OPTIONS = AdapterOptions((Endpoint("http://node#26657"),))


@pytest.fixture
def node():
    return CometbftNode(NoteWorld())


@pytest.fixture(params=["alone", "guarded"])
def ledger(node, request):
    return node.open(OPTIONS) if request.param == "alone" else GuardedLedger(node, OPTIONS)


def test_the_light_client_believes_it(node, ledger):
    evidence, world = ledger.log_note(GATEWAY, ACCOUNT, 5), node.world
    assert read_note(world.state, evidence, EVM, ACCOUNT) == ProvedNote(5, world.block.block_hash, SIZE, ROOT)
    check_note_block(world.state, evidence)
    assert evidence == world.evidence()


def test_it_is_asked_at_the_block_before(node):
    node.open(OPTIONS).log_note(GATEWAY, ACCOUNT, 5)
    keys = [b"\x04" + GATEWAY, *note_keys()]
    asked = [params for method, params in node.asked if method == "abci_query"]
    assert asked == [["/store/evm/key", key.hex(), "4", True] for key in keys]


@pytest.mark.parametrize("newest", [True, False])
def test_validators_that_come_next_come_with_it(node, newest):
    chain, following = node.world.chain, members(["ada", "bob", "kim"])
    changing = node.world.block = replace(chain.at(5), next_validators=following)
    chain.blocks = [*chain.blocks[:4], changing]
    if not newest:
        chain.grow(2)
    bundle = read_bundle(CometbftNoteEvidence.from_bytes(node.open(OPTIONS).log_note(GATEWAY, ACCOUNT, 5)).bundle)
    assert bundle.trusted_validators.set_hash == bundle.header.next_validators_hash
    assert (bundle.trusted_height, len(bundle.trusted_validators.members)) == (5, 3)
    assert len(bundle.validators.members) == 4


@pytest.mark.parametrize(
    ("account", "height", "code"), [(b"\x68" * 20, 5, "other"), (ACCOUNT, 6, "no_state"), (ACCOUNT, 8, "no_state")]
)
def test_what_is_not_there_is_refused_as_such(ledger, account, height, code):
    with pytest.raises(Rejected) as caught:
        ledger.log_note(GATEWAY, account, height)
    assert caught.value.code == code
