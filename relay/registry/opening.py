"""Open lanes at both of their ends.

The lane is written down as `opening` before either end opens, so that nothing it carries can be missed; it becomes `active`
when both gateways say that it is open.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import Row, delete, insert, select

from adapters.solidity.administration import DESTINATION, SOURCE, Caps, allow_receiver, allow_sender, open_lane
from relay.config import HubConfig
from relay.errors import BadInput, Duplicate, NotNow
from relay.evidence.decisions import note_lane
from relay.keys import Key, KeyStore
from relay.registry.chains import chain_named, machine_of, open_chain
from relay.registry.gateways import Contract
from relay.registry.lane_verifiers import Ends, LaneVerifiers, Trust
from relay.registry.lanes import lane_row, lane_view, refresh
from relay.registry.names import OFFICERS, SENDER
from relay.registry.officers import Proposed, propose
from relay.store import Store
from relay.store.tables import lanes
from relay.store.verifiers import Kind, trust_level
from schemas.heads import outbox_genesis, outcomes_genesis
from schemas.lane import Lane
from schemas.primitives import ChainWord, LaneId, SchemaError
from schemas.suites import EVM, SUITES, Suite

COMMITTEE = Trust()
ANY_SUITE = "any"
"""What the traits of a machine say whose one gateway has lanes of every suite."""
SENDER_LIMIT = 65_535
"""Messages a window that an allowed sender may send, unless another limit is given; the most that a gateway counts."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A lane as `open_lanes` leaves it: its id, its ends, its state, and the proposals that wait for officers."""

    lane_id: LaneId
    source: str
    destination: str
    channel: str
    state: str
    trust: str
    proposals: tuple[Proposed, ...] = ()


@dataclass(frozen=True, slots=True)
class _Plan:
    lane: Lane
    source: Row[Any]
    destination: Row[Any]
    trust: Trust
    verifiers: Ends = field(default_factory=dict)

    @property
    def ends(self) -> tuple[tuple[Row[Any], Row[Any]], tuple[Row[Any], Row[Any]]]:
        """(the ledger here, its peer) at the source and at the destination."""
        return (self.source, self.destination), (self.destination, self.source)


def open_lanes(
    config: HubConfig,
    store: Store,
    keys: KeyStore,
    pairs: list[tuple[str, str]],
    *,
    channel: str,
    caps: Caps,
    batch_limit: int,
    officer: Key | None,
    tell: Callable[[str], None],
    trust: Trust | Mapping[tuple[str, str], Trust] = COMMITTEE,
) -> list[Opened]:
    """Open lanes at both of their ends.

    On a development hub three steps with local officers' keys do it at once, and the local sender and the example
    receiver are allowed; on a production hub the officer's proposals are made and recorded, and others go on from there.

    Args:
        config: the hub's configuration.
        store: its database.
        keys: its keys.
        pairs: (source, destination) of each lane.
        channel: name of the channel.
        caps: what the lanes carry at most.
        batch_limit: messages that one delivery carries at most.
        officer: who proposes, on a production hub.
        tell: called with one line about each step.
        trust: what judges the peer at each end, for all of these lanes or by (source, destination); what is missing is
            deployed by the relayer.

    Raises:
        BadInput: a name or a number cannot be used, or a light client cannot be had.
        Duplicate: such a lane exists.
        NotFound: a ledger is not registered.
        AdapterError: a ledger does not answer, or a gateway refuses.
    """
    if not config.development and officer is None:
        raise BadInput("On a production hub an officer proposes a lane.", "Give --key NAME of an officer's key.")
    plans = [_plan(config, store, pair, channel, trust) for pair in pairs]
    for plan in plans:
        _check_new(store, plan)
    found = LaneVerifiers(store, keys, development=config.development, tell=tell)
    for kind in Kind:
        for same in _of_one_trust([plan for plan in plans if plan.trust.kind is kind]):
            ends = found.at([end for plan in same for end in plan.ends], same[0].trust)
            for plan in same:
                plan.verifiers.update(ends)
    _insert(store, plans, batch_limit)
    try:
        proposals = _open_ends(config, store, keys, plans, caps, officer, tell)
    except BaseException:
        _forget_unopened(store, plans)
        raise
    return [_opened(store, plan, proposals) for plan in plans]


