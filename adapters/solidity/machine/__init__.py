"""A real EVM in this process, on which the simulators run the Solidity gateway with their platform's quirks.

The frames, gas and opcodes are py-evm's, the state is a plain dictionary with a journal, and contracts that only compute
run in revm. See README.md for the signatures and for what each trait reproduces.
"""

from adapters.solidity.machine.machine import Machine
from adapters.solidity.machine.types import Execution, Log, Panic, Read, Traits, Write

__all__ = ["Execution", "Log", "Machine", "Panic", "Read", "Traits", "Write"]
