"""Options of `relayhub lane`, the same for a hub here and for one elsewhere (`--hub`)."""

from __future__ import annotations

from typing import Annotated

import typer

Both = Annotated[bool, typer.Option("--both", help="Open the lane back as well.")]
TrustKind = Annotated[
    str, typer.Option("--trust", help="What judges the peer at each end: committee, light-client or both.")
]
Verifiers = Annotated[
    list[str] | None,
    typer.Option("--verifier", help="LEDGER=0x…: a verifier that is there already; else the hub deploys one."),
]
TrustingPeriod = Annotated[
    int | None,
    typer.Option("--trusting-period", min=60, help="Seconds for which a new light client trusts its newest header."),
]
BatchLimit = Annotated[
    int | None, typer.Option("--batch-limit", min=1, max=500, help="Messages a delivery carries at most.")
]
MaxPayload = Annotated[int, typer.Option("--max-payload", min=1, help="Bytes of a payload.")]
MaxGas = Annotated[int, typer.Option("--max-gas", min=1, help="Gas of a receiver's call.")]
MaxCallbackGas = Annotated[int, typer.Option("--max-callback-gas", min=0, help="Gas of a sender's callback.")]
Window = Annotated[int, typer.Option("--window", min=1, help="Seconds of a window.")]
WindowLimit = Annotated[int, typer.Option("--window-limit", min=1, help="Executions a window; more are delayed.")]
NewMaxPayload = Annotated[int | None, typer.Option("--max-payload", min=0, help="Bytes of a payload.")]
NewMaxGas = Annotated[int | None, typer.Option("--max-gas", min=0, help="Gas of a receiver's call.")]
NewMaxCallbackGas = Annotated[int | None, typer.Option("--max-callback-gas", min=0, help="Gas of a sender's callback.")]
NewWindowLimit = Annotated[
    int | None, typer.Option("--window-limit", min=0, help="Executions a window; more are delayed.")
]
SenderLimit = Annotated[
    int, typer.Option("--limit", min=1, max=65_535, help="Messages a window that the sender may send.")
]
