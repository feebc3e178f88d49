"""A witness: an organisation's own process that sees an evidence log grow and never change, and says so by cosignatures.

It runs beside the organisation's operator, keeps its own key and its own memory, and trusts nothing of the hub but the log's
public key (C2SP tlog-witness, tlog-cosignature).
"""
