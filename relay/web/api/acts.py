"""What the commands of the command line do, for callers of the interface; each returns what `--json` prints."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import Request, Response

from relay.cli.session import Session
from relay.web.api.bodies import (
    DecisionBody,
    LaneBody,
    LimitBody,
    OperatorBody,
    PartyBody,
    ProposalBody,
    SendBody,
)
from relay.web.api.common import changes_of, home_of, keys_of, store_of


def hub_of(request: Request) -> Session:
    """The hub as the commands see it."""
    home = home_of(request)
    return Session(home, home.load(), store_of(request), keys_of(request))


def begin(request: Request, kind: str, work: Callable[[Session], Any]) -> Response:
    """Take a change up as an operation, and answer 202.

    Args:
        request: who asks what.
        kind: names the change, as its route's `change(kind, …)` does.
        work: does it on the hub; returns what the command line prints with --json.

    Raises:
        Problem: the Idempotency-Key was used for another request, or too many operations wait.
    """
    hub = hub_of(request)
    return changes_of(request).operation(request, kind, lambda: work(hub))


def open_lane(hub: Session, body: LaneBody) -> list[dict[str, Any]]:
    """Open a lane, or one each way."""
    from adapters.solidity.administration import Caps
    from relay.registry.certificates import check_certificates
    from relay.registry.lane_verifiers import parse_trust
    from relay.registry.opening import open_lanes

    pairs = [(body.source, body.destination)] + ([(body.destination, body.source)] if body.both else [])
    caps = Caps(
        max_payload=body.max_payload,
        max_gas=body.max_gas,
        max_callback_gas=body.max_callback_gas,
        window_s=body.window_s,
        window_limit=body.window_limit,
    )
    check_certificates(hub.config, hub.store, hub.home.folder, (body.source, body.destination))
    opened = open_lanes(
        hub.config,
        hub.store,
        hub.keys,
        pairs,
        channel=body.channel,
        caps=caps,
        batch_limit=body.batch_limit or hub.config.batch_limit,
        officer=hub.officer(body.key),
        tell=lambda _: None,
        trust=parse_trust(body.trust, body.verifiers, body.trusting_period_s),
    )
    return [
        {
            "lane_id": lane.lane_id.hex0x(),
            "source": lane.source,
            "destination": lane.destination,
            "channel": lane.channel,
            "state": lane.state,
            "trust": lane.trust,
            "proposals": [proposed.label for proposed in lane.proposals],
        }
        for lane in opened
    ]


def close_lane(hub: Session, lane: str, key: str) -> dict[str, Any]:
    """Close a lane at both ends."""
    return proposals_of(_changes(hub, lane).close(hub.officer(key)))


def pause_lane(hub: Session, lane: str, key: str) -> dict[str, Any]:
    """Pause a lane at both ends at once."""
    changes = _changes(hub, lane)
    changes.pause(hub.narrowing_officer(key))
    return {"paused": f"the lane {changes.row.source} → {changes.row.destination} #{changes.row.channel}"}


def resume_lane(hub: Session, lane: str, key: str) -> dict[str, Any]:
    """Let a lane work again."""
    return proposals_of(_changes(hub, lane).resume(hub.officer(key)))


def limit_lane(hub: Session, lane: str, body: LimitBody) -> dict[str, Any]:
    """Change what a lane carries."""
    names = ("max_payload", "max_gas", "max_callback_gas", "window_limit")
    wanted = {name: getattr(body, name) for name in names if getattr(body, name) is not None}
    return proposals_of(_changes(hub, lane).limit(wanted, body.batch_limit, hub.officer(body.key)))


def allow(hub: Session, lane: str, body: PartyBody) -> dict[str, Any]:
    """Allow a sender or a receiver."""
    changes, officer = _changes(hub, lane), hub.officer(body.key)
    return proposals_of(changes.allow(sender=body.sender, receiver=body.receiver, limit=body.limit, officer=officer))


def deny(hub: Session, lane: str, body: PartyBody) -> dict[str, Any]:
    """Deny a sender or a receiver at once."""
    officer = hub.narrowing_officer(body.key)
    _changes(hub, lane).deny(sender=body.sender, receiver=body.receiver, officer=officer)
    return {"denied": body.sender or body.receiver}


def send(hub: Session, body: SendBody, key: str) -> list[dict[str, Any]]:
    """Send a message from a local key."""
    from relay.sending import Letter, expiry, payload_of
    from relay.sending import send as bring

    payload = payload_of(text=body.text, hexadecimal=body.hex, file=None, call=body.call, record=body.record)
    letter = Letter(body.to, payload, body.gas_limit, body.callback_gas, expiry(body.expires_in_s))
    lane = (body.source, body.destination, body.channel)
    sent = bring(hub.store, lane, hub.keys.load(key), letter, body.count)
    names = ("message_id", "lane_id", "nonce", "transaction", "height")
    return [{name: getattr(item, name) for name in names} for item in sent]


def add_operator(hub: Session, body: OperatorBody) -> dict[str, Any]:
    """Register an operator; committees of ledgers that are there get a new epoch."""
    from relay.registry.chains import all_chains
    from relay.registry.committee_changes import renew_committees
    from relay.registry.operators import account_named
    from relay.registry.operators import add_operator as add

    officer = hub.keys.load(body.key) if body.key else None
    second = account_named(body.sm2_key) if body.sm2_key else b""
    add(hub.store, body.name, account_named(body.signer), body.organisation, second)
    proposed: list[str] = []
    ledgers = any(row.state != "retired" for row in all_chains(hub.store))
    if ledgers and (officer is not None or hub.config.development):
        proposed = [item.label for item in renew_committees(hub.config, hub.store, hub.keys, officer)]
    named = {"name": body.name, "signer": body.signer, "organisation": body.organisation}
    return {**named, "proposals": proposed}


def strike_operator(hub: Session, name: str, key: str) -> dict[str, Any]:
    """Strike an operator's signer out of every committee at once."""
    from relay.registry.committee_changes import strike_operator as strike

    return {"name": name, "struck_on": strike(hub.store, name, hub.narrowing_officer(key))}


