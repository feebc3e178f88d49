"""The run of headers that leads a light client on a ledger from one validator set to the next.

A contract accepts another set only from headers that are linked by parent hash, begin at a header of the set that it stores,
and show the votes that made the difference; seals are judged on the last header of the old set and the first of the new one.
The run is found from the headers alone, by their lists and votes; what an endpoint invents here the contract refuses.

A fresh run begins with the first vote that counts. Where votes of an earlier set's time counted too, only a run that went
through them can be gone on with: the contract keeps, for each caller, where its run stands and the votes that are open there.

Source: the hub's protocol (docs/protocol.md, section Who believes what, On-chain light client).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from adapters.solidity.verifiers import SignedHeader, validators_hash
from light_clients.bft.types import Address, BftHeader, Vote
from light_clients.bft.votes import after_block
from light_clients.qbft import QbftConfiguration
from light_clients.qbft.codec import parse_header
from light_clients.qbft.signed import signed_form

CHUNK = 32
"""Headers that are fetched at once while the beginning of a run is looked for."""
LONGEST_RUN = 2_048
"""Headers of the longest run that is looked for."""
PIECE_HEADERS = 48
"""Headers of one transaction: some 40 KB of calldata and 3 million gas."""

Headers = Callable[[int, int], list[bytes]]
"""Gives the headers of heights `first` to `last` inclusive, byte for byte."""


class NoRun(Exception):
    """No run of headers leads from the stored set to the next: the set changed without votes, or an endpoint lies."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where the caller's run stands at the contract: the last header's height and hash, and the votes that are open."""

    height: int
    block_hash: bytes
    votes: tuple[Vote, ...]


@dataclass(frozen=True, slots=True)
class Link:
    """One header of a run, byte for byte with its seals, and what was read in it."""

    encoded: bytes
    header: BftHeader

    @classmethod
    def read(cls, encoded: bytes) -> Link:
        """Read a header.

        Raises:
            Refused: it cannot be read.
        """
        return cls(encoded, parse_header(encoded))

    @property
    def listed(self) -> bytes:
        """Hash of the set that it lists."""
        return validators_hash(self.header.extra.validators)


@dataclass(frozen=True, slots=True)
class Piece:
    """What one transaction carries: headers as they were signed, and whether they begin a run."""

    headers: tuple[SignedHeader, ...]
    fresh: bool


def next_piece(
    headers: Headers, stored: bytes, low: int, high: int, standing: Standing, configuration: QbftConfiguration
) -> Piece:
    """Make the next piece of the run that leads to the first other set after height `low`.

    Args:
        headers: where headers are fetched.
        stored: hash of the set that the light client stores.
        low: a height whose header lists that set.
        high: a later height whose header lists another.
        standing: the caller's run at the contract; height 0 if there is none.
        configuration: dialect and epoch length as the light client has them.

    Returns:
        At most `PIECE_HEADERS` consecutive headers.

    Raises:
        NoRun: the headers show no votes that lead there.
        Refused: a header cannot be read.
        AdapterError: the endpoint does not answer properly.
    """
    first_of_next = _boundary(headers, stored, low, high)
    try:
        links = _fresh_run(headers, stored, first_of_next, configuration)
    except NoRun:
        links = _continued(headers, first_of_next, standing, configuration)
        return _piece(links, first_of_next, fresh=False)
    known = standing.height - links[0].header.height
    if 0 <= known < len(links) - 1 and links[known].header.block_hash == standing.block_hash:
        return _piece(links[known + 1 :], first_of_next, fresh=False)
    return _piece(links, first_of_next, fresh=True)


def _boundary(headers: Headers, stored: bytes, low: int, high: int) -> Link:
    """The first header of another set that follows a header of the stored set, by halving."""
    found = Link.read(headers(high, high)[0])
    while high - low > 1:
        middle = (low + high) // 2
        link = Link.read(headers(middle, middle)[0])
        if link.listed == stored:
            low = middle
        else:
            high, found = middle, link
    return found


def _fresh_run(headers: Headers, stored: bytes, first_of_next: Link, configuration: QbftConfiguration) -> list[Link]:
    """The shortest run of headers of the stored set whose votes lead to the next one, and the first header of that."""
    wanted = first_of_next.header.extra.validators
    run: list[Link] = []
    last = first_of_next.header.height - 1
    while last >= 0 and len(run) < LONGEST_RUN:
        first = max(last - CHUNK + 1, 0)
        earlier = [Link.read(header) for header in headers(first, last)]
        foreign = [index for index, link in enumerate(earlier) if link.listed != stored]
        begin = foreign[-1] + 1 if foreign else 0
        run = [*earlier[begin:], *run]
        for index in reversed(range(min(len(earlier) - begin, len(run)))):
            if run[index].header.extra.vote is not None and _leads_to(run[index:], (), configuration) == wanted:
                return [*run[index:], first_of_next]
        if foreign:
            break
        last = first - 1
    raise NoRun(
        f"No votes before block {first_of_next.header.height} lead to the validators that seal it; officers pin them: "
        "relayhub propose pin-validators."
    )


def _continued(
    headers: Headers, first_of_next: Link, standing: Standing, configuration: QbftConfiguration
) -> list[Link]:
    """What follows the caller's run, where its votes and the later ones lead to the next set together."""
    height = first_of_next.header.height
    if 0 < standing.height < height and height - standing.height <= LONGEST_RUN:
        links = [Link.read(header) for header in headers(standing.height + 1, height - 1)]
        parent = links[0].header.parent_hash if links else b""
        wanted = first_of_next.header.extra.validators
        if links and parent == standing.block_hash and _leads_to(links, standing.votes, configuration) == wanted:
            return [*links, first_of_next]
    raise NoRun(
        f"No votes before block {height} lead to the validators that seal it; officers pin them: "
        "relayhub propose pin-validators."
    )


def _leads_to(links: Sequence[Link], votes: tuple[Vote, ...], configuration: QbftConfiguration) -> tuple[Address, ...]:
    """The set after these headers of one set."""
    following = links[0].header.extra.validators
    for link in links:
        header, vote = link.header, link.header.extra.vote
        cast = Vote(header.proposer, *vote) if vote is not None else None
        following, votes = after_block(configuration, header.height, header.extra.validators, votes, cast)
    return following


def _piece(links: list[Link], first_of_next: Link, *, fresh: bool) -> Piece:
    """Headers as they were signed; seals beside the last one of the old set and the first one of the next."""
    sealed = (first_of_next.header.height - 1, first_of_next.header.height)
    found: list[SignedHeader] = []
    for link in links[:PIECE_HEADERS]:
        signed = signed_form(link.encoded)
        found.append((signed.header, signed.seals if link.header.height in sealed else ()))
    return Piece(tuple(found), fresh)
