"""The items of a stored state that QBFT, IBFT2, legacy IBFT and Clique share: numbers, flags, addresses, sets, votes, as RLP.

What is read raises `StateUnreadable` where an item is of another kind or size; a list of another length raises `ValueError`, which
the readers of whole states take as damage.
"""

from __future__ import annotations

from light_clients import rlp
from light_clients.bft.types import Address, ValidatorSet, Vote
from light_clients.errors import StateUnreadable

_ADDRESS_SIZE = 20


def integer_item(value: int) -> bytes:
    """A number or a flag, big-endian without leading zeros."""
    return value.to_bytes((value.bit_length() + 7) // 8, "big")


def set_items(known: ValidatorSet) -> list[rlp.RlpItem]:
    """A set and its first height."""
    return [integer_item(known.first_height), list(known.members)]


def vote_items(vote: Vote) -> list[rlp.RlpItem]:
    """Voter, subject, and whether to add."""
    return [vote.voter, vote.subject, integer_item(vote.add)]


def read_set(item: rlp.RlpItem) -> ValidatorSet:
    """Reads what `set_items` made."""
    first_height, members = list_of(item)
    return ValidatorSet(rlp.decode_integer(first_height, 8), addresses_of(members))


def read_vote(item: rlp.RlpItem) -> Vote:
    """Reads what `vote_items` made."""
    voter, subject, add = list_of(item)
    return Vote(address_of(voter), address_of(subject), boolean_of(add))


def addresses_of(item: rlp.RlpItem) -> tuple[Address, ...]:
    """A list of addresses."""
    return tuple(address_of(element) for element in list_of(item))


def address_of(item: rlp.RlpItem) -> Address:
    """An address, 20 bytes."""
    address = bytes_of(item)
    if len(address) != _ADDRESS_SIZE:
        raise StateUnreadable("An address in the state has not 20 bytes.", expected=_ADDRESS_SIZE, found=address)
    return Address(address)


def boolean_of(item: rlp.RlpItem) -> bool:
    """A flag: nothing, or the byte 0x01."""
    if item not in (b"", b"\x01"):
        raise StateUnreadable("A flag of the state is neither 0 nor 1.")
    return item == b"\x01"


def bytes_of(item: rlp.RlpItem) -> bytes:
    """A string."""
    if not isinstance(item, bytes):
        raise StateUnreadable("The state has a list where a string stands.")
    return item


def list_of(item: rlp.RlpItem) -> list[rlp.RlpItem]:
    """A list."""
    if not isinstance(item, list):
        raise StateUnreadable("The state has a string where a list stands.")
    return item
