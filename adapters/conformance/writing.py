"""Checks of the Writer: signatures, the pool, receipts, and that a key stays where it is."""

from __future__ import annotations

from dataclasses import replace

from adapters.conformance.findings import Broken, NotHere, require
from adapters.conformance.steps import World
from adapters.protocol import AdapterError, Call

FAR_NONCE = 900
WRONG_KEYS = (b"", b"\x00" * 32, b"\xff" * 32)


def signatures_depend_on_everything(world: World) -> None:
    """A signature depends on every field."""
    ledger, call = world.ledgers[0], world.send_call(b"x")
    signed = [
        ledger.sign(world.sender, FAR_NONCE, call, 7),
        ledger.sign(world.sender, FAR_NONCE + 1, call, 7),
        ledger.sign(world.sender, FAR_NONCE, replace(call, data=call.data[:-1] + b"\x01"), 7),
        ledger.sign(world.relayer, FAR_NONCE, call, 7),
        world.ledgers[1].sign(world.sender, FAR_NONCE, call, 7),
    ]
    if world.ordered:
        signed += [
            ledger.sign(world.sender, FAR_NONCE, call, 8),
            ledger.sign(world.sender, FAR_NONCE, replace(call, gas=call.gas + 1), 7),
        ]
        require(
            [item.fee for item in signed[-2:]] == [8, 7], "a signed transaction offers another fee than it was told"
        )
    require(len({item.transaction for item in signed}) == len(signed), "two different transactions have one hash")
    require(len({item.raw for item in signed}) == len(signed), "two different transactions have the same bytes")
    require(all(len(item.transaction) == 32 for item in signed), "a transaction's hash has not 32 bytes")
    again = ledger.sign(world.sender, FAR_NONCE, call, 7)
    require(again.transaction == signed[0].transaction, "the same transaction signed again has another hash")


def transactions_are_sent_once(world: World) -> None:
    """A transaction has one effect, also when it is sent again."""
    ledger, account = world.ledgers[0], world.account(0, world.sender)
    before, wallet = _counted(world), ledger.wallet(account)
    signed = ledger.sign(world.sender, wallet.nonce, world.send_call(b"once"), wallet.fee)
    for _ in range(2):
        (refusal,) = ledger.broadcast([signed.raw])
        require(refusal is None, f"a transaction that was taken is refused when it comes again: {refusal}")
    world.mine(0)
    _wait_for(world, signed.transaction)
    world.mine(0)
    found = _counted(world) - before
    require(found == 1, f"one transaction that sends a message had {found} effects")
    if world.ordered:
        after = ledger.wallet(account).nonce
        require(after == wallet.nonce + 1, f"one transaction moved the account's number by {after - wallet.nonce}")


def pools_know_what_they_have(world: World) -> None:
    """A pool counts what it has, and receipts come for what was mined only."""
    if not world.ordered:
        raise NotHere("accounts have no numbers here")
    if not world.mines_when_told:
        raise NotHere("blocks come by themselves here")
    ledger, account = world.ledgers[0], world.account(0, world.sender)
    before = ledger.wallet(account)
    calls = [world.send_call(b"one"), world.send_call(b"two")]
    signed = [ledger.sign(world.sender, before.nonce + place, call, before.fee) for place, call in enumerate(calls)]
    refusals = ledger.broadcast([item.raw for item in signed])
    require(refusals == [None, None], f"a transaction was refused: {next(filter(None, refusals), None)}")
    early = ledger.receipts([item.transaction for item in signed])
    waiting = ledger.wallet(account)
    world.mine(0)
    require(early == [None, None], "a transaction that waits has a receipt")
    require(
        (waiting.nonce, waiting.pending_nonce) == (before.nonce, before.nonce + 2),
        "the wallet does not count what waits in the pool",
    )
    asked = [item.transaction for item in reversed(signed)]
    receipts = ledger.receipts(asked)
    require([item and item.transaction for item in receipts] == asked, "receipts came in another order than asked for")
    require(all(item is not None and item.success for item in receipts), "a true transaction failed")


def receipts_of_nothing_are_none(world: World) -> None:
    """A transaction that nobody sent has no receipt."""
    require(world.ledgers[0].receipts([b"\x09" * 32]) == [None], "a transaction that nobody sent has a receipt")


def refusals_are_told(world: World) -> None:
    """What the ledger does not take is refused, with the cause."""
    ledger = world.ledgers[0]
    if not world.ordered:
        garbage = ledger.sign(world.sender, FAR_NONCE, world.send_call(b"garbage"), 0).raw[:-7]
        try:
            (refusal,) = ledger.broadcast([garbage])
        except AdapterError:
            return
        require(refusal is not None, "a transaction that lacks its last bytes was taken")
        return
    wallet = ledger.wallet(world.account(0, world.sender))
    require(wallet.nonce > 0, "the sender's account has sent nothing")
    stale = ledger.sign(world.sender, wallet.nonce - 1, world.send_call(b"stale"), wallet.fee)
    (refusal,) = ledger.broadcast([stale.raw])
    require(refusal is not None, "a transaction with a used number was taken")
    code = refusal.code if refusal is not None else ""
    require(code == "nonce_too_low", f"a used number came with the code {code!r}, not 'nonce_too_low'")


def reverts_are_in_receipts(world: World) -> None:
    """A transaction that reverts says so in its receipt."""
    receipt = world.transact(0, world.sender, Call(world.gateways[0], b"\x01\x02\x03\x04", 200_000))
    require(not receipt.success, "a call of a function that is not there has a receipt that says success")
    require(receipt.contract == b"", "a failed transaction is said to have deployed a contract")


def keys_stay_secret(world: World) -> None:
    """No error, name or text of the ledger has a key in it."""
    ledger, texts = world.ledgers[0], [repr(world.ledgers[0]), world.ledgers[0].endpoint]
    account = world.account(0, world.sender)
    keys = [world.sender, world.relayer]
    attempts = [
        *((key, Call(world.gateways[0], b"\x00", 0)) for key in keys),
        *((key + b"\x01", world.send_call(b"x")) for key in keys),
        *((key[:-1], world.send_call(b"x")) for key in keys),
        *((key, Call(b"\x01" * 7, b"\x00", -1)) for key in keys),
    ]
    for private_key, call in attempts:
        try:
            texts.append(repr(ledger.sign(private_key, 1 << 70, call, -1)))
        except Exception as error:  # noqa: BLE001 - only what it says is looked at
            texts += _texts(error)
    for wrong in (b"", account + b"\x00"):
        try:
            texts.append(repr(ledger.wallet(wrong)))
        except Exception as error:  # noqa: BLE001 - only what it says is looked at
            texts += _texts(error)
    said = " ".join(texts).lower()
    for private_key in keys:
        for shown in (private_key.hex()[:62], str(int.from_bytes(private_key, "big")), repr(private_key).lower()):
            if shown in said:
                raise Broken("a private key stands in an error or a name of the ledger")


def _texts(error: BaseException | None) -> list[str]:
    """What an error and its causes say."""
    texts = []
    while error is not None:
        texts += [str(error), repr(error)]
        error = error.__cause__ or error.__context__
    return texts


def _counted(world: World) -> int:
    """How many messages the gateway says were sent."""
    return world.ledgers[0].lane_ends(world.gateways[0], world.lane.lane_id).sent


def _wait_for(world: World, transaction: bytes) -> None:
    from adapters.conformance.steps import LaneSteps

    if isinstance(world, LaneSteps):
        world.receipt(0, transaction)
    else:
        require(world.ledgers[0].receipts([transaction])[0] is not None, "a transaction that was taken has no receipt")
