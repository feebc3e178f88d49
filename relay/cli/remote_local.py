"""Commands that work on the hub's own machine only, or anywhere without a hub, each with why. Every other one takes `--hub URL`."""

from __future__ import annotations

_PROCESSES = "it starts and stops processes of the hub's machine"
_KEYS = "private keys never leave the machine that they are made on"
_FILES = "it reads or writes whole folders of the hub's machine"
_TOKENS = "who makes tokens could make any: whoever can read the hub's folder decides"
_OFFLINE = "it asks no hub: run it without --hub, on the files that you have"
_PACKAGES = "it runs code of packages that are installed there"

_WITNESS = "a witness is nobody's hub: its key and memory lie on its own machine"
_NOTE = "it holds a receipt against the hub's own log and asks the ledger: make it there, and pass the file on"

LOCAL = {
    "up": _PROCESSES,
    "down": _PROCESSES,
    "demo": _PROCESSES,
    "operator run": _PROCESSES,
    "key new": _KEYS,
    "backup": _FILES,
    "restore": _FILES,
    "rebuild": _FILES,
    "token create": _TOKENS,
    "token list": _TOKENS,
    "token revoke": _TOKENS,
    "verify": _OFFLINE,
    "evidence verify": _OFFLINE,
    "adapter certify": _PACKAGES,
    "log-note": _NOTE,
    "witness init": _WITNESS,
    "witness run": _WITNESS,
    "witness cosign": _WITNESS,
    "witness show": _WITNESS,
}
"""Why, by the command."""
