"""`relayhub demo --ledgers all`: a ledger of every kind, a lane between every two, and what became of each message."""

from __future__ import annotations

from relay.demo.mesh.story import play
from relay.demo.mesh.world import MeshWorld

__all__ = ["MeshWorld", "play"]
