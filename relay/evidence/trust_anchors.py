"""The trust anchors of a hub: what a verifier of receipts has to trust, as one TOML file (docs/evidence.md).

The hub writes down what it knows itself. Whoever verifies compares it with what officers and operators say, and gets it by another
way than the receipts.
"""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import tomli_w

from light_clients.families import client_named
from relay.evidence.checkpoints import log_keys, origin_of
from relay.evidence.validator_changes import changes_of
from relay.home import Home
from relay.keys import KeyStore
from relay.signers import SM2, accounts_of
from relay.store.reader import Reader
from schemas.receipt import ANCHORS_FORMAT

SEALED = ("qbft", "ibft2", "ibft")
"""Families whose validators stand in the light client's state."""
HEADER = (
    "# Trust anchors of the hub {hub}. A receipt is as good as the way on which these came: compare them with what the\n"
    "# officers and operators say, and never take them from where the receipts came.\n"
)


def anchors_of(home: Home) -> str:
    """A hub's anchors as TOML.

    Raises:
        NotFound: there is no hub, or it has no evidence log yet.
    """
    settings = home.settings()
    hub = str(settings["name"])
    origin = origin_of(hub)
    with Reader(home.database_in(settings)) as reader:
        chains = {row["name"]: row for row in reader.rows("SELECT * FROM chains ORDER BY name")}
        content: dict[str, Any] = {
            "format": ANCHORS_FORMAT,
            "hub": hub,
            "log": {"origin": origin, "keys": [key.text for key in log_keys(KeyStore(home.keys), origin)]}
            | _witnesses(home),
            "chains": [_chain(row, changes_of(reader, home, bytes(row["chain_word"]))) for row in chains.values()],
            "committees": _committees(reader, chains),
            "lanes": _lanes(reader),
        }
    return HEADER.format(hub=hub) + tomli_w.dumps(content)


def _witnesses(home: Home) -> dict[str, Any]:
    """The log's witnesses, and how many of them a receipt needs; nothing where there are none."""
    config = home.load()
    if not config.witnesses:
        return {}
    keys = [entry.key for entry in config.witnesses.values()]
    return {"witnesses": keys, "witness_threshold": config.witness_threshold}


def _chain(row: dict[str, Any], changes: list[dict[str, Any]]) -> dict[str, Any]:
    pin = row["gateway_pin"]
    validators: list[dict[str, Any]] = []
    if row["consensus"] in SEALED:
        state: Any = client_named(row["consensus"]).state_from_bytes(row["client_state"])
        sets = _past_sets(row, changes) | {item.first_height: item.members for item in state.sets}
        validators = [{"from": first, "members": [_hex(member) for member in sets[first]]} for first in sorted(sets)]
    return {
        "chain": _hex(row["chain_word"]),
        "name": row["name"],
        "chain_id": row["chain_id"],
        "first_block": _hex(row["first_block"]),
        "consensus": row["consensus"],
        "gateway": _hex(row["gateway"]),
        "code_hash": _hex(row["gateway_code_hash"]),
        "client_state": _hex(row["client_state"]),
        "log_account": _hex(row["account"]),
        "pin": (json.loads(pin) if isinstance(pin, str) else pin) or {},
        "validators": validators,
    }


def _past_sets(row: dict[str, Any], changes: list[dict[str, Any]]) -> dict[int, Any]:
    """Sets that the light client has forgotten and the log has not, by the first height that they seal."""
    firsts = [row["pinned_height"], *(item["height"] for item in changes)]
    return {first: item["before"] for first, item in zip(firsts, changes, strict=False)}


def _committees(reader: Reader, chains: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    seats: dict[bytes, tuple[str, dict[str, Any]]] = {}
    for row in reader.rows("SELECT * FROM operators ORDER BY name"):
        operator: Any = SimpleNamespace(**row)
        for account, scheme in accounts_of(operator).items():
            seats[account] = (scheme, row)
    found = []
    for row in reader.rows("SELECT * FROM committees ORDER BY chain, verifier, epoch"):
        signers = json.loads(row["signers"]) if isinstance(row["signers"], str) else row["signers"]
        chain = chains[row["chain"]]
        found.append(
            {
                "chain": _hex(chain["chain_word"]),
                "gateway": _hex(chain["gateway"]),
                "verifier": _hex(row["verifier"]),
                "epoch": row["epoch"],
                "threshold": row["threshold"],
                "members": [_member(bytes.fromhex(text.removeprefix("0x")), seats) for text in signers],
            }
        )
    return found


def _member(account: bytes, seats: dict[bytes, tuple[str, dict[str, Any]]]) -> dict[str, Any]:
    known = seats.get(account)
    if known is None:  # nobody of the hub's: an organisation of its own, by its account
        return {"account": _hex(account), "organisation": _hex(account), "scheme": "secp256k1", "struck": False}
    scheme, row = known
    key = row["sm2_key"] if scheme == SM2 else row["public_key"]
    return {
        "account": _hex(account),
        "organisation": row["organisation"],
        "scheme": scheme,
        "public_key": _hex(key or b""),
        "struck": row["state"] != "active",
    }


def _lanes(reader: Reader) -> list[dict[str, Any]]:
    kinds = {(row["chain"], row["address"]): row for row in reader.rows("SELECT * FROM verifiers")}
    found = []
    for row in reader.rows("SELECT * FROM lanes WHERE state <> 'opening' ORDER BY source, destination, channel"):
        judges = {}
        for name, end in (("out", "destination"), ("back", "source")):
            address = row[f"{end}_verifier"]
            verifier = kinds.get((row[end], address), {"kind": "committee", "committee": address})
            judges[name] = {"kind": verifier["kind"], "committee": _hex(verifier["committee"])}
        found.append({"lane_id": _hex(row["lane_id"]), **judges})
    return found


def _hex(data: bytes) -> str:
    return "0x" + bytes(data).hex()
