"""What the commands of the command line do, for callers of the interface; each returns what `--json` prints."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fastapi import Request, Response

from relay.cli.session import Session
from relay.web.api.bodies import (
    ChainBody,
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


def add_chain(hub: Session, body: ChainBody) -> dict[str, Any]:
    """Register a ledger."""
    from relay.registry.chains import endpoints_of
    from relay.registry.operators import account_named
    from relay.registry.registration import ChainRequest, Registration

    with tempfile.TemporaryDirectory(prefix="relayhub-") as folder:
        options = Path(folder) / "client-options.json"
        if body.client_options is not None:
            options.write_text(json.dumps(body.client_options))
        wanted = ChainRequest(
            name=body.name,
            endpoints=endpoints_of(body.endpoints),
            adapter=body.adapter,
            chain_id=body.chain_id,
            consensus=body.consensus,
            client_options="" if body.client_options is None else str(options),
            pin=body.pin,
            gateway=account_named(body.gateway) if body.gateway else b"",
            verifier=account_named(body.verifier) if body.verifier else b"",
            key=body.key,
            officers=tuple(account_named(item) for item in body.officers),
            guardian=account_named(body.guardian) if body.guardian else b"",
            options=dict(body.options),
        )
        row = Registration(hub.home, hub.config, hub.store, lambda _: None).add(wanted)
    names = (
        "name",
        "chain_id",
        "consensus",
        "gateway",
        "verifier",
        "mailbox",
        "account",
        "pinned_height",
        "pinned_hash",
    )
    return {name: getattr(row, name) for name in names}


def retire_chain(hub: Session, name: str) -> dict[str, Any]:
    """Stop following a ledger."""
    from relay.registry.chains import retire_chain as retire

    retire(hub.home, hub.config, hub.store, name)
    return {"name": name, "state": "retired"}


def pause_chain(hub: Session, name: str, key: str) -> dict[str, Any]:
    """Pause a ledger's gateway at once."""
    from adapters.solidity.administration import pause
    from relay.registry.chains import chain_named
    from relay.registry.officers import at_once

    at_once(chain_named(hub.store, name), "gateway", hub.narrowing_officer(key), pause())
    return {"paused": f"the gateway of {name}"}


def resume_chain(hub: Session, name: str, key: str) -> dict[str, Any]:
    """Let a ledger's gateway work again."""
    from adapters.solidity.administration import unpause
    from relay.registry.chains import chain_named
    from relay.registry.officers import carry_out

    row = chain_named(hub.store, name)
    text = f"resume {name}"
    proposed = carry_out(
        hub.config, hub.store, hub.keys, row, "gateway", [unpause()], officer=hub.officer(key), text=text
    )
    return _proposals(proposed)


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
    return _proposals(_changes(hub, lane).close(hub.officer(key)))


def pause_lane(hub: Session, lane: str, key: str) -> dict[str, Any]:
    """Pause a lane at both ends at once."""
    changes = _changes(hub, lane)
    changes.pause(hub.narrowing_officer(key))
    return {"paused": f"the lane {changes.row.source} → {changes.row.destination} #{changes.row.channel}"}


def resume_lane(hub: Session, lane: str, key: str) -> dict[str, Any]:
    """Let a lane work again."""
    return _proposals(_changes(hub, lane).resume(hub.officer(key)))


def limit_lane(hub: Session, lane: str, body: LimitBody) -> dict[str, Any]:
    """Change what a lane carries."""
    names = ("max_payload", "max_gas", "max_callback_gas", "window_limit")
    wanted = {name: getattr(body, name) for name in names if getattr(body, name) is not None}
    return _proposals(_changes(hub, lane).limit(wanted, body.batch_limit, hub.officer(body.key)))


def allow(hub: Session, lane: str, body: PartyBody) -> dict[str, Any]:
    """Allow a sender or a receiver."""
    changes, officer = _changes(hub, lane), hub.officer(body.key)
    return _proposals(changes.allow(sender=body.sender, receiver=body.receiver, limit=body.limit, officer=officer))


def deny(hub: Session, lane: str, body: PartyBody) -> dict[str, Any]:
    """Deny a sender or a receiver at once."""
    officer = hub.narrowing_officer(body.key)
    _changes(hub, lane).deny(sender=body.sender, receiver=body.receiver, officer=officer)
    return {"denied": body.sender or body.receiver}


def send(hub: Session, body: SendBody, key: str) -> list[dict[str, Any]]:
    """Send a message from a local key."""
    from relay.sending import Letter, expiry, payload_of
    from relay.sending import send as bring

    payload = payload_of(text=body.text, hexadecimal=body.hex, file=None, call=body.call)
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


def _proposals(proposed: list[Any]) -> dict[str, Any]:
    labels = [item.label for item in proposed]
    return {"done": not labels, "proposals": labels}
