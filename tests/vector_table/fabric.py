"""Fabric: blocks of live networks, raft and SmartBFT, in the orderer's and in a peer's copy, their configuration and certificates.

The vectors give no verdicts; what is expected comes from `tests.support.fabric_opinion`: Google's protobuf reads and writes every
block again, `cryptography` checks every certificate and signature, hashes and quorums are written out.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import yaml
from cryptography import x509
from google.protobuf.message import DecodeError

from light_clients.crypto.certificates import read_certificate, verify_chain
from light_clients.errors import HeaderHashMismatch, LightClientError
from light_clients.fabric import FabricConfiguration, FabricPin, FabricState, bootstrap, verify_header
from light_clients.fabric.codec import hash_data, read_block
from light_clients.fabric.config_block import read_config
from light_clients.fabric.errors import EndorsementsTooFew, IdentityRoleInvalid
from light_clients.fabric.membership import Membership, read_identity, read_membership
from light_clients.fabric.transactions import satisfies_definition, valid_endorsers, written_value
from schemas.primitives import BlockHash
from tests.support import fabric_opinion as opinion
from tests.vector_table.item import Item, Verdict, judged, unusable

FAMILY = "fabric"
LIFECYCLE = "_lifecycle"


@dataclass(frozen=True)
class Copy:
    """One copy of a block.

    Attributes:
        name: its file.
        data: the block.
        block: as Google's protobuf reads it.
    """

    name: str
    data: bytes
    block: Any


@dataclass(frozen=True)
class Known:
    """What is known before a block.

    Attributes:
        state: trusts the newest configuration before it.
        channel: the same configuration in the second opinion.
        index: number of its block.
    """

    state: FabricState
    channel: opinion.Channel
    index: int


def items(folder: Path) -> Iterator[Item]:
    """Judge every file below a folder of this layout."""
    for path in sorted(folder.iterdir()):
        if path.is_dir() and (path / "config.block").exists():
            yield from _network(folder, path)
        else:
            for file in [path] if path.is_file() else sorted(each for each in path.rglob("*") if each.is_file()):
                yield unusable(FAMILY, file.relative_to(folder).as_posix(), "text, or beside no configuration block")


def _row(name: str, second: bool, judge: Callable[[], object], why: str) -> Item:
    """A row whose verdict is the second opinion's."""
    expected: Verdict = "accepted" if second else "refused"
    return judged(FAMILY, name, expected, judge, why)


def _network(folder: Path, network: Path) -> Iterator[Item]:
    config = network / "config.block"
    files = [config, *sorted(each for each in (network / "blocks").rglob("*") if each.is_file())]
    copies = {path: _read(folder, path) for path in files}
    readable = [copy for copy in copies.values() if copy]
    for path, found in copies.items():
        if found is None:
            name = path.relative_to(folder).as_posix()
            yield judged(FAMILY, name, "refused", partial(_unread, path), "unreadable to Google's protobuf")
    hashes: dict[int, set[bytes]] = {}
    for copy in readable:
        if opinion.form_holds(copy.data):
            hashes.setdefault(copy.block.header.number, set()).add(opinion.block_hash(copy.block.header))
    first = next((copy for copy in readable if _is_first(copy, readable)), None)
    if first is None:
        for copy in readable:
            yield unusable(FAMILY, copy.name, "no configuration block here holds")
    else:
        yield from _blocks(first, readable, hashes)
    contents = read_config(_start(first.data, first).channel_config).memberships.values() if first else []
    memberships = {content: read_membership(content) for content in contents}
    for path in sorted(each for each in network.rglob("*") if each.is_file() and each not in copies):
        yield from _other(folder, path, readable, memberships)


