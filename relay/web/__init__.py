"""The hub's HTTP interface: claims for the operators to pull, attestations for them to post, the hub's state.

Source: docs/encodings.md, section Operators. It listens on loopback only; where operators stand elsewhere, a reverse proxy
with TLS stands in front of it. Nothing is authenticated here but signatures, because nothing here can be gained by asking.
"""
