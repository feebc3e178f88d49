"""Methods that the front answers itself: QBFT's own, the clock's, and the test switches `devnet_…`.

The names `qbft_…` and their answers are Besu's (JSON-RPC API, QBFT methods); `evm_…` and `anvil_mine` are anvil's, taken
over because only the front may make blocks.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from typing import Any

from adapters.evm.devnet.anvil import Anvil
from adapters.evm.devnet.chain import SealedChain, View
from adapters.evm.devnet.errors import RpcError
from adapters.evm.devnet.faults import FAILURES, LIES, Endpoint
from adapters.evm.devnet.header import FIELDS
from adapters.evm.devnet.producer import Producer

Switch = Callable[[list[Any], Endpoint], Awaitable[Any]]

_FORBIDDEN_WHEN_SEALED = (
    "anvil_reorg",
    "anvil_rollback",
    "anvil_reset",
    "anvil_loadState",
    "anvil_setCoinbase",
    "evm_revert",
)
_FORBIDDEN = (
    "evm_setAutomine",
    "anvil_setAutomine",
    "evm_setIntervalMining",
    "anvil_setIntervalMining",
    "evm_mine_detailed",
)
_QUANTITIES = {name for name, quantity in FIELDS if quantity}


class Switches:
    """The front's own methods.

    Args:
        anvil: The node behind.
        producer: The block clock.
        chain: The sealed chain, or None for a bare node.
        chain_id: The EIP-155 chain id, for `devnet_status`.
    """

    def __init__(self, anvil: Anvil, producer: Producer, chain: SealedChain | None, chain_id: int) -> None:
        self._anvil = anvil
        self._producer = producer
        self._chain = chain
        self._chain_id = chain_id
        self.methods: dict[str, Switch] = {
            "evm_mine": self._evm_mine,
            "anvil_mine": self._mine,
            "evm_increaseTime": self._increase_time,
            "evm_setNextBlockTimestamp": self._set_next_timestamp,
            "devnet_mine": self._mine,
            "devnet_setBlockTime": self._set_block_time,
            "devnet_stall": self._stall,
            "devnet_lie": self._lie,
            "devnet_heal": self._heal,
            "devnet_reorg": self._reorg,
            "devnet_status": self._status,
        }
        self.methods.update(dict.fromkeys(_FORBIDDEN, self._refuse))
        if chain is not None:
            self.methods.update(dict.fromkeys(_FORBIDDEN_WHEN_SEALED, self._refuse_reorganisation))
            self.methods.update(
                {
                    "qbft_getValidatorsByBlockNumber": self._validators_by_number,
                    "qbft_getValidatorsByBlockHash": self._validators_by_hash,
                    "qbft_proposeValidatorVote": self._propose,
                    "qbft_discardValidatorVote": self._discard,
                    "qbft_getPendingVotes": self._pending_votes,
                    "devnet_newValidator": self._new_validator,
                    "devnet_silence": self._silence,
                    "devnet_equivocate": self._equivocate,
                }
            )

    @property
    def _sealed(self) -> SealedChain:
        if self._chain is None:
            raise RpcError(-32601, "this network is plain: nothing is sealed; start it without --plain")
        return self._chain

    async def _height(self) -> int:
        return int(await self._anvil.call("eth_blockNumber"), 16) if self._chain is None else self._chain.height

    async def _evm_mine(self, params: list[Any], endpoint: Endpoint) -> str:
        options = params[0] if params else None
        timestamp = options.get("timestamp") if isinstance(options, dict) else options
        if timestamp is not None:
            self._producer.set_next_timestamp(_number(timestamp))
        await self._producer.produce()
        return "0x0"

    async def _mine(self, params: list[Any], endpoint: Endpoint) -> str:
        for _ in range(_number(params[0]) if params else 1):
            await self._producer.produce()
        return hex(await self._height())

    async def _increase_time(self, params: list[Any], endpoint: Endpoint) -> int:
        return self._producer.shift_time(_number(_first(params)))

    async def _set_next_timestamp(self, params: list[Any], endpoint: Endpoint) -> None:
        self._producer.set_next_timestamp(_number(_first(params)))

    async def _set_block_time(self, params: list[Any], endpoint: Endpoint) -> bool:
        seconds = _first(params)
        if not isinstance(seconds, int | float) or isinstance(seconds, bool) or seconds < 0:
            raise RpcError(-32602, "give the block time in seconds, 0 for blocks on demand")
        await self._producer.set_clock(block_time_s=float(seconds))
        return True

    async def _stall(self, params: list[Any], endpoint: Endpoint) -> bool:
        await self._producer.set_clock(stalled=_flag(params, 0))
        return self._producer.stalled

    async def _lie(self, params: list[Any], endpoint: Endpoint) -> list[str]:
        kind = _first(params)
        if kind not in LIES and kind not in FAILURES:
            raise RpcError(
                -32602, f"no lie is called {kind!r}; choose one of {', '.join(sorted(FAILURES | set(LIES)))}"
            )
        (endpoint.lies.add if _flag(params, 1) else endpoint.lies.discard)(kind)
        return sorted(endpoint.lies)

    async def _heal(self, params: list[Any], endpoint: Endpoint) -> bool:
        endpoint.lies.clear()
        endpoint.fork = None
        return True

    async def _reorg(self, params: list[Any], endpoint: Endpoint) -> str:
        if self._chain is not None:
            return await self._refuse_reorganisation(params, endpoint)
        await self._anvil.call("anvil_reorg", _number(_first(params)), [])
        return hex(await self._height())

    async def _status(self, params: list[Any], endpoint: Endpoint) -> dict[str, Any]:
        status: dict[str, Any] = {
            "chainId": hex(self._chain_id),
            "height": await self._height(),
            "blockTime": self._producer.block_time_s,
            "stalled": self._producer.stalled,
            "sealed": self._chain is not None,
            "lies": sorted(endpoint.lies),
            "forkStart": endpoint.fork.start if endpoint.fork else None,
            "pid": os.getpid(),
            "anvilPid": self._anvil.pid,
        }
        if self._chain is not None:
            validators = self._chain.validators
            status["validators"] = _addresses(validators.tally.validators)
            status["genesisHash"] = "0x" + self._chain.blocks[0].header.hash.hex()
            status["votes"] = await self._pending_votes(params, endpoint)
        return status

    async def _validators_by_number(self, params: list[Any], endpoint: Endpoint) -> list[str] | None:
        height = self._sealed.height
        tags = {"earliest": 0, "latest": height, "safe": height, "finalized": height, "pending": height}
        given = _first(params)
        number = tags[given] if given in tags else _number(given)
        return _addresses(self._sealed.sets[number]) if number <= height else None

    async def _validators_by_hash(self, params: list[Any], endpoint: Endpoint) -> list[str] | None:
        header = View(self._sealed, endpoint.fork).find(str(_first(params)))
        return None if header is None else _addresses(header.extra.validators)

    async def _propose(self, params: list[Any], endpoint: Endpoint) -> bool:
        self._sealed.validators.propose(_address(params), add=_flag(params, 1))
        return True

    async def _discard(self, params: list[Any], endpoint: Endpoint) -> bool:
        return self._sealed.validators.discard(_address(params))

    async def _pending_votes(self, params: list[Any], endpoint: Endpoint) -> dict[str, bool]:
        return {"0x" + subject.hex(): add for subject, add in self._sealed.validators.proposals.items()}

    async def _new_validator(self, params: list[Any], endpoint: Endpoint) -> str:
        validators = self._sealed.validators
        return "0x" + validators.keyring.new_address(validators.tally.validators).hex()

    async def _silence(self, params: list[Any], endpoint: Endpoint) -> bool:
        self._sealed.validators.silence(_address(params), on=_flag(params, 1))
        return True

    async def _equivocate(self, params: list[Any], endpoint: Endpoint) -> dict[str, Any]:
        chain = self._sealed
        start = _number(params[0]) if params and params[0] is not None else chain.height
        given = params[1] if len(params) > 1 else {}
        if not isinstance(given, dict):
            raise RpcError(-32602, "give the changed header fields as an object of hexadecimal values")
        sealers = _number(params[2]) if len(params) > 2 else None
        fork = chain.fork(start, {name: _item(name, value) for name, value in given.items()}, sealers)
        endpoint.fork = fork
        return {
            "number": hex(start),
            "honestHash": "0x" + chain.blocks[start].header.hash.hex(),
            "forkHash": "0x" + fork.headers[0].hash.hex(),
            "forkHeader": "0x" + fork.headers[0].rlp().hex(),
        }

    async def _refuse(self, params: list[Any], endpoint: Endpoint) -> str:
        raise RpcError(-32601, "only the front makes blocks here; use devnet_mine, devnet_setBlockTime or devnet_stall")

    async def _refuse_reorganisation(self, params: list[Any], endpoint: Endpoint) -> str:
        raise RpcError(-32601, "sealed blocks are final here; start the network with --plain to rewrite its history")


def _first(params: list[Any]) -> Any:
    if not params:
        raise RpcError(-32602, "a parameter is missing")
    return params[0]


def _number(value: Any) -> int:
    try:
        number = int(value, 16) if isinstance(value, str) else int(value)
    except (TypeError, ValueError):
        number = -1
    if number < 0:
        raise RpcError(-32602, f"{value!r} is no number; give an integer or 0x-hexadecimal text")
    return number


def _flag(params: list[Any], index: int) -> bool:
    value = params[index] if len(params) > index else True
    if not isinstance(value, bool):
        raise RpcError(-32602, f"{value!r} is neither true nor false")
    return value


def _address(params: list[Any]) -> bytes:
    address = _item("address", _first(params))
    if len(address) != 20:
        raise RpcError(-32602, "an address is 0x and 40 hexadecimal digits")
    return address


def _item(name: str, value: Any) -> bytes:
    try:
        if name in _QUANTITIES:
            number = int(value, 16)
            return number.to_bytes((number.bit_length() + 7) // 8, "big")
        return bytes.fromhex(value.removeprefix("0x"))
    except (AttributeError, TypeError, ValueError, OverflowError):
        raise RpcError(-32602, f"{name} must be 0x-hexadecimal text") from None


def _addresses(validators: tuple[bytes, ...]) -> list[str]:
    return ["0x" + address.hex() for address in validators]