def _is_first(copy: Copy, copies: list[Copy]) -> bool:
    """Whether a block brings a configuration, its hash is the one that the next block names, and all of it can be read."""
    header = copy.block.header
    named = {other.block.header.previous_hash for other in copies if other.block.header.number == header.number + 1}
    try:
        opinion.Channel(copy.block.data.data[0])
    except (DecodeError, ValueError, LookupError):
        return False
    held = opinion.form_holds(copy.data) and opinion.data_holds(copy.block)
    return held and (not named or opinion.block_hash(header) in named)


def _blocks(first: Copy, copies: list[Copy], hashes: dict[int, set[bytes]]) -> Iterator[Item]:
    header = first.block.header
    known = {header.number: Known(_start(first.data, first), opinion.Channel(first.block.data.data[0]), header.number)}
    for copy in sorted(copies, key=lambda each: each.block.header.number):
        number = copy.block.header.number
        if number == header.number or copy.name.endswith("config.block"):
            same = opinion.form_holds(copy.data) and opinion.data_holds(copy.block) and copy.block.header == header
            why = "Google's protobuf writes it again; the next block names its hash"
            yield _row(copy.name, same, partial(_start, copy.data, first), why)
        elif number > header.number:
            before = known[max(each for each in known if each < number)]
            yield from _block(copy, before, hashes.get(number - 1, set()), known)
        else:
            yield unusable(FAMILY, copy.name, "before the configuration that is known")


def _bytes(path: Path) -> bytes:
    data = path.read_bytes()
    return bytes.fromhex(data.decode().strip()) if path.suffix == ".hex" else data


def _read(folder: Path, path: Path) -> Copy | None:
    try:
        data = _bytes(path)
        return Copy(path.relative_to(folder).as_posix(), data, opinion.read("Block", data))
    except (DecodeError, ValueError):
        return None


def _unread(path: Path) -> None:
    """What Google's protobuf cannot read, ours refuses; what is not even hexadecimal is refused by being none."""
    try:
        data = _bytes(path)
    except ValueError as error:
        raise HeaderHashMismatch("This is no hexadecimal text.") from error
    read_block(data)


def _start(data: bytes, first: Copy) -> FabricState:
    channel = opinion.Channel(first.block.data.data[0]).header.channel_id
    pinned = BlockHash(opinion.block_hash(first.block.header))
    return bootstrap(data, pinned, FabricConfiguration(channel, trusting_period_s=2**32 - 1, heeds_expiry=False))


def _block(copy: Copy, before: Known, parents: set[bytes], known: dict[int, Known]) -> Iterator[Item]:
    block, header, name = copy.block, copy.block.header, copy.name
    named = header.previous_hash
    parent = named if named in parents or not parents else min(parents)
    form, hashed = opinion.form_holds(copy.data), opinion.data_holds(block)
    yield _row(f"{name} data hash", hashed, partial(_data_hash, copy.data), "SHA-256 of all envelopes")
    yield _row(f"{name} form", form, partial(read_block, copy.data), "Google's protobuf writes it again")
    if len(parent) != 32:
        return
    brings = [_type(each) == opinion.CONFIG for each in _payloads(block)] if hashed else []
    signers, said = _signed(before.channel, block)
    enough = signers is not None and signers >= before.channel.needed
    right = said == (header.number if any(brings) else before.index) and named == parent
    why = f"{signers} signatures by cryptography, {before.channel.needed} needed"
    why += "" if parents else "; the block before is not among the vectors, its hash is taken from this one"
    state = replace(before.state, height=header.number - 1, recent=(BlockHash(parent),))
    judge = partial(verify_header, state, copy.data, state.timestamp)
    row = _row(f"{name} signatures and place", form and hashed and enough and right, judge, why)
    yield row
    if row.found != "accepted":
        return
    if any(brings):
        verified = verify_header(state, copy.data, state.timestamp)
        after = replace(state, channel_config=verified.channel_config or b"", config_height=header.number)
        known[header.number] = Known(after, opinion.Channel(block.data.data[0]), header.number)
        return
    peers_filter = block.metadata.metadata[2] if len(block.metadata.metadata) > 2 else b""
    for place, payload in enumerate(_payloads(block)):
        told = f"; the peer's unsigned filter says {peers_filter[place]:#04x}" if place < len(peers_filter) else ""
        yield from _transaction(f"{name} transaction {place}", copy, place, payload, before, told)


