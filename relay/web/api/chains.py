"""`/v1/chains`: ledgers."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from relay.errors import NotFound
from relay.views.status import WAITS, chain_status
from relay.web.api import acts, chain_acts
from relay.web.api.bodies import AnnounceBody, ChainBody, OfficerBody, PinBody
from relay.web.api.common import (
    GOVERNING,
    WATCHING,
    ChainName,
    Limit,
    answers,
    change,
    json_response,
    now_of,
    page,
    reading,
    store_of,
)
from relay.web.api.models import Chain, Page

router = APIRouter(prefix="/v1/chains", tags=["chains"])

NameCursor = Annotated[
    str | None,
    Query(pattern="^([0-9a-f]{2}){1,64}$", description="`next_cursor` of the page before.", examples=["616c706861"]),
]


@router.get("", summary="List ledgers", **answers(Page[Chain]))
def list_all(request: Request, limit: Limit = 100, cursor: NameCursor = None) -> Response:
    """Registered ledgers by name, retired ones included."""
    after = bytes.fromhex(cursor or "").decode(errors="replace").replace("\0", "")
    with reading(request) as reader:
        rows = reader.rows(
            "SELECT * FROM chains WHERE name > :after ORDER BY name LIMIT :limit", after=after, limit=limit + 1
        )
        waits = reader.rows(WAITS)
        items = [chain_status(reader, row, waits, now_of(request)) for row in rows[:limit]]
    return page(items, rows[limit - 1]["name"].encode().hex() if len(rows) > limit else None)


@router.get("/{name}", summary="Show a ledger", **answers(Chain))
def show(request: Request, name: ChainName) -> Response:
    """Heights, the light client's expiry, certificates, the wallet and its runway, trouble at endpoints, what waits."""
    with reading(request) as reader:
        row = reader.row("SELECT * FROM chains WHERE name = :name", name=name.replace("\0", ""))
        if row is None:
            raise NotFound("There is no ledger of that name.", "GET /v1/chains lists them.")
        return json_response(chain_status(reader, row, reader.rows(WAITS), now_of(request)))


@router.post("", summary="Register a ledger", **change("chain.add", roles=GOVERNING))
def add(request: Request, body: ChainBody) -> Response:
    """Ask the node what it is, trust a pinned header, deploy the gateway. Fails without a trace where anything is not as it must be."""
    return acts.begin(request, "chain.add", lambda hub: chain_acts.add_chain(hub, body))


@router.post("/{name}/retire", summary="Retire a ledger", **change("chain.retire", roles=GOVERNING))
def retire(request: Request, name: ChainName) -> Response:
    """Stop following a ledger; refused until its lanes are closed and have settled what they sent, or are abandoned."""
    return acts.begin(request, "chain.retire", lambda hub: chain_acts.retire_chain(hub, name))


@router.post("/{name}/pause", summary="Pause a gateway", **change("chain.pause", roles=GOVERNING))
def pause(request: Request, name: ChainName, body: OfficerBody) -> Response:
    """Stop a ledger's whole gateway at once (one officer, or the guardian)."""
    return acts.begin(request, "chain.pause", lambda hub: chain_acts.pause_chain(hub, name, body.key))


@router.post("/{name}/resume", summary="Resume a gateway", **change("chain.resume", roles=GOVERNING))
def resume(request: Request, name: ChainName, body: OfficerBody) -> Response:
    """Let a paused gateway work again (two officers, and the delay)."""
    return acts.begin(request, "chain.resume", lambda hub: chain_acts.resume_chain(hub, name, body.key))


@router.post("/{name}/announce", summary="Announce validators", **change("chain.announce", roles=GOVERNING))
def announce(request: Request, name: ChainName, body: AnnounceBody) -> Response:
    """Take up changes of validators that the ledger's network announced for later blocks."""
    return acts.begin(request, "chain.announce", lambda hub: chain_acts.announce(hub, name, body.client_options))


@router.get(
    "/{name}/recovery",
    summary="Show a recovery",
    **answers(dict[str, Any], text="As `relayhub recover CHAIN --json`.", roles=WATCHING),
)
def recovery(request: Request, name: ChainName) -> Response:
    """What was frozen and why, what to reconcile, which step comes next; 409 for a ledger that never was. Asks the gateways."""
    from relay.registry.recovery import recovery_of

    return json_response(recovery_of(store_of(request), name.replace("\0", "")).as_data())


@router.post("/{name}/recover", summary="Recover a ledger", **change("chain.recover", roles=GOVERNING))
def recover(request: Request, name: ChainName, body: PinBody) -> Response:
    """Start the light client of a frozen ledger again from a block of the history that stands."""
    return acts.begin(request, "chain.recover", lambda hub: chain_acts.recover(hub, name, body.pin))
