"""A development network of real evmd nodes (cosmos/evm 0.3.2) on this machine; `python -m adapters.cosmos.devnet` starts one."""

from adapters.cosmos.devnet.network import EvmdNetwork
from adapters.cosmos.devnet.node import EvmdError, EvmdNode

__all__ = ["EvmdError", "EvmdNetwork", "EvmdNode"]
