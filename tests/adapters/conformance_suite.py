"""What every adapter must do: `adapters.conformance.suite`, by the name that the tests of each adapter use."""

from adapters.conformance.suite import LedgerConformance
from adapters.protocol import MessageSent

__all__ = ["LedgerConformance", "MessageSent"]