def _signed(channel: opinion.Channel, block: Any) -> tuple[int | None, int]:
    """How many signed, and the last configuration that they name."""
    try:
        metadata = opinion.read("Metadata", block.metadata.metadata[0])
        said = opinion.read("OrdererBlockMetadata", metadata.value).last_config.index
        return channel.signers(block), said
    except (DecodeError, ValueError, LookupError):
        return None, 0


def _type(payload: Any) -> int:
    return int(opinion.read("ChannelHeader", payload.header.channel_header).type)


def _payloads(block: Any) -> list[Any]:
    return [opinion.read("Payload", opinion.read("Envelope", data).payload) for data in block.data.data]


def _data_hash(data: bytes) -> None:
    block = read_block(data)
    if hash_data(block.envelopes) != block.data_hash:
        raise HeaderHashMismatch("The envelopes have another hash.")


def _transaction(name: str, copy: Copy, place: int, payload: Any, before: Known, told: str) -> Iterator[Item]:
    """Endorsements alone: whether what was read had changed meanwhile no signature shows."""
    header = opinion.read("ChannelHeader", payload.header.channel_header)
    if header.type != opinion.ENDORSER_TRANSACTION:
        yield unusable(FAMILY, name, f"not of a chaincode: type {header.type}")
        return
    envelope = copy.block.data.data[place]
    action = opinion.read("ActionPayload", opinion.read("Transaction", payload.data).actions[0].payload)
    response = opinion.read("ResponsePayload", action.action.response)
    chaincode = opinion.read("ChaincodeAction", response.extension)
    spaces = {space.namespace: space for space in chaincode.results.ns_rwset}
    own = spaces.get(chaincode.chaincode_id.name)
    collections = [item.name.removeprefix("_implicit_org_") for item in own.collections] if own else []
    found = before.channel.endorsing(action.action)
    channel = before.channel.header.channel_id
    if chaincode.chaincode_id.name != LIFECYCLE and own and own.rwset.writes:
        wanted, key = before.channel.needed_endorsements("Endorsement"), own.rwset.writes[0].key
        judge: Callable[[], object] = partial(_written, before, channel, chaincode, spaces[LIFECYCLE], envelope, key)
    elif collections and not own.rwset.writes:
        wanted, found = len(collections), found.intersection(collections)
        paths = [f"/Channel/Application/{msp_id}/Endorsement" for msp_id in collections]
        judge = partial(_endorsed, before, action.action, paths)
    else:
        policy = "LifecycleEndorsement" if chaincode.chaincode_id.name == LIFECYCLE else "Endorsement"
        wanted = before.channel.needed_endorsements(policy)
        judge = partial(_endorsed, before, action.action, [f"/Channel/Application/{policy}"])
    headers = payload.header.channel_header + payload.header.signature_header
    right = hashlib.sha256(headers + action.proposal).digest() == response.proposal_hash
    creator = opinion.read("SignatureHeader", payload.header.signature_header)
    right = right and hashlib.sha256(creator.nonce + creator.creator).hexdigest() == header.tx_id
    why = f"peers of {len(found)} organisations by cryptography, {wanted} needed{told}"
    yield _row(f"{name} endorsements", right and len(found) >= wanted, judge, why)


def _written(before: Known, channel: str, chaincode: Any, lifecycle: Any, envelope: bytes, key: str) -> None:
    name = chaincode.chaincode_id.name
    sequence = f"namespaces/fields/{name}/Sequence"
    version = next(read.version for read in lifecycle.rwset.reads if read.key == sequence)
    policy = b"\x12\x20/Channel/Application/Endorsement"
    committed = version.block_num, version.tx_num
    pin = FabricPin(name, chaincode.chaincode_id.version, *committed, policy, tuple(sorted(before.channel.peers)), 1)
    written_value(read_config(before.state.channel_config), channel, pin, envelope, key)


