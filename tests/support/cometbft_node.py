"""The JSON of a node whose chain and store are synthetic, as its two interfaces say it."""

import base64
from datetime import UTC, datetime

from adapters.cosmos.adapter import CosmosLedger
from tests.support.cometbft_chain import ABSENT
from tests.support.fake_rpc import FakeTransport, RpcFault

HASHES = (
    "last_commit_hash",
    "data_hash",
    "validators_hash",
    "next_validators_hash",
    "consensus_hash",
    "app_hash",
    "last_results_hash",
    "evidence_hash",
    "proposer_address",
)
STATUS = {"node_info": {"network": "relay-test-1", "version": "0.38.17"}}


class CometbftNode:
    """Serves a `GatewayWorld`: the store's state is that after the block before its own.

    Attributes:
        asked: methods and parameters, of both interfaces.
    """

    name = "cosmos"
    keeps_time = True

    def __init__(self, world):
        self.world = world
        self.asked = []

    def open(self, options):
        """What a guard opens."""
        return CosmosLedger(options, transport=self._transport(), consensus_transport=self._transport())

    def _transport(self):
        def answer(method, params):
            self.asked.append((method, params))
            return getattr(self, method)(*params)

        return FakeTransport(answer)

    def eth_chainId(self):
        return "0x40000"

    def web3_clientVersion(self):
        return "synthetic"

    def eth_getBlockByNumber(self, *_):
        newest = self.world.chain.newest
        return {"number": hex(newest.height), "hash": "0x" + newest.block_hash.hex()}

    def status(self):
        return STATUS | {"sync_info": {"latest_block_height": str(self.world.chain.newest.height)}}

    def commit(self, height):
        try:
            block = self.world.chain.at(int(height))
        except StopIteration:
            return RpcFault("Internal error", -32603, f"height {height} must be less than or equal to the current one")
        return {"signed_header": {"header": header_json(block), "commit": commit_json(block)}}

    def validators(self, height, *_):
        chain = self.world.chain
        above = int(height) == chain.newest.height + 1
        members = chain.newest.next_validators if above else chain.at(int(height)).validators
        return {"validators": [member_json(member) for member in members], "total": str(len(members))}

    def abci_query(self, path, key, height, _):
        if int(height) != self.world.block.height - 1:
            return {"response": {"code": 7, "log": "version does not exist"}}
        proofs = (self.world.store.proof(bytes.fromhex(key)), self.world.store.store_proof(path.split("/")[2].encode()))
        kinds = ("ics23:iavl", "ics23:simple")
        operations = [{"type": kind, "data": in_base64(proof)} for kind, proof in zip(kinds, proofs, strict=True)]
        found = {"height": height, "key": in_base64(bytes.fromhex(key)), "proofOps": {"ops": operations}}
        return {"response": found}


def header_json(block):
    header = block.header()
    return {
        "version": {"block": str(header.version.block), "app": str(header.version.app)},
        "chain_id": header.chain_id,
        "height": str(header.height),
        "time": time_json(header.time),
        "last_block_id": block_id_json(header.last_block_id),
        **{name: getattr(header, name).hex() for name in HASHES},
    }


def commit_json(block):
    commit = block.commit()
    votes = [
        {"block_id_flag": ABSENT}
        if vote.block_id_flag == ABSENT
        else {
            "block_id_flag": vote.block_id_flag,
            "validator_address": vote.validator_address.hex(),
            "timestamp": time_json(vote.timestamp),
            "signature": in_base64(vote.signature),
        }
        for vote in commit.signatures
    ]
    named = block_id_json(commit.block_id)
    return {"height": str(commit.height), "round": commit.round, "block_id": named, "signatures": votes}


def member_json(member):
    key = {"type": "tendermint/PubKeyEd25519", "value": in_base64(member.key)}
    return {"address": member.address.hex(), "pub_key": key, "voting_power": str(member.power)}


def block_id_json(block_id):
    parts = block_id.part_set_header
    return {"hash": block_id.hash.hex(), "parts": {"total": parts.total, "hash": parts.hash.hex()}}


def time_json(time):
    return f"{datetime.fromtimestamp(time.seconds, UTC):%Y-%m-%dT%H:%M:%S}.{time.nanos:09d}Z"


def in_base64(data):
    return base64.b64encode(data).decode()
