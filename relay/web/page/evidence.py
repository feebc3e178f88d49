"""What the page shows of the evidence log: size, root, signers and age of the newest published checkpoint.

It is read from the log's public folder (C2SP tlog-tiles: the file `checkpoint`), like a stranger would; no signature is verified
here, that is `relayhub audit`'s business.
"""

from __future__ import annotations

from typing import Any

from light_clients.errors import LightClientError
from light_clients.proofs.notes import read_checkpoint, split_note
from relay.home import Home


def evidence_of(home: Home | None) -> dict[str, Any]:
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
        "signers": [name for name, _, _ in signatures],
        "at": at,
    }
