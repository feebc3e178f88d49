"""What every adapter must do, whatever its ledger: checks on a lane between two ledgers, for our tests and for third parties.

| file | what it has |
| --- | --- |
| `findings.py` | how a check says what is wrong |
| `steps.py` | the steps of a message along a lane, and the face of a `World` |
| `world.py` | `LaneWorld`: two ledgers, gateways and a lane, made through the faces alone |
| `reading.py`, `proving.py`, `carrying.py`, `writing.py` | the checks |
| `wire.py`, `wire_checks.py` | a hostile proxy between adapter and node, and what has to follow from it |
| `lies.py` | what the faces could say falsely, and that the light client finds it |
| `suite.py` | the checks as one test class |
| `checks.py` | the same checks as a list with names and what each of them needs |
| `scorecard.py` | runs the list |

Nothing here judges a header or a proof: whoever certifies brings a `Judge`.
"""
