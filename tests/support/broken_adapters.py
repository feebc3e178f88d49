"""Adapters with one fault each: a factory around a true one, and the check that has to name the fault.

`FAULTS` are above the adapter, for any ledger; faults in how the adapter speaks to its node stand in `careless_transports`.
"""

import threading
import time
from dataclasses import replace

from adapters.protocol import BadAnswer, LaneOpened, MessageDelivered, MessageSent, Rejected, Settlement
from schemas.outcome import Status
from schemas.primitives import ChainId, LaneId


class Broken:
    """A ledger that passes everything on; a subclass breaks one thing."""

    def __init__(self, ledger, factory):
        self._ledger, self._factory = ledger, factory

    def __getattr__(self, name):
        return getattr(self._ledger, name)


class Factory:
    """Opens ledgers with one fault; shared things between them are kept here."""

    keeps_time = True

    def __init__(self, true, kind):
        self.name, self._true, self._kind = true.name, true, kind
        self.calls = 0
        self.kept = []

    def open(self, options):
        return self._kind(self._true.open(options), self)


class ChangesIdentity(Broken):
    """Says another chain each time it is asked, but for the two times that the world needs."""

    def identity(self):
        said = self._ledger.identity()
        self._factory.calls += 1
        return said if self._factory.calls <= 2 else replace(said, chain_id=ChainId(f"eip155:{self._factory.calls}"))


class WrongErrorType(Broken):
    """A missing block is a KeyError."""

    def headers(self, first, last):
        if last > self._ledger.tip():
            raise KeyError(last)
        return self._ledger.headers(first, last)


class EmptyForMissing(Broken):
    """Blocks that are not there have no events, instead of an error."""

    def events(self, first, last, gateway):
        tip = self._ledger.tip()
        return self._ledger.events(first, min(last, tip), gateway)


class InventsLanes(Broken):
    """A lane that is not there has counters, all zero."""

    def lane_ends(self, gateway, lane_id):
        try:
            return self._ledger.lane_ends(gateway, lane_id)
        except Rejected as refusal:
            raise BadAnswer("it is not there") from refusal


class LosesAnEvent(Broken):
    """The second message of a range is left out."""

    def events(self, first, last, gateway):
        found = self._ledger.events(first, last, gateway)
        sent = [event for event in found if isinstance(event, MessageSent)]
        return [event for event in found if event not in sent[1:2]]


class TellsTwice(Broken):
    """The first message of a range comes twice."""

    def events(self, first, last, gateway):
        found = self._ledger.events(first, last, gateway)
        places = [place for place, event in enumerate(found) if isinstance(event, MessageSent)]
        return found[: places[0] + 1] + found[places[0] :] if places else found


class OutOfOrder(Broken):
    """The newest event first."""

    def events(self, first, last, gateway):
        return self._ledger.events(first, last, gateway)[::-1]


class WrongHeights(Broken):
    """Each event is of the block after."""

    def events(self, first, last, gateway):
        found = self._ledger.events(first, last, gateway)
        return [replace(event, position=replace(event.position, height=event.position.height + 1)) for event in found]


class ChangesMessages(Broken):
    """The gas limit of each message is one more."""

    def events(self, first, last, gateway):
        found = self._ledger.events(first, last, gateway)
        return [
            replace(event, message=replace(event.message, gas_limit=event.message.gas_limit + 1))
            if isinstance(event, MessageSent)
            else event
            for event in found
        ]


class AnotherLane(Broken):
    """Evidence is of another lane."""

    def evidence(self, gateway, lane_ids, height):
        return self._ledger.evidence(gateway, [(LaneId(b"\x06" * 32), end) for _, end in lane_ids], height)


class OldState(Broken):
    """Evidence is of the first block, under the header that was asked for."""

    def evidence(self, gateway, lane_ids, height):
        old = self._ledger.evidence(gateway, lane_ids, 0)
        true = self._ledger.evidence(gateway, lane_ids, height)
        return [
            replace(there, account_proof=before.account_proof, storage_proof=before.storage_proof)
            for before, there in zip(old, true, strict=True)
        ]


