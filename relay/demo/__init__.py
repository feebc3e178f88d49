"""`relayhub demo`: three ledgers, messages both ways, faults and forgeries; everything shown is checked.

Light to import: what the demo works with is loaded when it runs.
"""

from __future__ import annotations

from relay.demo.command import run

__all__ = ["run"]
