"""What the page shows of the evidence log: size, root, signers and age of the newest published checkpoint.

It is read from the log's public folder (C2SP tlog-tiles: the file `checkpoint`), like a stranger would; no signature is verified
here, that is `relayhub audit`'s business.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from light_clients.errors import LightClientError
from light_clients.proofs.notes import read_checkpoint, split_note
from relay.home import Home
from relay.store.reader import Reader
from relay.views.evidence import queue_of
from relay.views.log_anchors import log_anchor
from relay.views.witnesses import witness_status


def evidence_of(reader: Reader, home: Home | None, chains: Iterable[str]) -> dict[str, Any]:
    """The newest checkpoint, what waits to become a leaf, and where the log is anchored.

    Args:
        reader: a snapshot of the database.
        home: the hub's folder, if there is one.
        chains: names of ledgers.

    Returns:
        `there`, what `checkpoint_of` says, `waiting` (decisions), `waiting_since` (Unix seconds, 0 for none), `anchors`: for
        each ledger that has one `chain`, `size`, `root`, `at` and `transaction`, and `witnesses`, as `relayhub status` has
        them but for what grows with each second.
    """
    waiting, since = queue_of(reader)
    found = ((name, log_anchor(reader, name)) for name in chains)
    return checkpoint_of(home) | {
        "waiting": waiting,
        "waiting_since": since,
        "anchors": [{"chain": name, **anchor} for name, anchor in found if anchor],
        "witnesses": _witnesses(home),
    }


def _witnesses(home: Home | None) -> dict[str, Any]:
    """How the witnesses stand; empty where the hub has none."""
    if home is None:
        return {}
    found = witness_status(home, now=0.0)
    for each in found["witnesses"]:
        del each["behind_s"]
    return found if found["witnesses"] else {}


def checkpoint_of(home: Home | None) -> dict[str, Any]:
    """Read the newest checkpoint.

    Returns:
        `there` and, if so, `origin`, `size`, `root` (hexadecimal), `signers` (names of keys), `at` (Unix seconds); if it cannot
        be read, `text` says why.
    """
    if home is None:
        return {"there": False}
    path = home.folder / "evidence" / "log" / "checkpoint"
    try:
        content, at = path.read_bytes(), path.stat().st_mtime
    except FileNotFoundError:
        return {"there": False}
    except OSError as error:
        return {"there": False, "text": f"The checkpoint cannot be read: {error.strerror}."}
    try:
        text, signatures = split_note(content)
        checkpoint = read_checkpoint(text)
    except LightClientError as error:
        return {"there": False, "text": f"The checkpoint cannot be read: {error}"}
    return {
        "there": True,
        "origin": checkpoint.origin,
        "size": checkpoint.size,
        "root": "0x" + checkpoint.root.hex(),
        "signers": list(dict.fromkeys(name for name, _, _ in signatures)),
        "at": at,
    }