def _of_one_trust(plans: list[_Plan]) -> list[list[_Plan]]:
    """Plans whose verifiers can be found together, in lists."""
    found: list[list[_Plan]] = []
    for plan in plans:
        same = next((others for others in found if others[0].trust == plan.trust), None)
        if same is None:
            found.append([plan])
        else:
            same.append(plan)
    return found


def _plan(
    config: HubConfig,
    store: Store,
    pair: tuple[str, str],
    channel: str,
    trust: Trust | Mapping[tuple[str, str], Trust],
) -> _Plan:
    source, destination = pair
    if source == destination:
        raise BadInput("A lane leads from one ledger to another.", "Name two different ledgers.")
    begins, ends = chain_named(store, source), chain_named(store, destination)
    for row in (begins, ends):
        if row.state != "active":
            raise NotNow(f"The ledger {row.name} is {row.state}.", "See: relayhub status.")
    try:
        lane = Lane(
            hub=config.name,
            suite=suite_of(begins, ends),
            source=ChainWord(begins.chain_word),
            source_gateway=bytes(begins.gateway),
            destination=ChainWord(ends.chain_word),
            destination_gateway=bytes(ends.gateway),
            channel=channel,
        )
    except SchemaError as error:
        raise BadInput(f"{error}.", "Choose another name.") from None
    return _Plan(lane, begins, ends, trust if isinstance(trust, Trust) else trust[pair])


def suite_of(source: Row[Any], destination: Row[Any]) -> Suite:
    """The hash suite of a lane: that of the gateways at both ends.

    Raises:
        BadInput: the gateways are of different suites.
    """
    suites = {row.name: machine_of(row).suite for row in (source, destination)}
    chosen = sorted(set(suites.values()) - {ANY_SUITE})
    if len(chosen) > 1:
        raise BadInput(
            "A lane has one hash suite, and the gateway of "
            + " but that of ".join(f"{name} is of {suite}" for name, suite in suites.items())
            + ".",
            "Register one of the ledgers with a gateway of the other suite (ChainMaker: --option gateway_suite=sm).",
        )
    return SUITES[chosen[0]] if chosen else EVM


def _check_new(store: Store, plan: _Plan) -> None:
    with store.read() as connection:
        known = connection.execute(select(lanes).where(lanes.c.lane_id == bytes(plan.lane.lane_id))).one_or_none()
    if known is not None and known.state != "opening":
        raise Duplicate(
            f"The lane {plan.source.name} → {plan.destination.name} #{plan.lane.channel} exists already ({known.state}).",
            "Choose another --channel: a lane is opened once.",
        )


def _insert(store: Store, plans: list[_Plan], batch_limit: int) -> None:
    """Write the lanes as `opening` before their ends open, so that nothing they carry can be missed."""
    with store.write() as connection:
        for plan in plans:
            lane_id = plan.lane.lane_id
            if connection.execute(select(lanes.c.state).where(lanes.c.lane_id == bytes(lane_id))).first():
                continue
            connection.execute(
                insert(lanes).values(
                    lane_id=bytes(lane_id),
                    hub=plan.lane.hub,
                    suite=plan.lane.suite.name,
                    source=plan.source.name,
                    destination=plan.destination.name,
                    channel=plan.lane.channel,
                    source_verifier=plan.verifiers[plan.source.name, plan.destination.name],
                    destination_verifier=plan.verifiers[plan.destination.name, plan.source.name],
                    trust=trust_level([plan.trust.kind], [plan.source.consensus, plan.destination.consensus]),
                    batch_limit=batch_limit,
                    state="opening",
                    opened_at=time.time(),
                    final_head=bytes(outbox_genesis(lane_id)),
                    outcome_head=bytes(outcomes_genesis(plan.lane.suite, lane_id)),
                )
            )
            note_lane(connection, lane_id)


