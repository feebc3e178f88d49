"""A whole simulated network in this process: four sealers, each with a node that listens on a port of its own."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Self

from eth_abi.abi import encode

from adapters.fisco.simulator.execution import CONSENSUS
from adapters.fisco.simulator.faults import Faults
from adapters.fisco.simulator.formats import SealedBlock
from adapters.fisco.simulator.keys import SealerKey, new_key
from adapters.fisco.simulator.ledger import SimulatedLedger
from adapters.fisco.simulator.methods import Methods
from adapters.fisco.simulator.server import NodeServer
from adapters.fisco.simulator.tls import make_certificates, server_context
from adapters.fisco.simulator.web3 import Web3Methods
from adapters.fisco.transactions import Network, sign_call
from adapters.loopback_ports import free_port
from adapters.protocol import Call
from schemas.suites import SUITES

ADMINISTRATOR_GAS = 1_000_000
NO_WEIGHT = 0


class FiscoNetwork:
    """A network of nodes; a context manager that starts and stops it.

    Attributes:
        network: line, suite, chain and group.
        ledger: what the nodes agree on.
        faults: what each node does wrong.
        servers: each node's listener.
    """

    def __init__(
        self,
        folder: Path,
        *,
        line: int,
        national: bool = False,
        group: str = "",
        chain: str = "",
        nodes: int = 4,
        block_interval_s: float = 1.0,
        empty_blocks: bool = False,
        first_port: int = 0,
        tls: bool = False,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Prepare a network; nothing listens yet.

        Args:
            folder: made anew; holds the sealers' keys (mode 600) and the nodes' addresses.
            line: 2 or 3.
            national: SM2 and SM3 in place of secp256k1 and keccak-256.
            group: its name; `1` or `group0` unless said otherwise.
            chain: the chain's; `1` or `chain0` unless said otherwise.
            nodes: sealers, 1 to 32.
            block_interval_s: seconds between looks whether transactions wait; 0 seals only when told.
            empty_blocks: seal without transactions too, which the platform does not.
            first_port: the first node's port, the others follow; 0 for free ones.
            tls: whether nodes listen with TLS and ask for a client's certificate, as line 3 does unless told otherwise.
            clock: Unix seconds.
        """
        default_chain, default_group = ("1", "1") if line == 2 else ("chain0", "group0")
        self.network = Network(line, "sm" if national else "evm", chain or default_chain, group or default_group)
        self.folder = folder
        self.sealers = [new_key(self.network.suite) for _ in range(nodes)]
        self.administrator = new_key(self.network.suite)
        self.ledger = SimulatedLedger(self.network, tuple(self.sealers), clock=clock)
        self.faults = [Faults() for _ in range(nodes)]
        self._interval = block_interval_s
        self._empty = empty_blocks
        self._stop = threading.Event()
        self._sealing = threading.Thread(target=self._seal, daemon=True)
        self._actions = 0
        self._tls_options = make_certificates(folder / "tls") if tls else {}
        context = server_context(folder / "tls") if tls else None
        ports = [first_port + index if first_port else free_port() for index in range(nodes)]
        self.servers = [
            NodeServer(port, Methods(self, index, faults), faults, batches=line == 2, tls=context)
            for index, (port, faults) in enumerate(zip(ports, self.faults, strict=True))
        ]
        web3_port = first_port + nodes if first_port else free_port()
        self._web3 = NodeServer(web3_port, Web3Methods(self.ledger), Faults(), batches=True)

    def __enter__(self) -> Self:
        """Start."""
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop."""
        self.stop()

    @property
    def endpoints(self) -> list[str]:
        """URLs of the nodes."""
        scheme = "https" if self._tls_options else "http"
        return [f"{scheme}://127.0.0.1:{server.port}" for server in self.servers]

    @property
    def web3(self) -> str:
        """URL of the `eth_*` port; only line 3 has one."""
        return f"http://127.0.0.1:{self._web3.port}" if self.network.line == 3 else ""

    @property
    def options(self) -> dict[str, str]:
        """Options of the adapter for this network."""
        network = self.network
        names = {"line": str(network.line), "suite": network.suite, "chain": network.chain, "group": network.group}
        return names | self._tls_options

    @property
    def client_options(self) -> dict[str, Any]:
        """Options of the light client for this network."""
        network = self.network
        names = {"chain_id": network.chain, "group_id": network.group}
        return {"line": network.line, "suite": network.suite, **names}

    def start(self) -> None:
        """Write the folder, listen, seal a first block, which a light client can be pinned to, and seal while transactions wait."""
        self._write_folder()
        for server in self.servers:
            server.start()
        if self.web3:
            self._web3.start()
        self.seal()
        if self._interval:
            self._sealing.start()

    def stop(self) -> None:
        """Stop sealing and listening."""
        self._stop.set()
        self.ledger.close()
        for server in [*self.servers, self._web3]:
            server.stop()

    def stop_node(self, index: int) -> None:
        """Take a node down; its sealer signs nothing."""
        self.servers[index].stop()

    def start_node(self, index: int) -> None:
        """Bring a node back on its port."""
        self.servers[index].start()

    def seal(self, *, empty: bool = True) -> SealedBlock | None:
        """Seal a block now; None where too few sealers are up."""
        return self.ledger.seal_next(self._is_up, empty=empty)

    def add_sealer(self) -> SealerKey:
        """Give the network a further sealer by a call of the consensus precompile; it takes effect with the block after it."""
        sealer = new_key(self.network.suite)
        self.ledger.executor.known[sealer.public] = sealer
        self._consensus("addSealer", sealer, 1)
        return sealer

    def remove_sealer(self, sealer: SealerKey) -> None:
        """Make a sealer none by a call of the consensus precompile."""
        self._consensus("remove", sealer, NO_WEIGHT)

    def switch(self, index: int, name: str, params: Sequence[Any]) -> Any:
        """Flip a switch from another process: `simulator_<name>` of JSON-RPC, which works whatever faults a node has.

        Raises:
            ValueError: there is no such switch, or a parameter cannot be.
        """
        if name == "status":
            return {"height": self.ledger.height, "faults": sorted(self.faults[index].names), **self.options}
        if name == "faults":
            self.faults[index].set(params[0], *params[1:])
            return sorted(self.faults[index].names)
        if name == "seal":
            block = self.seal()
            return None if block is None else block.height
        if name == "stop_node":
            self.stop_node(int(params[0]))
            return True
        if name == "start_node":
            self.start_node(int(params[0]))
            return True
        if name == "add_sealer":
            return self.add_sealer().public.hex()
        if name == "remove_sealer":
            node = bytes.fromhex(params[0])
            self.remove_sealer(self.ledger.executor.known[node])
            return True
        raise ValueError("there is no such switch")

    def _consensus(self, function: str, sealer: SealerKey, weight: int) -> None:
        weighted = self.network.line == 3 and function == "addSealer"
        types, values = (["string", "uint256"], [weight]) if weighted else (["string"], [])
        selector = SUITES[self.network.suite].hash(f"{function}({','.join(types)})".encode())[:4]
        data = selector + encode(types, [sealer.public.hex(), *values])
        call = Call(CONSENSUS, data, ADMINISTRATOR_GAS)
        self._actions += 1
        limit = self.ledger.height + 500
        private = self.administrator.private
        signed = sign_call(self.network, private, nonce=self._actions, call=call, fee=0, block_limit=limit)
        self.ledger.submit(signed.raw)

    def _is_up(self, sealer: SealerKey) -> bool:
        """A sealer without a node of its own (one that was added) is always up."""
        keys = [known.public for known in self.sealers]
        return sealer.public not in keys or self.servers[keys.index(sealer.public)].is_up

    def _seal(self) -> None:
        while not self._stop.wait(self._interval):
            self.ledger.seal_next(self._is_up, empty=self._empty)

    def _write_folder(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        keys = self.folder / "sealers.keys"
        keys.unlink(missing_ok=True)
        keys.touch(mode=0o600)
        keys.write_text("".join(f"{sealer.public.hex()} {sealer.private.hex()}\n" for sealer in self.sealers))
        public = {"endpoints": self.endpoints, "sealers": [sealer.public.hex() for sealer in self.sealers]}
        (self.folder / "network.json").write_text(json.dumps(public, indent=2) + "\n")
