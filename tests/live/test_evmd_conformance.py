"""The cosmos adapter on a real evmd node: all that every adapter must do, and headers and proofs before the light client."""

import time
from dataclasses import replace

import pytest

from adapters.cosmos.adapter import CosmosLedger
from adapters.protocol import AdapterOptions, Call, Endpoint, MessageSent, Misconfigured, Rejected
from adapters.solidity.contracts import contract
from light_clients import cometbft
from light_clients.cometbft.log_notes import check_note_block, read_note
from light_clients.cometbft.types import CometbftConfiguration, CometbftEvidence, EvmStorePin
from light_clients.crypto.secp256k1 import address_of
from light_clients.proofs.log_notes import ProvedNote
from schemas.claim import Claim, Direction
from schemas.primitives import Bytes32
from tests.adapters.conformance_suite import LedgerConformance
from tests.support.evmd_lane import EvmdLane

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def world():
    lane = EvmdLane()
    yield lane
    lane.close()


def followed(ledger):
    """The light client's state after every header up to the tip."""
    headers = ledger.headers(1, ledger.tip())
    state = cometbft.bootstrap(headers[0], ledger.identity().first_block, CometbftConfiguration())
    for header in headers[1:]:
        state = cometbft.apply(state, cometbft.verify_header(state, header, int(time.time())))
    return state


class TestEvmd(LedgerConformance):
    def test_a_ledger_says_what_it_is_and_says_it_again(self, world):
        for ledger, word, development in zip(world.ledgers, world.words, (False, True), strict=True):
            identity = ledger.identity()
            assert (identity, identity.word, identity.development) == (ledger.identity(), word, development)
        assert world.words[0] != world.words[1]

    def test_the_ledger_is_the_cosmos_chain_and_not_its_evm(self, world):
        identity = world.ledgers[0].identity()
        assert identity.chain_id == "cosmos:relayhub-1"
        assert "EVM 262144" in identity.software
        assert world.networks[0].rpc("eth_chainId") == "0x40000"

    def test_the_light_client_believes_headers_and_proofs_from_a_pin(self, world):
        world.send(b"proved by the next header")
        ledger, gateway = world.ledgers[0], world.gateways[0]
        state = followed(ledger)
        event = world.events(0, MessageSent)[-1]
        assert event.position.height <= state.height
        pin = EvmStorePin(gateway, Bytes32(world.code_hash(0)))
        for height in (event.position.height, state.height):
            (found,) = ledger.evidence(gateway, [(world.lane.lane_id, 0)], height)
            claim = Claim(
                world.lane.lane_id,
                Direction.OUTBOX,
                event.message.nonce,
                event.head,
                height,
                state.anchor_at(height).block_hash,
            )
            cometbft.verify_claim(state, claim, CometbftEvidence.from_bytes(found.proof), pin)

    def test_a_header_below_an_events_height_does_not_prove_it(self, world):
        ledger, gateway = world.ledgers[0], world.gateways[0]
        state, event = followed(ledger), world.events(0, MessageSent)[-1]
        height = event.position.height - 1
        (found,) = ledger.evidence(gateway, [(world.lane.lane_id, 0)], height)
        claim = Claim(
            world.lane.lane_id,
            Direction.OUTBOX,
            event.message.nonce,
            event.head,
            height,
            state.anchor_at(height).block_hash,
        )
        pin = EvmStorePin(gateway, Bytes32(world.code_hash(0)))
        with pytest.raises(cometbft.verify.HeadMismatch):
            cometbft.verify_claim(state, claim, CometbftEvidence.from_bytes(found.proof), pin)

    def test_what_an_account_notes_of_its_log_is_proved_by_the_next_header(self, world):
        ledger, gateway, account = world.ledgers[0], world.gateways[0], address_of(world.relayer)
        with pytest.raises(Rejected) as caught:
            ledger.log_note(gateway, account, ledger.tip())
        assert caught.value.code == "other"
        root = Bytes32(b"\x77" * 32)
        noted = Call(gateway, contract("Gateway").encode("anchorLog", 21, bytes(root)), 200_000)
        receipt = world.transact(0, world.relayer, noted)
        assert receipt.success
        state, pin = followed(ledger), EvmStorePin(gateway, Bytes32(world.code_hash(0)))
        for height in (receipt.height + 1, state.height):
            evidence = ledger.log_note(gateway, account, height)
            block_hash = state.anchor_at(height).block_hash
            assert read_note(state, evidence, pin, account) == ProvedNote(height, block_hash, 21, root)
            check_note_block(state, evidence)
            check_note_block(replace(state, anchors=state.anchors[:1]), evidence)

    def test_two_interfaces_of_different_ledgers_are_no_endpoint(self, world):
        other = world.networks[1].url
        ledger = CosmosLedger(AdapterOptions((Endpoint(f"{other}#{world.networks[0].nodes[0].consensus_url}"),)))
        with pytest.raises(Misconfigured, match=r"different blocks|no Ethereum"):
            ledger.identity()
        ledger.close()
