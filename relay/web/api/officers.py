"""`/v1/operators` and `/v1/proposals`: what officers do about operators, and with one another."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from relay.registry.officers import known_proposals
from relay.web.api import acts
from relay.web.api.bodies import DecisionBody, OfficerBody, OperatorBody, ProposalBody
from relay.web.api.common import GOVERNING, WATCHING, answers, change, page, store_of
from relay.web.api.models import Page, Proposal

router = APIRouter(prefix="/v1", tags=["officers"])

OperatorName = Annotated[str, Path(min_length=1, max_length=64, description="The operator's name.", examples=["org-1"])]


@router.post("/operators", summary="Register an operator", **change("operator.add", roles=GOVERNING))
def add_operator(request: Request, body: OperatorBody) -> Response:
    """Ledgers that are there get a new epoch of their committee (two officers)."""
    return acts.begin(request, "operator.add", lambda hub: acts.add_operator(hub, body))


@router.post("/operators/{name}/strike", summary="Strike an operator", **change("operator.strike", roles=GOVERNING))
def strike(request: Request, name: OperatorName, body: OfficerBody) -> Response:
    """Strike its signer out of every committee at once."""
    return acts.begin(request, "operator.strike", lambda hub: acts.strike_operator(hub, name, body.key))


@router.get("/proposals", summary="List proposals", **answers(Page[Proposal], roles=WATCHING))
def list_proposals(request: Request) -> Response:
    """Proposals that were made through this hub; each ledger is asked how they stand."""
    return page(known_proposals(store_of(request)), None)


@router.post("/proposals", summary="Propose an action", **change("proposal.make", roles=GOVERNING))
def propose(request: Request, body: ProposalBody) -> Response:
    """Propose as an officer; another one approves."""
    return acts.begin(request, "proposal.make", lambda hub: acts.propose(hub, body))


@router.post("/proposals/approve", summary="Approve a proposal", **change("proposal.approve", roles=GOVERNING))
def approve(request: Request, body: DecisionBody) -> Response:
    """Approve as another officer."""
    return acts.begin(request, "proposal.approve", lambda hub: acts.approve(hub, body))


@router.post("/proposals/execute", summary="Execute a proposal", **change("proposal.execute", roles=GOVERNING))
def execute(request: Request, body: DecisionBody) -> Response:
    """Execute after the delay."""
    return acts.begin(request, "proposal.execute", lambda hub: acts.execute(hub, body))
