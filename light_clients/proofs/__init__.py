"""Proofs of state and membership: pure functions from a trusted root to a value."""
