"""What is said between ledgers: lanes, messages, outcomes, claims, attestations. Pure: no I/O, no clock, no randomness."""
