"""Names of the keys that a development hub makes for itself."""

OFFICERS = ("officer-1", "officer-2", "officer-3")
GUARDIAN = "guardian"
SENDER = "sender"