def _endorsed(before: Known, endorsed: Any, paths: list[str]) -> None:
    config = read_config(before.state.channel_config)
    identities = valid_endorsers(
        config, endorsed.response, [(each.endorser, each.signature) for each in endorsed.endorsements]
    )
    for path in paths:
        if not satisfies_definition(config, b"\x12" + bytes((len(path),)) + path.encode(), identities):
            raise EndorsementsTooFew("Too few endorsements.", expected=path)


def _other(folder: Path, path: Path, copies: list[Copy], memberships: dict[bytes, Membership]) -> Iterator[Item]:
    name = path.relative_to(folder).as_posix()
    if path.name == "chaininfo.json":
        told = json.loads(path.read_text())
        for key, number in (("previousBlockHash", told["height"] - 2), ("currentBlockHash", told["height"] - 1)):
            said = base64.b64decode(told[key])
            whole = [copy for copy in copies if copy.block.header.number == number and opinion.form_holds(copy.data)]
            if whole:
                judge = partial(_same_hash, whole[0].data, said)
                second = opinion.block_hash(whole[0].block.header) == said
                yield _row(f"{name} {key}", second, judge, f"block {number}")
            else:
                yield unusable(FAMILY, f"{name} {key}", f"block {number} is not among the vectors")
    elif path.suffix == ".pem":
        yield _certificate(name, path, memberships)
    elif path.name == "config.yaml":
        yield _node_units(name, path, memberships)
    else:
        yield unusable(FAMILY, name, "not of this layout")


def _same_hash(data: bytes, said: bytes) -> None:
    if read_block(data).block_hash != said:
        raise HeaderHashMismatch("The block has another hash.", expected=said)


def _certificate(name: str, path: Path, memberships: dict[bytes, Membership]) -> Item:
    data = path.read_bytes()
    kind = path.parent.name
    authorities = path.parent.parent / ("tlscacerts" if kind == "tlscacerts" else "cacerts")
    root = next(authorities.glob("*.pem")).read_bytes()
    try:
        second = opinion.issued_by(x509.load_pem_x509_certificate(data), x509.load_pem_x509_certificate(root))
    except ValueError:
        second = False
    judge = partial(_chain, data, root, memberships, is_identity=kind == "signcerts")
    return _row(name, second, judge, "issuer and signature by cryptography")


def _chain(data: bytes, root: bytes, memberships: dict[bytes, Membership], *, is_identity: bool) -> None:
    certificate, authority = read_certificate(data), read_certificate(root)
    verify_chain(certificate, [authority], [], None, allow_authority=not is_identity)
    if is_identity:
        content = next((each for each, member in memberships.items() if authority in member.roots), b"")
        if not read_identity(content, data).roles.intersection(certificate.organisational_units):
            raise IdentityRoleInvalid("The role is not the one of the unit.")


def _node_units(name: str, path: Path, memberships: dict[bytes, Membership]) -> Item:
    try:
        authority = read_certificate(next((path.parent / "cacerts").glob("*.pem")).read_bytes()).der
    except LightClientError as error:
        return unusable(FAMILY, name, f"the authority beside it cannot be read: {error.name}")
    told = yaml.safe_load(path.read_text())["NodeOUs"]
    names = ("Client", "Peer", "Admin", "Orderer")
    said = {
        each.lower(): told[f"{each}OUIdentifier"]["OrganizationalUnitIdentifier"] for each in names if told["Enable"]
    }
    own = [member for member in memberships.values() if authority in {root.der for root in member.roots}]
    if not own:
        return unusable(FAMILY, name, "of an organisation that is not in the channel")
    found = {role: rule.unit for role, rule in own[0].node_rules}
    return Item(FAMILY, name, "accepted", "accepted" if said == found else "refused", "the units of config.block")
