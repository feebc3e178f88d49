"""Rows of the vectors in ``cometbft``: every file of its layouts, by what it holds and not by its name."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

from light_clients import cometbft
from light_clients.cometbft.block_json import (
    bundle_from_json,
    commit_from_json,
    header_from_json,
    time_from_json,
    validators_from_json,
)
from light_clients.cometbft.codec import read_bundle, read_commit, read_header, read_validator_set
from light_clients.cometbft.encoding import SignBytes, timestamp_bytes
from light_clients.cometbft.errors import NotEnoughTrust
from light_clients.cometbft.types import CometbftConfiguration, CometbftState
from light_clients.errors import LightClientError, Misbehaviour
from light_clients.proofs.ics23 import IAVL, TENDERMINT, verify_chain
from light_clients.proofs.tendermint_merkle import merkle_root
from light_clients.protobuf import Message, delimited, message_field, octets_field, varint
from schemas.primitives import BlockHash
from tests.support import cometbft_opinion as opinion
from tests.support.cometbft_chain import Block, Member, members
from tests.vector_table.item import Item, Verdict, judged, unusable
from tests.vector_table.verdicts import verdict_in

FAMILY = "cometbft"


def items(folder: Path) -> Iterator[Item]:
    """One row for each verdict that the files of the folder hold."""
    files = {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if path.is_file()}
    headers: list[tuple[str, Any]] = []
    for name, path in files.items():
        if path.suffix != ".json":
            yield unusable(FAMILY, name, "says where the vectors come from; no vector itself")
            continue
        content = json.loads(path.read_text())
        if "trusted_validators" in content:
            headers.append((name, content))
            continue
        shape = next((read for key, read in _SHAPES.items() if key in content), None)
        try:
            rows = list(shape(name, content)) if shape else [unusable(FAMILY, name, "of none of the known shapes")]
        except LightClientError as error:
            rows = [Item(FAMILY, name, verdict_in(content) or "accepted", "refused", error.name)]
        yield from rows
    yield from _update_headers(headers)


def seconds_of(text: str) -> int:
    """Unix seconds of a time, without its fraction."""
    return Message.read(time_from_json(text)).signed(1)


def _configuration(period_ns: Any, block_version: str = "11", level: Mapping[str, Any] | None = None) -> Any:
    seconds = int(period_ns) // 10**9
    numerator, denominator = (int(level["numerator"]), int(level["denominator"])) if level else (1, 3)
    return CometbftConfiguration(seconds, seconds + 1, 0, numerator, denominator, int(block_version))


def _trusted(header: Any, configuration: CometbftConfiguration) -> CometbftState:
    written = header_from_json(header)
    bundle = message_field(1, message_field(1, written))
    return cometbft.bootstrap(bundle, read_header(written).block_hash, configuration)


def _model_based(name: str, content: Any) -> Iterator[Item]:
    """Steps with a verdict each: SUCCESS, NOT_ENOUGH_TRUST or INVALID."""
    initial = content["initial"]
    state = _trusted(initial["signed_header"]["header"], _configuration(initial["trusting_period"]))
    trusted = initial["next_validator_set"]["validators"]
    for number, step in enumerate(content["input"], 1):
        block, found, why = step["block"], "SUCCESS", ""
        try:
            bundle = bundle_from_json(block["signed_header"], block["validator_set"]["validators"], trusted)
            verified = cometbft.verify_header(state, bundle, seconds_of(step["now"]))
            state, trusted = cometbft.apply(state, verified), block["next_validator_set"]["validators"]
        except LightClientError as error:
            found, why = ("NOT_ENOUGH_TRUST" if isinstance(error, NotEnoughTrust) else "INVALID"), error.name
        right = found == step["verdict"]
        expected = "accepted" if step["verdict"] == "SUCCESS" else "refused"
        other = "refused" if expected == "accepted" else "accepted"
        why = f"{found} {why}".strip() if right else f"verdict {step['verdict']}, found {found} {why}"
        yield Item(FAMILY, f"{name} step {number}", expected, expected if right else other, why)


def _bisection(name: str, content: Any) -> Iterator[Item]:
    """Following by bisection, and the comparison with every witness."""
    options, chain = content["trust_options"], content["primary"]["lite_blocks"]
    first = _at(chain, int(options["height"]))
    period, level = int(options["period"]) // 10**9, options["trust_level"]
    version = int(first["signed_header"]["header"]["version"]["block"])
    configuration = CometbftConfiguration(
        period, period + 1, 10, int(level["numerator"]), int(level["denominator"]), version
    )
    wanted, now = int(content["height_to_verify"]), seconds_of(content["now"])
    expected: Verdict = "refused" if content["expected_output"] == "error" else "accepted"
    why = "its verdict"
    if read_header(header_from_json(first["signed_header"]["header"])).block_hash.hex() == options["hash"].lower():
        make = _as_told
    elif amino_header_hash(first["signed_header"]["header"]).hex() == options["hash"].lower():
        make = _signed_again
        why = "its verdict; hashed as Tendermint 0.33 did, so the same chain is encoded and signed again"
    else:
        yield judged(FAMILY, name, expected, lambda: _refuse_pin(first, configuration, options["hash"]), why)
        return

    def judge() -> None:
        trusted = make(first)
        bundle = trusted.bundle()
        state = cometbft.bootstrap(bundle, read_bundle(bundle).header.block_hash, configuration)
        primary = _provider(chain, make)
        cometbft.follow(state, wanted, primary, now)
        for witness in content["witnesses"]:
            try:
                told = _provider(witness["value"]["lite_blocks"], make)
                cometbft.compare_with_witness(state, wanted, primary, told, now)
            except Misbehaviour as error:
                raise WitnessDisagrees(str(error)) from error

    yield judged(FAMILY, name, expected, judge, why)


class WitnessDisagrees(LightClientError):
    """Misbehaviour, as a refusal of the table."""


class _Told:
    """A block of the JSON as it is."""

    def __init__(self, block: Any, trusted: Any = None) -> None:
        self.block, self.trusted = block, trusted

    def bundle(self) -> bytes:
        """As `codec` reads it."""
        trusted = self.trusted["next_validator_set"]["validators"] if self.trusted else ()
        return bundle_from_json(self.block["signed_header"], self.block["validator_set"]["validators"], trusted)


def _as_told(block: Any, trusted: Any = None) -> _Told:
    return _Told(block, trusted)


def _signed_again(block: Any, trusted: Any = None) -> Block:
    """The same block with keys of ours: who signed, powers, times and what the header says stay."""
    header, commit = block["signed_header"]["header"], block["signed_header"]["commit"]
    own = _members(block["validator_set"])
    flags = {vote["validator_address"]: vote["block_id_flag"] for vote in commit["signatures"]}
    seconds, nanos = _time(header["time"])
    return Block(
        int(header["height"]),
        seconds * 10**9 + nanos,
        own,
        _members(block["next_validator_set"]),
        sha256(header["app_hash"].encode()).digest(),
        header["chain_id"],
        (int(header["version"]["block"]), int(header["version"]["app"])),
        hashes={"data_hash": sha256(json.dumps([header["data_hash"], commit["block_id"]["hash"]]).encode()).digest()},
        flags=tuple(flags.get(member.label, 1) for member in own),
        trusted=_members(trusted["next_validator_set"]) if trusted else None,
    )


def _members(told: Any) -> tuple[Member, ...]:
    labels = [member["address"] for member in told["validators"]]
    made: tuple[Member, ...] = members(labels, [int(member["voting_power"]) for member in told["validators"]])
    return made


def _time(text: str) -> tuple[int, int]:
    message = Message.read(time_from_json(text))
    return message.signed(1), message.integer(2)


def amino_header_hash(header: Any) -> bytes:
    """The hash of a header by Tendermint 0.33, whose fields are bare amino: to tell such vectors from false ones."""
    message = Message.read(header_from_json(header))
    version, chain_id = message.octets(1), message.octets(2)
    parent = Message.read(message.octets(5))
    parts = parent.octets(2)
    block_id = octets_field(1, parent.octets(1)) + (message_field(2, parts) if parts else b"")
    fields = [message.octets(number) for number in range(6, 15)]
    bare = [delimited(field) if field else b"" for field in fields]
    return merkle_root([version, delimited(chain_id), varint(message.integer(3)), message.octets(4), block_id, *bare])


def _refuse_pin(block: Any, configuration: CometbftConfiguration, pinned: str) -> None:
    header = header_from_json(block["signed_header"]["header"])
    cometbft.bootstrap(message_field(1, message_field(1, header)), BlockHash(bytes.fromhex(pinned)), configuration)


def _at(blocks: list[Any], height: int) -> Any:
    return next(block for block in blocks if int(block["signed_header"]["header"]["height"]) == height)


def _provider(blocks: list[Any], make: Callable[..., Any]) -> Callable[[int, int], bytes]:
    def answer(height: int, trusted_height: int) -> bytes:
        bundle: bytes = make(_at(blocks, height), _at(blocks, trusted_height)).bundle()
        return bundle

    return answer


def _sign_bytes(name: str, content: Any) -> Iterator[Item]:
    """Canonical bytes of votes, and one header's hash."""
    for number, case in enumerate(content["vote_sign_bytes"], 1):
        vote = case["vote"]
        sign_bytes = SignBytes(vote.get("type", 0), vote.get("height", 0), vote.get("round", 0), None, case["chain_id"])
        right = sign_bytes.at(timestamp_bytes(-62135596800, 0)).hex() == case["want"]
        yield Item(FAMILY, f"{name} vote {number}", "accepted", "accepted" if right else "refused", "bytes compared")
    header = {key: _hashed(value) if isinstance(value, str) else value for key, value in content["header"].items()}
    header["height"], header["version"] = str(header["height"]), {k: str(v) for k, v in header["version"].items()}
    right = read_header(header_from_json(header)).block_hash.hex() == content["header_hash"].lower()
    yield Item(FAMILY, f"{name} header", "accepted", "accepted" if right else "refused", "hash compared")


