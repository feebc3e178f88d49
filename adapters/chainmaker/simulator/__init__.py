"""A simulated ChainMaker 2.3.2 network for development and tests: the platform's wire protocol and blocks, no real node."""

from adapters.chainmaker.simulator.network import ChainMakerNetwork

__all__ = ["ChainMakerNetwork"]
