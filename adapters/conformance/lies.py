"""What a lying node could say through this adapter, and that it is found out or does no harm.

The lies are told above the adapter, on its true answers. Whoever hears them does what a hub does: it puts events in order,
folds them, and believes the head that the light client finds in the evidence.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, cast

from adapters.conformance.findings import Broken, require
from adapters.conformance.proving import Followed, Refused, outbox_claim, spoilt
from adapters.conformance.steps import World
from adapters.guard import GuardedLedger
from adapters.protocol import AdapterFactory, AdapterOptions, Endpoint, Ledger, MessageSent, Receipt, Wallet
from schemas.heads import fold_all, outbox_genesis
from schemas.primitives import BlockHash, Head

Events = list[MessageSent]
FAR_NONCE = 1_000_000


class Doubt(Exception):
    """Events that cannot be: a gap, two of one number, a false fold."""


def folded(world: World, events: Sequence[MessageSent]) -> Head:
    """The head that messages fold to, whatever order they came in and however often.

    Raises:
        Doubt: numbers are missing, or two differ under one number.
    """
    suite, lane_id = world.lane.suite, world.lane.lane_id
    by_nonce: dict[int, bytes] = {}
    for event in events:
        found = event.message.message_id(suite, lane_id)
        if by_nonce.setdefault(event.message.nonce, found) != found:
            raise Doubt(f"two messages have the number {event.message.nonce}")
    if sorted(by_nonce) != list(range(1, len(by_nonce) + 1)):
        raise Doubt("a number is missing")
    return fold_all(suite, outbox_genesis(lane_id), [by_nonce[nonce] for nonce in sorted(by_nonce)])


def disorder_is_harmless(world: World, followed: Followed) -> None:
    """Events that come twice or in disorder fold to the same head."""
    sent = _known(world, followed)
    true_head = folded(world, sent)
    for told, lie in ((sent[::-1], "in the opposite order"), ([*sent, *sent[:1]], "twice"), (sent * 2, "all twice")):
        require(folded(world, told) == true_head, f"events that came {lie} fold to another head")
    require(true_head == sent[-1].head, "the messages do not fold to the head that moved")


def false_events_are_found(world: World, followed: Followed) -> None:
    """Events that are changed, invented or left out fold to no head that the light client believes."""
    sent = _known(world, followed)
    first, last = sent[0], sent[-1]
    changed = replace(first, message=replace(first.message, gas_limit=first.message.gas_limit + 1))
    invented = replace(last, message=replace(last.message, nonce=last.message.nonce + 1, payload=b"to the thief"))
    lies: list[tuple[str, Callable[[], Events]]] = [
        ("a changed message", lambda: [changed, *sent[1:]]),
        ("an invented message", lambda: [*sent, invented]),
        ("a missing message", lambda: sent[1:]),
    ]
    for name, told in lies:
        try:
            head = folded(world, told())
        except Doubt:
            continue
        nonce = max(event.message.nonce for event in told())
        require(not _believed(world, followed, head=head, nonce=nonce), f"the light client believes the head of {name}")


def false_proofs_are_found(world: World, followed: Followed) -> None:
    """A false head, a false height, another lane's evidence or a spoilt proof is not believed."""
    claim = outbox_claim(world, followed)
    require(_believed(world, followed, head=claim.head, nonce=claim.nonce), "the true head is not believed")
    flipped = Head(bytes([claim.head[0] ^ 1]) + claim.head[1:])
    require(not _believed(world, followed, head=flipped, nonce=claim.nonce), "a false head is believed")
    require(
        not _believed(world, followed, head=claim.head, nonce=claim.nonce, spoil=True), "a spoilt proof is believed"
    )
    false_hash = BlockHash(bytes([claim.block_hash[0] ^ 1]) + claim.block_hash[1:])
    require(
        not _believed(world, followed, head=claim.head, nonce=claim.nonce, block_hash=false_hash),
        "a claim at another block is believed",
    )


def liars_are_outvoted(world: World, factory: AdapterFactory) -> None:
    """Of three houses one lies about receipts and accounts: the others are believed, and the liar is named."""
    options = world.options(0)
    url = options.endpoints[0].url
    houses = tuple(Endpoint(url, operator=f"house {number}") for number in range(3))
    guarded = GuardedLedger(_LyingFactory(factory), replace(options, endpoints=houses))
    try:
        unknown, account = b"\x09" * 32, world.account(0, world.sender)
        require(guarded.receipts([unknown]) == [None], "a receipt that one of three houses invented is believed")
        true_wallet = world.ledgers[0].wallet(account)
        require(
            guarded.wallet(account).nonce == true_wallet.nonce, "an account number that one house invented is believed"
        )
        accused = [bool(status.last_error) for status in guarded.status()]
        require(accused == [False, True, False], f"of three houses the second lied, and these were blamed: {accused}")
    finally:
        guarded.close()


class _LyingFactory:
    """Opens the true ledger for the first and third house, and a liar's for the second."""

    def __init__(self, factory: AdapterFactory) -> None:
        self.name = factory.name
        self.keeps_time = bool(getattr(factory, "keeps_time", False))
        self._factory = factory

    def open(self, options: AdapterOptions) -> Ledger:
        """Open a ledger."""
        ledger = self._factory.open(options)
        return cast("Ledger", _Liar(ledger)) if options.endpoints[0].operator == "house 1" else ledger


class _Liar:
    """The same ledger, whose receipts and accounts are invented."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ledger, name)

    def receipts(self, transactions: Sequence[bytes]) -> list[Receipt | None]:
        """Every transaction succeeded."""
        return [Receipt(transaction, 1, bytes(32), success=True, gas_used=21_000) for transaction in transactions]

    def wallet(self, address: bytes) -> Wallet:
        """An account that has sent a million transactions."""
        said = self._ledger.wallet(address)
        return replace(said, nonce=said.nonce + FAR_NONCE, pending_nonce=said.pending_nonce + FAR_NONCE)


def _known(world: World, followed: Followed) -> Events:
    return [event for event in world.events(0, MessageSent) if event.position.height <= followed.height]


def _believed(
    world: World,
    followed: Followed,
    *,
    head: Head,
    nonce: int,
    spoil: bool = False,
    block_hash: BlockHash | None = None,
) -> bool:
    """Whether the light client believes a head of the outbox, with the evidence that the adapter brings."""
    gateway = world.gateways[0]
    true_claim = outbox_claim(world, followed)
    claim = replace(true_claim, head=head, nonce=nonce, block_hash=block_hash or true_claim.block_hash)
    (evidence,) = world.ledgers[0].evidence(gateway, [(world.lane.lane_id, 0)], claim.height)
    if evidence is None:
        raise Broken("no evidence came of the lane's head")
    try:
        followed.judge(claim, spoilt(evidence) if spoil else evidence, gateway, world.ledgers[0].installed(gateway))
    except Refused:
        return False
    return True
