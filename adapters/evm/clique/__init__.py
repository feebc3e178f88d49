"""A development network of real geth nodes that seal Clique blocks, on this machine; `python -m adapters.evm.clique` starts one."""

from adapters.evm.clique.network import CliqueNetwork
from adapters.evm.clique.node import GethError, GethNode

__all__ = ["CliqueNetwork", "GethError", "GethNode"]