def _hashed(text: str) -> str:
    """``sha256(text)`` and ``sha256(text)[:20]`` stand for that hash."""
    if not text.startswith("sha256("):
        return text
    inner, _, cut = text.removeprefix("sha256(").partition(")")
    digest = sha256(inner.encode()).hexdigest()
    return digest[: 2 * int(cut[2:-1])] if cut else digest


def _rpc_answer(name: str, content: Any) -> Iterator[Item]:
    """Answers of nodes: hashes of headers by what the node says of them, commits by their signers."""
    result = content["result"]
    if "signed_header" in result:
        yield _hash_row(
            f"{name} header", result["signed_header"]["header"], result["signed_header"]["commit"]["block_id"]
        )
        yield _commit_row(f"{name} commit", result["signed_header"]["commit"])
    elif "block_metas" in result:
        known = {meta["header"]["height"]: meta for meta in result["block_metas"]}
        for height, meta in known.items():
            yield _hash_row(f"{name} height {height}", meta["header"], meta["block_id"])
            below = known.get(str(int(height) - 1))
            if below is not None:
                yield _hash_row(f"{name} parent of {height}", below["header"], meta["header"]["last_block_id"])
    elif "block" in result or "blocks" in result:
        for answer in result.get("blocks", [result]):
            block = answer["block"]
            height = block["header"]["height"]
            yield _hash_row(f"{name} height {height}", block["header"], answer["block_id"])
            if height != "1":
                yield _commit_row(f"{name} last commit of {height}", block["last_commit"])
    elif "genesis" in result:
        validators = result["genesis"]["validators"]
        written = validators_from_json([{**member, "voting_power": member["power"]} for member in validators])
        why = "second opinion: the addresses are those of the keys"
        expected: Verdict = "accepted" if opinion.addresses_hold(validators) else "refused"
        yield judged(FAMILY, name, expected, lambda: read_validator_set(written), why)
    elif "response" in result:
        why = "a kvstore has no provable state: the answer brings no proof" if not _proofs(result) else "another store"
        yield unusable(FAMILY, name, why)
    else:
        yield unusable(FAMILY, name, "an answer without a header, a commit or validators")


