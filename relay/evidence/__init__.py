"""Evidence that lasts: the append-only log, what stands in it, and what is made of it (protocol, section Evidence)."""
