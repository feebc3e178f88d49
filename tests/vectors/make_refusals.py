"""Writes tests/vectors/golden/refusals.json: what each bad vector of the EVM families is refused with, word for word.

python -m tests.vectors.make_refusals
"""

from __future__ import annotations

import json
from typing import Any

from light_clients import clique, ibft, ibft2, qbft
from light_clients.errors import LightClientError
from light_clients.proofs.gateway import GatewayPin, SlotEvidence
from schemas.claim import Claim
from schemas.primitives import Bytes32
from tests.support.vectors import VECTORS, load_json, unhex

CLIENTS: dict[str, Any] = {"qbft": qbft, "qbft_contract": qbft, "ibft2": ibft2, "ibft": ibft, "clique": clique}
FOLDERS = tuple(CLIENTS)
RECORDED = VECTORS / "golden" / "refusals.json"


def refusal_of(name: str) -> dict[str, int | str]:
    """Everything that the refusal of a bad vector says.

    Args:
        name: its path below tests/vectors.
    """
    vector, client = load_json(name), CLIENTS[name.split("/", maxsplit=1)[0]]
    try:
        state = client.state_from_bytes(unhex(vector["state"]))
        if "claim" in vector:
            fields = {key: unhex(value) if isinstance(value, str) else value for key, value in vector["claim"].items()}
            pin = GatewayPin(unhex(vector["gateway"]), Bytes32(unhex(vector["code_hash"])))
            client.verify_claim(state, Claim(**fields), SlotEvidence.from_bytes(unhex(vector["evidence"])), pin)
        else:
            client.verify_header(state, unhex(vector["header"]), vector["now"])
    except LightClientError as error:
        return {key: value for key, value in error.diagnostics().items() if key != "next_step"}
    return {"error": "none"}


def main() -> None:
    """Write the file."""
    names = sorted(
        path.relative_to(VECTORS).as_posix()
        for folder in FOLDERS
        for path in (VECTORS / folder / "bad").rglob("*.json")
    )
    RECORDED.write_text(json.dumps({name: refusal_of(name) for name in names}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
