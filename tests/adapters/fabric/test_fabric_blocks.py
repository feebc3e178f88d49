"""Blocks as peers give them: real ones of live Fabric networks, and those of the simulator, which the light client believes."""

import pytest

from adapters.fabric.blocks import gateway_events, read_peer_block
from adapters.fabric.simulator.network import FabricNetwork
from adapters.protocol import BadAnswer
from light_clients.fabric.codec import read_block
from tests.support.fabric_world import followed, opened, options_of
from tests.support.shared_vectors import shared

NUMBERS = {"bft": (0, 1, 3, 4, 5, 6, 7)}


@pytest.fixture(scope="module")
def real():
    folder = shared("fabric") / "bft" / "blocks"
    return {number: bytes.fromhex((folder / f"{number}.peer.hex").read_text()) for number in NUMBERS["bft"]}


def test_real_blocks_are_read_with_their_verdicts(real):
    found = {number: read_peer_block(data, number) for number, data in real.items()}
    codes = {number: [entry.code for entry in found[number].entries] for number in NUMBERS["bft"]}
    assert codes == {0: [], 1: [0], 3: [0], 4: [0], 5: [0], 6: [0x0A], 7: [0, 0, 0]}
    assert {entry.chaincode for entry in found[7].entries} == {"kv"}
    assert all(len(entry.transaction) == 32 and entry.time_s > 1_700_000_000 for entry in found[7].entries)
    assert found[4].content.block_hash == found[5].content.previous_hash
    assert gateway_events(found[4], "kv") == []


def test_a_real_block_of_an_orderer_has_no_verdicts(real):
    data = (shared("fabric") / "bft" / "blocks" / "4.block").read_bytes()
    with pytest.raises(BadAnswer, match="verdict"):
        read_peer_block(data, 4)


def test_another_height_or_another_envelope_is_a_bad_answer(real):
    with pytest.raises(BadAnswer, match="block 4 came where block 5"):
        read_peer_block(real[4], 5)
    changed = real[4].replace(b"hello", b"hallo").replace(b"k1", b"k9")
    assert changed != real[4]
    with pytest.raises(BadAnswer, match="not those of its header"):
        read_peer_block(changed, 4)
    for size in (0, 1, 50, len(real[4]) - 3):
        with pytest.raises(BadAnswer):
            read_peer_block(real[4][:size], 4)


@pytest.mark.parametrize(("consensus", "orderers"), [("BFT", 4), ("BFT", 7), ("etcdraft", 3)])
def test_the_light_client_believes_the_simulators_blocks(tmp_path, consensus, orderers):
    with FabricNetwork(tmp_path, consensus=consensus, orderers=orderers, block_interval_s=0.05) as network:
        network.install("nothing", "1.0", "127.0.0.1:9")
        network.add_organisation()
        if consensus == "BFT":
            network.add_orderer()
        network.install("nothing", "1.1", "127.0.0.1:9", sequence=2)
        with opened(options_of(network)) as ledger:
            state = followed(ledger, "trade")
            assert state.height == ledger.tip() == len(network.service.blocks) - 1
            assert ledger.identity().first_block == read_block(network.service.blocks[0]).block_hash