def _proofs(result: Any) -> Any:
    return result["response"].get("proofOps")


def _hash_row(name: str, header: Any, block_id: Any) -> Item:
    """Whether our hash of a header is the one that the node says."""
    try:
        found = read_header(header_from_json(header)).block_hash.hex()
    except LightClientError as error:
        return Item(FAMILY, name, "accepted", "refused", error.name)
    told = bytes.fromhex(block_id["hash"])
    expected: Verdict = "accepted" if opinion.header_hash(header) == told else "refused"
    why = "the hash that the node says; second opinion: Google's protobuf"
    return Item(FAMILY, name, expected, "accepted" if found == told.hex() else "refused", why)


def _commit_row(name: str, commit: Any) -> Item:
    return judged(FAMILY, name, "accepted", lambda: read_commit(commit_from_json(commit)), "read; its set is not there")


def _update_headers(headers: list[tuple[str, Any]]) -> Iterator[Item]:
    """IBC updates of one chain: each is judged from the header that it names as trusted, where that is among them."""
    known = {_height(content): content for _, content in headers}
    for name, content in headers:
        trusted_height = int(content["trusted_height"].split("-")[1])
        below = known.get(trusted_height)
        expected = _second_opinion(content)
        if below is None:
            why = "from its own trusted validators: the header of their height is not among the vectors"
            yield judged(FAMILY, name, expected, partial(_judge_alone, content, trusted_height), why)
        else:
            why = f"from height {trusted_height}, its own trusted height; second opinion: protobuf and cryptography"
            yield judged(FAMILY, name, expected, partial(_judge_update, content, trusted_height, below), why)


