"""Development networks: anvil behind a front that seals its blocks as Besu's QBFT or IBFT2 validators do.

Nothing of this is for production: all validators' keys are in one process, and the test switches let it lie. Inside
contracts BLOCKHASH, PREVRANDAO and DIFFICULTY are anvil's; COINBASE is the proposer. The states of the newest 1024 blocks
can be asked and proved, also after a restart; older blocks keep their transactions, receipts and logs.
"""

from __future__ import annotations

from adapters.evm.devnet.anvil import find_anvil
from adapters.evm.devnet.errors import AnvilNotFoundError, DevelopmentNetworkError, RpcError
from adapters.evm.devnet.header import Form
from adapters.evm.devnet.network import DevelopmentNetwork

__all__ = ["AnvilNotFoundError", "DevelopmentNetwork", "DevelopmentNetworkError", "Form", "RpcError", "find_anvil"]
