"""Local keys as `relayhub key list` and the public interface show them: names and addresses."""

from __future__ import annotations

from typing import Any

from relay.errors import HubError
from relay.keys import KeyStore


def key_names(keys: KeyStore) -> list[dict[str, Any]]:
    """Names and addresses; a file that cannot be read says why instead."""
    found = []
    for name in keys.names():
        try:
            found.append({"name": name, "address": "0x" + keys.load(name).address.hex(), "trouble": ""})
        except HubError as error:
            found.append({"name": name, "address": "", "trouble": str(error)})
    return found
