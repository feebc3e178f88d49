"""An operator: a process of its own that verifies claims with its own endpoints and light clients, and signs what is true.

Source: the hub's protocol (docs/protocol.md, section Who believes what, Committee; docs/encodings.md, section Operators).
It shares nothing with the hub but three calls: it pulls claims, posts attestations and says how it stands.

    configuration.py  operator.toml
    signer.py         the signing key behind a small face
    database.py       what it must remember: light clients' states, checkpoints, what it signed
    lanes.py          lanes, from what both gateways said when they opened them
    chronicle.py      the heads of one history, in memory
    view.py           one ledger as this operator sees it: headers, histories, proofs
    judge.py          the checks that a claim must pass, in order
    follower.py       a thread for each ledger: look, judge, sign, post
    desk.py           which claims are in hand, which were refused and rest
    hub.py            the three calls
    standing.py       how it stands with each ledger, and the thread that tells the hub
    command.py        the command line
    process.py        the process: polls the hub, gives claims to the followers, reloads its configuration
"""

from relay.operator.command import main

__all__ = ["main"]
