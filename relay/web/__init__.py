"""The hub's HTTP interface: claims and attestations for operators, the public interface under `/v1/`, the status page.

Source: docs/encodings.md, section Operators; docs/openapi.json. It listens on loopback as it is, and elsewhere with TLS and tokens
(relay.web.listening). The operators' two calls are authenticated by signatures alone, because nothing can be gained there by asking; for
the rest relay.web.access says who may ask what.
"""
