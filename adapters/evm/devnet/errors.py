"""What can go wrong in a development network.

DevelopmentNetworkError   the network did not start, stopped, or cannot do what was asked; the text says what to do
└─ AnvilNotFound          the anvil binary is missing
RpcError                  a JSON-RPC error that the front answers itself
"""

from __future__ import annotations


class DevelopmentNetworkError(RuntimeError):
    """The development network cannot go on; the sentence says what to do next."""


class AnvilNotFoundError(DevelopmentNetworkError):
    """There is no anvil binary where one is looked for."""


class RpcError(Exception):
    """A JSON-RPC 2.0 error object (section 5.1) that the front answers by itself.

    Attributes:
        code: The error code, such as -32602.
        message: One sentence for the caller.
    """

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