class OtherOrder(Broken):
    """Evidence in another order than asked for."""

    def evidence(self, gateway, lane_ids, height):
        return self._ledger.evidence(gateway, list(reversed(lane_ids)), height)


class ChangesHeaders(Broken):
    """A bit of each header after the first is another."""

    def headers(self, first, last):
        found = self._ledger.headers(first, last)
        return [
            header if first + place == 0 else header[:40] + bytes([header[40] ^ 1]) + header[41:]
            for place, header in enumerate(found)
        ]

    def evidence(self, gateway, lane_ids, height):
        (header,) = self.headers(height, height)
        return [replace(item, header=header) for item in self._ledger.evidence(gateway, lane_ids, height)]


class SwallowsRefusals(Broken):
    """A call that would revert answers with nothing."""

    def simulate(self, sender, call):
        try:
            return self._ledger.simulate(sender, call)
        except Rejected:
            return b""


class SwallowsWords(Broken):
    """A refusal comes without the contract's words."""

    def simulate(self, sender, call):
        try:
            return self._ledger.simulate(sender, call)
        except Rejected as refusal:
            raise Rejected(str(refusal), code=refusal.code) from refusal


class TakesEverything(Broken):
    """Refused transactions count as taken."""

    def broadcast(self, transactions):
        return [None] * len(self._ledger.broadcast(transactions))


class RefusesWhatItKnows(Broken):
    """A transaction that comes again is refused."""

    def broadcast(self, transactions):
        again = [raw in self._factory.kept for raw in transactions]
        self._factory.kept += transactions
        said = self._ledger.broadcast(transactions)
        return [Rejected("known", code="known") if known else item for known, item in zip(again, said, strict=True)]


class SignsTwice(Broken):
    """A transaction that comes again is made anew, with the account's next number."""

    def sign(self, private_key, nonce, call, fee):
        signed = self._ledger.sign(private_key, nonce, call, fee)
        self._factory.kept.append((signed.raw, private_key, call, fee))
        return signed

    def broadcast(self, transactions):
        said = self._ledger.broadcast(transactions)
        for raw in transactions:
            known = [item for item in self._factory.kept if item[0] == raw]
            if known:
                _, private_key, call, fee = known[0]
                account = self._ledger.account(private_key)
                following = self._ledger.wallet(account).pending_nonce
                self._ledger.broadcast([self._ledger.sign(private_key, following, call, fee).raw])
        return said


class AlwaysSucceeds(Broken):
    """Every receipt says success."""

    def receipts(self, transactions):
        return [item and replace(item, success=True) for item in self._ledger.receipts(transactions)]


class InventsReceipts(Broken):
    """A transaction that nobody sent has a receipt."""

    def receipts(self, transactions):
        found = self._ledger.receipts(transactions)
        tip = self._ledger.tip()
        model = self._factory.kept[-1] if self._factory.kept else None
        self._factory.kept += [item for item in found if item is not None]
        return [
            replace(model, transaction=asked, height=tip) if item is None and model and asked == b"\x09" * 32 else item
            for asked, item in zip(transactions, found, strict=True)
        ]


class IgnoresTheNonce(Broken):
    """A signature is the same whatever the account's number."""

    def sign(self, private_key, nonce, call, fee):
        return self._ledger.sign(private_key, min(nonce, 900), call, fee)


class LeaksTheKey(Broken):
    """An error of signing has the key in it."""

    def sign(self, private_key, nonce, call, fee):
        try:
            return self._ledger.sign(private_key, nonce, call, fee)
        except Exception as error:
            raise BadAnswer(f"cannot sign with {private_key.hex()}") from error


class KeepsEverything(Broken):
    """Every answer is kept."""

    def events(self, first, last, gateway):
        found = self._ledger.events(first, last, gateway)
        self._factory.kept.append((time.monotonic(), found, bytes(8_192)))
        return found


class BlocksForEver(Broken):
    """The counters of a lane never come."""

    def lane_ends(self, gateway, lane_id):
        if lane_id == b"\x07" * 32:
            threading.Event().wait()
        return self._ledger.lane_ends(gateway, lane_id)


class TellsOfOthers(Broken):
    """Whatever address is asked for, the events are the gateway's."""

    def events(self, first, last, gateway):
        known = self.__dict__.setdefault("known", gateway)
        return self._ledger.events(first, last, known)


