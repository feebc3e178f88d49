"""A second opinion on vectors of CometBFT: Google's protobuf, `cryptography`, and the arithmetic of ICS-23 written out.

It shares no code with `light_clients.cometbft` and `light_clients.proofs.ics23`. It does not judge which operations a tree may
have, nor whether two neighbours are next to each other.
"""

import base64
from datetime import UTC, datetime
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from google.protobuf.message import DecodeError

from tests.support.cometbft_chain import hash_of_header, merkle, sign_bytes
from tests.support.cometbft_messages import message, read

_HASHES = ("last_commit_hash", "data_hash", "validators_hash", "next_validators_hash", "consensus_hash", "app_hash",
           "last_results_hash", "evidence_hash", "proposer_address")  # fmt: skip


def nanoseconds(text):
    """Unix nanoseconds of an RFC 3339 time in UTC."""
    whole, _, fraction = text.removesuffix("Z").partition(".")
    seconds = int(
        (datetime.fromisoformat(whole).replace(tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds()
    )
    return seconds * 10**9 + int(fraction.ljust(9, "0") or 0)


def block_id(told):
    """A BlockID of JSON; nothing where there is none."""
    if not told:
        return message("BlockID")
    parts = told.get("parts") or told["part_set_header"]
    inner = message("PartSetHeader", total=parts["total"], hash=bytes.fromhex(parts["hash"]))
    return message("BlockID", hash=bytes.fromhex(told["hash"]), part_set_header=inner)


def header_hash(told):
    """The hash of a header of JSON."""
    seconds, nanos = divmod(nanoseconds(told["time"]), 10**9)
    version = {key: int(value) for key, value in told["version"].items()}
    return hash_of_header(
        message(
            "Header",
            version=message("Consensus", **version),
            chain_id=told["chain_id"],
            height=int(told["height"]),
            time=message("Timestamp", seconds=seconds, nanos=nanos),
            last_block_id=block_id(told.get("last_block_id")),
            **{name: bytes.fromhex(told[name]) for name in _HASHES},
        )
    )


def set_hash(validators):
    """The hash of a set of validators of JSON with keys of ed25519, in their order."""
    leaves = []
    for told in validators:
        key = message("PublicKey", ed25519=base64.b64decode(told["pub_key"]["value"]))
        leaves.append(
            message("SimpleValidator", pub_key=key, voting_power=int(told["voting_power"])).SerializeToString()
        )
    return merkle(leaves)


def signed_power(signed_header, validators):
    """The power of those validators of a set who signed a block; False where a signature is another's."""
    header, commit = signed_header["header"], signed_header["commit"]
    keys = {told["address"].upper(): told for told in validators}
    power = 0
    for vote in commit["signatures"]:
        told = keys.get((vote.get("validator_address") or "").upper())
        if vote["block_id_flag"] != 2 or told is None:
            continue
        data = sign_bytes(header["chain_id"], int(commit["height"]), commit["round"], block_id(commit["block_id"]),
                          nanoseconds(vote["timestamp"]))  # fmt: skip
        try:
            key = Ed25519PublicKey.from_public_bytes(base64.b64decode(told["pub_key"]["value"]))
            key.verify(base64.b64decode(vote["signature"]), data)
        except (InvalidSignature, ValueError):
            return False
        power += int(told["voting_power"])
    return power


def block_holds(signed_header, validators):
    """Whether a block has the hash that its commit names, its set the hash that it names, and two thirds signed it."""
    header, commit = signed_header["header"], signed_header["commit"]
    total = sum(int(told["voting_power"]) for told in validators)
    return (
        header_hash(header) == bytes.fromhex(commit["block_id"]["hash"])
        and set_hash(validators) == bytes.fromhex(header["validators_hash"])
        and header["height"] == commit["height"]
        and len(commit["signatures"]) == len(validators)
        and addresses_hold(validators)
        and all(
            vote["block_id_flag"] == 1 or vote["validator_address"].lower() == told["address"].lower()
            for vote, told in zip(commit["signatures"], validators, strict=True)
        )
        and signed_power(signed_header, validators) * 3 > total * 2
    )


def addresses_hold(validators):
    """Whether each address of JSON is the one of its key of ed25519."""
    keys = ((told["address"].lower(), base64.b64decode(told["pub_key"]["value"])) for told in validators)
    return all(sha256(key).hexdigest()[:40] == address for address, key in keys)


def follows(below, signed_header):
    """Whether a header may be next to another one by what both say."""
    lower, upper = below["header"], signed_header["header"]
    return (
        lower["next_validators_hash"].lower() == upper["validators_hash"].lower()
        and nanoseconds(lower["time"]) < nanoseconds(upper["time"])
        and lower["chain_id"] == upper["chain_id"]
    )


_PREHASH = {0: lambda data: data, 1: lambda data: sha256(data).digest()}


def root_of(proof):
    """The root that an ExistenceProof leads to, by its own operations; only SHA-256 is known here."""

    def prepared(prehash, data):
        data = _PREHASH[prehash](data)
        return bytes([len(data)]) + data if proof.leaf.length == 1 else data

    node = sha256(proof.leaf.prefix + prepared(proof.leaf.prehash_key, proof.key)
                  + prepared(proof.leaf.prehash_value, proof.value)).digest()  # fmt: skip
    for step in proof.path:
        node = sha256(step.prefix + node + step.suffix).digest()
    return node


def proofs_hold(root, keys, value, proofs):
    """Whether proofs lead from an entry, or from the neighbours of an absent key, to a root."""
    try:
        opened = [read("CommitmentProof", proof) for proof in proofs]
    except DecodeError:
        return False
    lowest, node = opened[0], value
    if value is None:
        sides = [getattr(lowest.nonexist, side) for side in ("left", "right") if lowest.nonexist.HasField(side)]
        named = lowest.nonexist.key in (keys[0], sha256(keys[0]).digest())
        if not named or not sides or len({root_of(side) for side in sides}) != 1:
            return False
        node, opened, keys = root_of(sides[0]), opened[1:], keys[1:]
    for key, proof in zip(keys, opened, strict=True):
        if (proof.exist.key, proof.exist.value) != (key, node):
            return False
        node = root_of(proof.exist)
    return node == root