def _actions(plan: _Plan, end: int, caps: Caps, sender: bytes, receiver: bytes, accounts: str) -> list[bytes]:
    """Open one end of a lane and, where they are given, allow an account there; `accounts` is how the ledger writes them."""
    here, peer = plan.ends[end]
    lane_id, verifier = plan.lane.lane_id, plan.verifiers[here.name, peer.name]
    peer_code = bytes(peer.gateway_code_hash)
    actions = [open_lane(plan.lane, end, verifier, peer_code, caps, accounts=accounts)]
    if end == SOURCE and sender:
        actions.append(allow_sender(lane_id, sender, SENDER_LIMIT, accounts=accounts))
    if end == DESTINATION and receiver:
        actions.append(allow_receiver(lane_id, receiver, accounts=accounts))
    return actions


def _open_ends(
    config: HubConfig,
    store: Store,
    keys: KeyStore,
    plans: list[_Plan],
    caps: Caps,
    officer: Key | None,
    tell: Callable[[str], None],
) -> dict[LaneId, list[Proposed]]:
    """Open every end, each ledger in a thread of its own."""
    local_sender = keys.load(SENDER).private if config.development else b""
    ends: dict[str, list[tuple[_Plan, int]]] = {}
    for plan in plans:
        ends.setdefault(plan.source.name, []).append((plan, SOURCE))
        ends.setdefault(plan.destination.name, []).append((plan, DESTINATION))

    def work(name: str) -> list[tuple[LaneId, Proposed]]:
        row = chain_named(store, name)
        missing = [(plan, end) for plan, end in ends[name] if not lane_view(store, name, plan.lane.lane_id)["opened"]]
        ledger = open_chain(row)
        try:
            sender, accounts = ledger.account(local_sender) if local_sender else b"", ledger.machine().accounts
            wanted = [
                (plan, _actions(plan, end, _fitting(caps, plan), sender, bytes(plan.destination.mailbox), accounts))
                for plan, end in missing
            ]
            if config.development and wanted:
                first, second = (keys.load(name) for name in OFFICERS[:2])
                gateway = Contract(ledger, "Gateway", bytes(row.gateway))
                opening = [actions[0] for _, actions in wanted]
                gateway.act(first, second, opening, [action for _, actions in wanted for action in actions[1:]])
                tell(f"{row.name}: {len(wanted)} lane ends opened by officer-1 and officer-2 (delay zero)")
                return []
            if officer is None:
                return []
            return [
                (
                    plan.lane.lane_id,
                    propose(store, ledger, row, "gateway", actions[0], officer, text=_told(plan, row.name)),
                )
                for plan, actions in wanted
            ]
        finally:
            ledger.close()

    proposals: dict[LaneId, list[Proposed]] = {}
    with ThreadPoolExecutor(max_workers=len(ends)) as pool:
        for found in pool.map(work, ends):
            for lane_id, proposed in found:
                proposals.setdefault(lane_id, []).append(proposed)
    if config.development:
        tell("allowed at once on this development hub: the local key `sender`, and the example receiver Mailbox")
    return proposals


def _fitting(caps: Caps, plan: _Plan) -> Caps:
    """Receivers are of the destination's form: where accounts there have not 20 bytes, any length is let through."""
    return caps if machine_of(plan.destination).accounts == "address" else replace(caps, receiver_length=0)


def _told(plan: _Plan, here: str) -> str:
    return f"open {plan.source.name} → {plan.destination.name} #{plan.lane.channel} at {here}"


def _opened(store: Store, plan: _Plan, proposals: dict[LaneId, list[Proposed]]) -> Opened:
    lane_id = plan.lane.lane_id
    row = lane_row(store, lane_id.hex())
    return Opened(
        lane_id,
        plan.source.name,
        plan.destination.name,
        plan.lane.channel,
        refresh(store, row),
        row.trust,
        tuple(proposals.get(lane_id, ())),
    )


def _forget_unopened(store: Store, plans: Iterable[_Plan]) -> None:
    """After a failure: a lane of which no end is open leaves no trace; one that is half open stays `opening`."""
    for plan in plans:
        lane_id = plan.lane.lane_id
        try:
            opened = any(lane_view(store, row.name, lane_id)["opened"] for row in (plan.source, plan.destination))
        except Exception:  # noqa: BLE001 - a ledger that cannot be asked may have opened its end
            opened = True
        if not opened:
            with store.write() as connection:
                connection.execute(delete(lanes).where(lanes.c.lane_id == bytes(lane_id), lanes.c.state == "opening"))
