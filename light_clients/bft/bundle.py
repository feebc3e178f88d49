"""A header with the proof of its child's validators, where a contract selects them.

Such a header travels as RLP of [header, account proof, storage proofs]: the account of the contract under this header's own
state root, then one storage proof for the length of the ``address[]`` and one for each element, in order (Solidity
documentation, Layout of State Variables in Storage: the length is at the slot, element i at keccak(slot) + i; EIP-1186 for
the proofs). A claim's evidence has the header alone. Nothing is judged here.
"""

from __future__ import annotations

from dataclasses import dataclass

from light_clients import rlp
from light_clients.bft.headers import MAXIMUM_HEADER_SIZE
from light_clients.errors import HeaderTooLarge, SetProofInvalid
from schemas.primitives import Bytes32
from schemas.suites import keccak256

MAXIMUM_BUNDLE_SIZE = 4 * 1024 * 1024
"""Bytes of a header with its proof; 256 storage proofs of eight full nodes take about 1.1 MB."""

_BUNDLE_ITEMS = 3


@dataclass(frozen=True, slots=True)
class SetProof:
    """What a prover brings for a set; every byte of it is untrusted.

    Attributes:
        account: Nodes from the state root to the contract's account.
        storage: Nodes from the storage root to the length of the list, then to each element.
    """

    account: tuple[bytes, ...]
    storage: tuple[tuple[bytes, ...], ...]


def length_slot(slot: int) -> Bytes32:
    """The slot that holds the length of the list, 32 bytes."""
    return Bytes32(slot.to_bytes(32, "big"))


def element_slots(slot: int, length: int) -> list[Bytes32]:
    """The slots that hold the elements of the list, in order, 32 bytes each."""
    first = int.from_bytes(keccak256(length_slot(slot)), "big")
    return [Bytes32(((first + index) % 2**256).to_bytes(32, "big")) for index in range(length)]


def bundle(header: bytes, proof: SetProof) -> bytes:
    """Puts a header and the proof of its child's set together.

    Args:
        header: RLP of the header, with its seals.
        proof: The proof under that header's state root.

    Returns:
        RLP of [header, account proof, storage proofs].
    """
    return rlp.encode([header, list(proof.account), [list(nodes) for nodes in proof.storage]])


def unbundle(data: bytes) -> tuple[bytes, SetProof | None]:
    """Takes a header out of its bundle.

    Args:
        data: A bundle, or a header alone.

    Returns:
        The header, and the proof where there is one.

    Raises:
        HeaderTooLarge: It is larger than any bundle.
        RlpRefused: It is not canonical RLP.
        SetProofInvalid: The items of the bundle are not those of a bundle.
    """
    if len(data) <= MAXIMUM_HEADER_SIZE and not _is_bundle(rlp.decode(data)):
        return data, None
    if len(data) > MAXIMUM_BUNDLE_SIZE:
        raise HeaderTooLarge("The header with its proof is too large.", expected=MAXIMUM_BUNDLE_SIZE, found=len(data))
    match rlp.decode(data):
        case [bytes() as header, list() as account, list() as storage]:
            return header, SetProof(_nodes(account), tuple(_nodes(nodes) for nodes in storage))
        case _:
            raise SetProofInvalid("A header with a proof of its child's validators has three items; ask for it again.")


def _is_bundle(item: rlp.RlpItem) -> bool:
    return isinstance(item, list) and len(item) == _BUNDLE_ITEMS


def _nodes(items: rlp.RlpItem) -> tuple[bytes, ...]:
    nodes = tuple(item for item in items if isinstance(item, bytes)) if isinstance(items, list) else ()
    if len(nodes) != len(items):
        raise SetProofInvalid("A node of a proof is a string of bytes; ask for the proof again.")
    return nodes
