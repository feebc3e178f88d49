"""A lane's gateway in the EVM of a synthetic CometBFT chain, or in a module of its application, with its proofs."""

from dataclasses import replace

from light_clients import cometbft
from light_clients.proofs.gateway import head_slot
from schemas.claim import Claim, Direction
from schemas.primitives import Bytes32, Head, LaneId
from tests.support.cometbft_chain import START, Chain, Store

NOW = START + 100
LANE, HEAD, OTHER_HEAD = LaneId(b"\x11" * 32), Head(b"\x22" * 32), Head(b"\x33" * 32)
GATEWAY, CODE = b"\x44" * 20, Bytes32(b"\x55" * 32)
EVM = cometbft.EvmStorePin(GATEWAY, CODE)
MODULE = cometbft.ApplicationPin(b"relay", b"head/")


def storage_key(lane=LANE, direction=0, address=GATEWAY):
    return b"\x02" + address + head_slot(lane, direction)


ENTRIES = {
    storage_key(): bytes(HEAD),
    b"\x04" + GATEWAY: bytes(CODE),
    b"\x01" + CODE: b"code",
    b"\x03": b"parameters",
    storage_key(LaneId(b"\x12" * 32)): bytes(OTHER_HEAD),
    storage_key(address=b"\x45" * 20): bytes(OTHER_HEAD),
}


class GatewayWorld:
    """A chain whose block 5 has the state that a store is the root of."""

    def __init__(self, entries, name=b"evm", gateway=GATEWAY):
        self.store, self.name, self.gateway = Store(entries), name, gateway
        self.chain = Chain()
        self.chain.grow(3)
        self.block = self.chain.grow(app_hash=self.store.app_hash(name))
        self.chain.grow(2)
        self.state = self.chain.bootstrap()
        for height in (2, 3, 5, 7):
            self.state = cometbft.follow(self.state, height, self.chain.provider, NOW)

    def claim(self, **fields):
        made = Claim(LANE, Direction.OUTBOX, 3, HEAD, 5, self.block.block_hash)
        return replace(made, **fields)

    def evidence(self, key=None, **fields):
        key = storage_key() if key is None else key
        code = self.store.proof(b"\x04" + self.gateway) if self.name == b"evm" else b""
        made = cometbft.CometbftEvidence(self.store.proof(key), self.store.store_proof(self.name), code)
        return replace(made, **fields)
