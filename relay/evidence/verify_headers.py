"""Who made a header, by the trust anchors alone: its sealers, led from the anchors' validators over each change of them.

The anchors list who seals from a height on. Where validators changed afterwards, a receipt brings the headers with which new sets
began, and only those. A set is believed where more than a third of the members before it are among the sealers of the first header
that lists it: one of them at least is honest, as the family supposes of every set, and seals no header with other validators than
the true ones. Source: docs/evidence.md, check 9 and section When validators change; the rule is that of skipping verification
in the CometBFT specification (light client, `VerifyCommitLightTrusting`, trust level 1/3).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import MappingProxyType
from typing import NoReturn

from light_clients import rlp
from light_clients.bft.checks import check_form, check_seals
from light_clients.bft.types import Address, BftHeader, is_validator_set
from light_clients.families import client_named, header_hash
from light_clients.ibft.verify import CLIENT as IBFT
from light_clients.ibft2.verify import CLIENT as IBFT2
from light_clients.qbft.verify import CLIENT as QBFT
from schemas.primitives import Bytes32
from schemas.receipt import ChainAnchor

SEALED: MappingProxyType[str, Callable[[bytes], BftHeader]] = MappingProxyType(
    {"qbft": QBFT.parse_header, "ibft2": IBFT2.parse_header, "ibft": IBFT.parse_header}
)
"""Families whose seals are verified by the validators of the anchors."""
HASHED_WHOLE = ("clique", "development")
"""Families whose headers are hashed as they are."""
ROOT_ITEM, HEIGHT_ITEM = 3, 8


class Fails(Exception):
    """A check does not hold; the text says why."""


class NotAsked(Exception):
    """A check does not apply; the text says why."""


class NotKnown(Exception):
    """The anchors do not say who made a header; the text says what they lack."""


def same(what: str, found: object, expected: object) -> None:
    """Hold one value against another.

    Raises:
        Fails: they differ.
    """
    if found != expected:
        raise Fails(f"{what}: {shown(found)} where {shown(expected)} is expected.")


def shown(value: object) -> str:
    """A value as a sentence has it."""
    return "0x" + value.hex() if isinstance(value, bytes) else repr(value)[:100]


def state_root_of(consensus: str, header: bytes, height: int, block_hash: bytes) -> Bytes32:
    """The state root of an Ethereum header that has this height and hash; who made it is another question.

    Raises:
        Fails: it is no header, or another one.
        LightClientError: it is not of the family's form.
    """
    same("The header's hash", header_hash(consensus, header), block_hash)
    items = rlp.decode_list(header)
    number, root = items[HEIGHT_ITEM], items[ROOT_ITEM]
    if not isinstance(number, bytes) or not isinstance(root, bytes):
        raise Fails("The header is none.")
    same("The header's height", rlp.decode_integer(number, 8), height)
    return Bytes32(root)


def check_maker(chain: ChainAnchor, height: int, block_hash: bytes, header: bytes, changes: Sequence[bytes]) -> None:
    """Judge who made a header, by the anchors' validators where they list some, else by their light client's state.

    Args:
        chain: the anchors of the ledger.
        height: of the block.
        block_hash: of the block.
        header: with its seals; not looked at where the family's validators are not listed.
        changes: headers with which new sets of validators began, ascending.

    Raises:
        Fails: somebody else made it.
        NotKnown: the anchors do not say.
        LightClientError: a header or a seal does not hold, by its name.
    """
    if chain.consensus in SEALED and chain.validators:
        _check_sealed(chain, SEALED[chain.consensus](header), changes)
        return
    if not chain.client_state:
        raise NotKnown(f"The anchors do not say who seals blocks of {chain.name}.")
    accepted = client_named(chain.consensus).state_from_bytes(chain.client_state).hash_at(height)
    if accepted is None:
        raise NotKnown(f"The light client's state in the anchors does not reach block {height}.")
    same("The accepted block", block_hash, accepted)


def _check_sealed(chain: ChainAnchor, header: BftHeader, changes: Sequence[bytes]) -> None:
    sets = sorted((item for item in chain.validators if item.first <= header.height), key=lambda item: item.first)
    if not sets:
        raise NotKnown(f"The anchors say nobody who sealed block {header.height}.")
    members = _led(chain, sets[-1].first, tuple(Address(member) for member in sets[-1].members), header.height, changes)
    if header.extra.validators and header.extra.validators != members:
        raise Fails("The header lists other validators than the anchors, and no header leads from those to these.")
    check_seals(header, members)


def _led(
    chain: ChainAnchor, first: int, members: tuple[Address, ...], height: int, changes: Sequence[bytes]
) -> tuple[Address, ...]:
    """The set at a height, led from one that seals from `first` on; changes that the anchors know already are passed over."""
    before = -1
    for encoded in changes:
        header = SEALED[chain.consensus](encoded)
        if not before < header.height <= height:
            raise Fails(f"The headers of changed validators are not ascending up to block {height}.")
        before = header.height
        if header.height <= first:
            continue
        listed = header.extra.validators
        if not is_validator_set(listed):
            raise Fails(f"Block {header.height} lists no validators.")
        check_form(header)
        sealers = check_seals(header, listed)
        if 3 * len(set(sealers) & set(members)) <= len(members):
            raise Fails(f"No more than a third of the validators before block {header.height} sealed their successors.")
        members = listed
    return members


def leave(text: str, kind: str) -> NoReturn:
    """What the anchors cannot show is not asked for where a committee vouches, and fails otherwise."""
    if kind == "committee":
        raise NotAsked(text + " The committee's signatures vouch for the block.")
    raise Fails(text)
