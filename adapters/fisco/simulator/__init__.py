"""A simulator of a FISCO BCOS network, 2.x (as 2.9.1) or 3.x (as 3.16), with both suites. It is no FISCO BCOS node.

It speaks the platform's JSON-RPC, checks and executes real signed transactions (the Solidity runs in a real EVM), and seals blocks
in the platform's formats with signatures of several sealers. `python -m adapters.fisco.simulator --help` says how to start it.
"""

from adapters.fisco.simulator.network import FiscoNetwork

__all__ = ["FiscoNetwork"]