def propose(hub: Session, body: ProposalBody) -> dict[str, Any]:
    """Propose an action as an officer."""
    from relay.registry.actions import Wish, build_action
    from relay.registry.chains import chain_named, open_chain
    from relay.registry.officers import propose as make

    row, officer = chain_named(hub.store, body.chain), hub.keys.load(body.key)
    wish = Wish(body.lane, body.account, body.previous, body.verifier, body.limit, hub.config.threshold)
    contract, calldata, text = build_action(hub.store, row, body.action, wish)
    ledger = open_chain(row)
    try:
        proposed = make(hub.store, ledger, row, contract, calldata, officer, text=text)
    finally:
        ledger.close()
    return {"proposal": proposed.label, "text": text, "action": calldata}


def approve(hub: Session, body: DecisionBody) -> dict[str, Any]:
    """Approve a proposal as another officer."""
    from relay.registry.officers import approve as agree

    return {"proposal": body.proposal, "ready_at": agree(hub.store, body.proposal, hub.keys.load(body.key))}


def execute(hub: Session, body: DecisionBody) -> dict[str, Any]:
    """Execute an approved proposal after its delay."""
    from relay.registry.actions import refresh_after
    from relay.registry.officers import execute as do
    from relay.registry.officers import parse_label
    from schemas.primitives import bytes_from_hex

    done = do(hub.store, body.proposal, hub.keys.load(body.key), bytes_from_hex(body.action))
    refresh_after(hub.store, parse_label(hub.store, body.proposal)[0])
    return {"proposal": body.proposal, "action": done}


def _changes(hub: Session, lane: str) -> Any:
    from relay.registry.lane_changes import LaneChanges

    return LaneChanges(hub.config, hub.store, hub.keys, lane, "", "default")


def proposals_of(proposed: list[Any]) -> dict[str, Any]:
    """Whether it is done, or which proposals wait for another officer."""
    labels = [item.label for item in proposed]
    return {"done": not labels, "proposals": labels}
