"""Certifying adapters: the checks of `adapters.conformance` with the hub's light clients as judge, and what is kept of them."""