def _judge_update(content: Any, trusted_height: int, below: Any) -> None:
    state = _trusted(_plain(below["signed_header"])["header"], _configuration(14 * 86400 * 10**9))
    now = seconds_of(_plain(content["signed_header"]["header"]["time"])) + 1
    cometbft.verify_header(state, _update_bundle(content, trusted_height), now)


def _judge_alone(content: Any, trusted_height: int) -> None:
    """As if a header had been accepted whose next set is the trusted one of the update."""
    bundle = _update_bundle(content, trusted_height)
    read = read_bundle(bundle)
    state = _trusted(_plain(content["signed_header"])["header"], _configuration(14 * 86400 * 10**9))
    trusted = read.trusted_validators.set_hash if read.trusted_validators else b""
    earlier = state.newest.time_ns - 1
    anchor = replace(state.newest, height=trusted_height, time_ns=earlier, next_validators_hash=trusted)
    cometbft.verify_header(replace(state, anchors=(anchor,)), bundle, read.header.time_ns // 10**9 + 1)


def _second_opinion(content: Any) -> Verdict:
    """Its own set, and a third of the trusted one; what the second opinion cannot read, it refuses."""
    try:
        return "accepted" if _holds(content) else "refused"
    except (ValueError, KeyError):
        return "refused"


def _holds(content: Any) -> bool:
    signed = _plain(content["signed_header"])
    own, trusted = (
        [_plain_validator(m) for m in content[key]["validators"]] for key in ("validator_set", "trusted_validators")
    )
    total = sum(int(member["voting_power"]) for member in trusted)
    known = opinion.addresses_hold(own) and opinion.addresses_hold(trusted)
    return bool(known and opinion.block_holds(signed, own) and opinion.signed_power(signed, trusted) * 3 > total)


def _update_bundle(content: Any, trusted_height: int) -> bytes:
    sets = (
        [_plain_validator(member) for member in content[key]["validators"]]
        for key in ("validator_set", "trusted_validators")
    )
    return bundle_from_json(_plain(content["signed_header"]), *sets, trusted_height)


def _height(content: Any) -> int:
    return int(content["signed_header"]["header"]["height"])


_FLAGS = {"absent": 1, "commit": 2, "nil": 3}


def _plain(value: Any) -> Any:
    """The JSON of unionlabs/union as a node would write it."""
    if isinstance(value, dict):
        if any("@type" in vote for vote in value.get("signatures", ())):
            votes = [{"block_id_flag": _FLAGS[v["@type"]], **_plain(v.get("@value", {}))} for v in value["signatures"]]
            for vote in votes:
                if "signature" in vote:
                    vote["signature"] = _base64(vote["signature"])
            return {**_plain({k: v for k, v in value.items() if k not in ("signatures", "height")}), "signatures": votes,
                    "height": str(value["height"])}  # fmt: skip
        return {key: _plain(inner) for key, inner in value.items()}
    return value.removeprefix("0x").replace("+00:00", "Z") if isinstance(value, str) else value


def _plain_validator(member: Any) -> Any:
    if "type" in member["pub_key"]:
        return member
    kind = {"ed25519": "tendermint/PubKeyEd25519", "secp256k1": "tendermint/PubKeySecp256k1"}[
        member["pub_key"]["@type"]
    ]
    key = _base64(member["pub_key"]["@value"].removeprefix("0x"))
    power = str(member["voting_power"])
    return {
        "address": member["address"].removeprefix("0x"),
        "pub_key": {"type": kind, "value": key},
        "voting_power": power,
    }


def _base64(text: str) -> str:
    import base64

    return base64.b64encode(bytes.fromhex(text)).decode()


def _ibc_update(name: str, content: Any) -> Iterator[Item]:
    """A client update in ibc-go's own protobuf."""
    message = content["update_client_message"]
    bundle = bytes.fromhex(message["client_message_hex"])
    state = _ibc_state(content, message["trusted_height"])
    now = read_bundle(bundle).header.time_ns // 10**9 + 1

    def judge() -> None:
        verified = cometbft.verify_header(state, bundle, now)
        assert verified.height == message["new_height"]

    yield judged(FAMILY, name, "accepted", judge, "the chain of the vector accepted it")


def _ibc_state(content: Any, height: int) -> CometbftState:
    """The state that an IBC client and consensus state say: {1 time, 2 root {1 hash}, 3 next validators}."""
    client, consensus = (
        Message.read(bytes.fromhex(content[key])) for key in ("client_state_hex", "consensus_state_hex")
    )
    level, times = Message.read(client.octets(2)), Message.read(consensus.octets(1))
    trusting, unbonding, drift = (Message.read(client.octets(field)).integer(1) for field in (3, 4, 5))
    configuration = CometbftConfiguration(trusting, unbonding, drift, level.integer(1), level.integer(2))
    anchor = cometbft.types.Anchor(
        height,
        BlockHash(b"\x01" * 32),
        times.integer(1) * 10**9 + times.integer(2),
        Message.read(consensus.octets(2)).octets(1),
        consensus.octets(3),
    )
    return CometbftState(configuration, client.text(1), (anchor,))


def _ibc_membership(name: str, content: Any) -> Iterator[Item]:
    """An entry of an IBC store under a consensus state's root."""
    message = content["membership_msg"]
    state = _ibc_state(content, 1)
    store, key = (part.encode() for part in message["path"])
    value = bytes.fromhex(message["value"]) or None
    proofs = Message.read(bytes.fromhex(message["proof"]), (1,)).repeated(1)
    trees = ((IAVL, key), (TENDERMINT, store))
    holds = opinion.proofs_hold(state.newest.app_hash, [key, store], value, proofs)
    why = "second opinion: the hashes written out"
    yield judged(
        FAMILY,
        name,
        "accepted" if holds else "refused",
        lambda: verify_chain(state.newest.app_hash, trees, value, proofs),
        why,
    )


_SHAPES: Mapping[str, Callable[[str, Any], Iterator[Item]]] = {
    "initial": _model_based,
    "trust_options": _bisection,
    "vote_sign_bytes": _sign_bytes,
    "jsonrpc": _rpc_answer,
    "update_client_message": _ibc_update,
    "membership_msg": _ibc_membership,
}