class RepeatsHeaders(Broken):
    """A range of headers begins with the same one twice."""

    def headers(self, first, last):
        found = self._ledger.headers(first, last)
        return found if first + 2 != last else [found[0], found[0], found[2]]


class ChangesOpenings(Broken):
    """A lane was opened on another channel."""

    def events(self, first, last, gateway):
        found = self._ledger.events(first, last, gateway)
        return [replace(event, channel="other") if isinstance(event, LaneOpened) else event for event in found]


class ChangesOutcomes(Broken):
    """What failed was executed."""

    def events(self, first, last, gateway):
        found = self._ledger.events(first, last, gateway)
        return [
            replace(event, status=Status.EXECUTED) if isinstance(event, MessageDelivered) else event for event in found
        ]


class ForgetsSettlements(Broken):
    """Nothing was ever settled."""

    def lane_ends(self, gateway, lane_id):
        return replace(self._ledger.lane_ends(gateway, lane_id), settled=0)


class MixesSettlements(Broken):
    """A settlement loses its last bytes."""

    def call_for(self, gateway, action):
        call = self._ledger.call_for(gateway, action)
        return replace(call, data=call.data[:-64]) if isinstance(action, Settlement) else call


class PlaysDown(Broken):
    """A delivery for the second time would go through."""

    def simulate(self, sender, call):
        try:
            return self._ledger.simulate(sender, call)
        except Rejected as refusal:
            if refusal.reason.startswith("NothingNew"):
                return b""
            raise


class BlindToThePool(Broken):
    """What waits is not counted."""

    def wallet(self, address):
        said = self._ledger.wallet(address)
        return replace(said, pending_nonce=said.nonce)


FAULTS = {
    "changes identity": (ChangesIdentity, "identity.stays"),
    "raises an error of its own kind": (WrongErrorType, "errors.missing"),
    "answers what is not there": (EmptyForMissing, "errors.missing"),
    "calls a refusal a bad answer": (InventsLanes, "errors.unknown"),
    "blocks for ever": (BlocksForEver, "errors.unknown"),
    "loses an event": (LosesAnEvent, "events.complete"),
    "tells an event twice": (TellsTwice, "events.once"),
    "returns events out of order": (OutOfOrder, "events.order"),
    "says wrong heights": (WrongHeights, "events.heights"),
    "changes a message": (ChangesMessages, "events.content"),
    "brings evidence of an old state": (OldState, "evidence.believed"),
    "changes headers": (ChangesHeaders, "headers.believed"),
    "swallows refusals of calls": (SwallowsRefusals, "delivery.refused"),
    "swallows the words of refusals": (SwallowsWords, "delivery.refused"),
    "swallows refusals of transactions": (TakesEverything, "sending.refused"),
    "refuses what it knows": (RefusesWhatItKnows, "sending.once"),
    "makes a transaction twice": (SignsTwice, "sending.once"),
    "says that failures succeeded": (AlwaysSucceeds, "receipts.failures"),
    "invents receipts": (InventsReceipts, "receipts.none"),
    "signs the same whatever the number": (IgnoresTheNonce, "signing.depends"),
    "leaks the key in an error": (LeaksTheKey, "keys.secret"),
    "keeps everything": (KeepsEverything, "memory.bounded"),
    "tells of others": (TellsOfOthers, "events.elsewhere"),
    "repeats a header": (RepeatsHeaders, "headers.order"),
    "changes an opening": (ChangesOpenings, "lane.preimages"),
    "changes outcomes": (ChangesOutcomes, "outcomes.content"),
    "forgets settlements": (ForgetsSettlements, "lane.counts"),
    "mixes up settlements": (MixesSettlements, "settlement.taken"),
    "plays down a second delivery": (PlaysDown, "delivery.once"),
    "does not see the pool": (BlindToThePool, "sending.pool"),
}
"""Fault: (ledger that has it, check that names it)."""

STATE_FAULTS = {
    "brings evidence of another lane": (AnotherLane, "evidence.believed"),
    "brings evidence in another order": (OtherOrder, "evidence.answers"),
}
"""The same, on ledgers whose gateways store more than one slot."""
