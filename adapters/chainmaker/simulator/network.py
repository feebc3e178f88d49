"""A simulated ChainMaker network: organisations with a node each, a chain, and a clock that makes its blocks.

`with ChainMakerNetwork(folder) as network:` starts it in this process. Everything listens on 127.0.0.1 and forgets its state at
the end; the folder has all material, made anew at every start.
"""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

from adapters.chainmaker.keys import P256
from adapters.chainmaker.names import account_address
from adapters.chainmaker.simulator.access import INVOKE
from adapters.chainmaker.simulator.authority import Issued, authority, issue, new_key, revocation_list
from adapters.chainmaker.simulator.chain import Chain
from adapters.chainmaker.simulator.material import (
    TLS_NAME,
    Organisation,
    client_options,
    new_organisation,
    write_organisation,
)
from adapters.chainmaker.simulator.node import DevelopmentDesk, Node
from adapters.chainmaker.stubs import chainmaker_pb2 as pb
from adapters.loopback_ports import free_port
from adapters.solidity.machine import Machine
from adapters.solidity.machine.platforms import CHAINMAKER_2_3_2, CHAINMAKER_2_3_2_SM, chainmaker_chain_number
from light_clients.crypto.x509_types import Scheme

Suite = Literal["ecc", "sm"]
HASHES: dict[Suite, tuple[str, Scheme]] = {"ecc": ("SHA256", "p256-sha256"), "sm": ("SM3", "sm2-sm3")}
PROFILES = {"ecc": CHAINMAKER_2_3_2, "sm": CHAINMAKER_2_3_2_SM}
ADMINISTRATION_S = 30.0
"""How long a change of the configuration may wait for its block."""

TlsFault = Literal["", "expired", "other-authority", "other-name"]


class ChainMakerNetwork:
    """A network of nodes that share one chain.

    Attributes:
        folder: where its material stands.
        chain: the chain.
        nodes: the nodes, by the order of their organisations.
    """

    def __init__(
        self,
        folder: Path,
        *,
        chain: str = "chain1",
        suite: Suite = "ecc",
        organisations: int = 4,
        block_interval_s: float = 1.0,
        port: int = 0,
    ) -> None:
        """Make keys, certificates and the first block; nothing listens yet.

        Args:
            folder: for the material; made where it is missing.
            chain: the chain's name.
            suite: `ecc` (P-256 and SHA-256) or `sm` (SM2 and SM3).
            organisations: at least one, each with a consensus node.
            block_interval_s: seconds between blocks, 0 for blocks on demand (`produce`).
            port: of the first node; the others have the ports behind it. 0: free ones.
        """
        self.folder, self.suite = folder, suite
        self._interval_s = block_interval_s
        hash_name, self._scheme = HASHES[suite]
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        made = [new_organisation(_organisation_name(number), self._scheme) for number in range(1, organisations + 1)]
        machine = Machine(replace(PROFILES[suite], chain_number=chainmaker_chain_number(chain)))
        self.chain = Chain(chain, hash_name, made, machine)
        for organisation in made:
            write_organisation(folder, organisation)
        self._desk = DevelopmentDesk(self.certify, self.switch)
        self.nodes = [
            Node(self.chain, organisation, port + number if port else free_port(), self._desk)
            for number, organisation in enumerate(made)
        ]
        self._stop = threading.Event()
        self._clock: threading.Thread | None = None
        self._numbers = 0

    def __enter__(self) -> Self:
        """Start every node and the clock."""
        for node in self.nodes:
            node.start(self._client_roots())
        if self._interval_s:
            self._clock = threading.Thread(target=self._tick, name="chainmaker-simulator", daemon=True)
            self._clock.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop everything."""
        self._stop.set()
        if self._clock is not None:
            self._clock.join()
        for node in self.nodes:
            node.stop()

    @property
    def endpoints(self) -> list[str]:
        """URLs of the nodes."""
        return [node.endpoint for node in self.nodes]

    def options(self, organisation: int = 0) -> dict[str, str]:
        """The adapter's options for the client of an organisation."""
        name = self.nodes[organisation].organisation.name
        return client_options(self.folder, self.chain.name, name)

    def produce(self, *, empty: bool = False) -> bool:
        """Make a block of what waits; see `Chain.produce`."""
        return self.chain.produce(empty=empty)

    # Nodes

    def stop_node(self, number: int) -> None:
        """A node goes down: it neither answers nor votes."""
        self.chain.absent.add(self.nodes[number].organisation.name)
        self.nodes[number].stop()

    def start_node(self, number: int, *, tls: TlsFault = "") -> None:
        """A node comes back, perhaps with a TLS certificate that no client should take."""
        node = self.nodes[number]
        self.chain.absent.discard(node.organisation.name)
        node.tls = self._tls_of(node.organisation, tls)
        node.start(self._client_roots())

    # The consortium

    def add_organisation(self) -> Organisation:
        """A new organisation comes with its authority and its node, by two changes of the configuration."""
        made = new_organisation(_organisation_name(len(self.chain.organisations) + 1), self._scheme)
        self.chain.organisations[made.name] = made
        write_organisation(self.folder, made)
        root = made.root.pem
        self.administer("CHAIN_CONFIG", "TRUST_ROOT_ADD", {"org_id": made.name.encode(), "root": root})
        node_ids = made.node_id.encode()
        self.administer("CHAIN_CONFIG", "NODE_ORG_ADD", {"org_id": made.name.encode(), "node_ids": node_ids})
        node = Node(self.chain, made, free_port(), self._desk)
        node.start(self._client_roots())
        self.nodes.append(node)
        return made

    def remove_organisation(self, number: int) -> None:
        """The node of an organisation decides no more; the node itself goes on serving."""
        name = self.nodes[number].organisation.name.encode()
        self.administer("CHAIN_CONFIG", "NODE_ORG_DELETE", {"org_id": name})

    def revoke(self, certificate: Issued, organisation: Organisation) -> None:
        """The consortium takes a list on which an organisation's authority revokes a certificate."""
        revoked = revocation_list(organisation.root, [certificate.serial])
        self.administer("CERT_MANAGE", "CERTS_REVOKE", {"cert_crl": revoked})

    def freeze(self, certificate: bytes, *, thaw: bool = False) -> None:
        """The consortium freezes a certificate (PEM), or thaws it."""
        self.administer("CERT_MANAGE", "CERTS_UNFREEZE" if thaw else "CERTS_FREEZE", {"certs": certificate})

    def administer(self, contract: str, method: str, parameters: dict[str, bytes]) -> pb.Result:
        """Send a call that every organisation's administrator endorses, and wait for its block.

        Raises:
            RuntimeError: it failed, or did not come into a block.
        """
        request = self._administration(contract, method, parameters)
        self.chain.take(request)
        ends = time.monotonic() + ADMINISTRATION_S
        tx_id = request.payload.tx_id
        while (place := self.chain.place(tx_id)) is None and time.monotonic() < ends:
            if not self._interval_s:
                self.produce()
            with self.chain.grown:
                self.chain.grown.wait(0.05)
        if place is None:
            raise RuntimeError(f"{contract}.{method} came into no block; too few nodes vote.")
        result = self.chain.block(place[0]).block.txs[place[1]].result
        if result.code:
            raise RuntimeError(f"{contract}.{method} failed: {result.contract_result.message}")
        return result

    def _administration(self, contract: str, method: str, parameters: dict[str, bytes]) -> pb.TxRequest:
        self._numbers += 1
        request = pb.TxRequest()
        payload = request.payload
        payload.chain_id, payload.tx_type, payload.timestamp = self.chain.name, INVOKE, int(time.time())
        payload.tx_id = f"administration{self._numbers:050d}"
        payload.contract_name, payload.method = contract, method
        payload.sequence = self.chain.config.sequence + 1 if contract == "CHAIN_CONFIG" else 0
        for key, value in parameters.items():
            payload.parameters.add(key=key, value=value)
        signed = payload.SerializeToString()
        members = [self.chain.organisations[root.org_id] for root in self.chain.config.trust_roots]
        request.endorsers.extend(member.endorse(member.admin, signed) for member in members)
        request.sender.CopyFrom(members[0].endorse(members[0].admin, signed))
        return request

    # Development

    def certify(self, public_key: bytes, name: str) -> bytes:
        """A client's certificate (PEM) of the first organisation for a public key; for development networks only."""
        first = self.nodes[0].organisation
        label = name or f"client.{account_address(public_key).hex()}"
        made = issue(first.root, first.root.key, first.name, "client", label, public=public_key)
        return made.pem

    def switch(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Flip switches from another process, and say what is set.

        Args:
            asked: `node` (a number) with `faults` (`failure`, `lag`, `fork`, `lies`), `down` or `up` (with `tls`); or
                `add_organisation`, `remove_organisation` (a number), `freeze` or `thaw` (PEM).
        """
        if "node" in asked:
            node = self.nodes[int(asked["node"])]
            told = asked.get("faults")
            if told is not None:
                node.faults.clear()
                node.faults.failure, node.faults.lies = str(told.get("failure", "")), set(told.get("lies", ()))
                node.faults.lag, node.faults.fork = int(told.get("lag", 0)), int(told.get("fork", -1))
            if asked.get("down"):
                threading.Thread(target=self.stop_node, args=(int(asked["node"]),)).start()
            if asked.get("up"):
                self.start_node(int(asked["node"]), tls=asked.get("tls", ""))
        if asked.get("add_organisation"):
            self.add_organisation()
        if "remove_organisation" in asked:
            self.remove_organisation(int(asked["remove_organisation"]))
        for word in ("freeze", "thaw"):
            if word in asked:
                self.freeze(str(asked[word]).encode(), thaw=word == "thaw")
        return {
            "endpoints": self.endpoints,
            "height": self.chain.height,
            "nodes": [nodes.org_id for nodes in self.chain.config.consensus.nodes],
            "faults": [
                {
                    "failure": node.faults.failure,
                    "lag": node.faults.lag,
                    "fork": node.faults.fork,
                    "lies": sorted(node.faults.lies),
                }
                for node in self.nodes
            ],
        }

    def _tick(self) -> None:
        while not self._stop.wait(self._interval_s):
            self.produce()

    def _client_roots(self) -> bytes:
        return b"".join(organisation.tls_root.pem for organisation in self.chain.organisations.values())

    def _tls_of(self, organisation: Organisation, fault: TlsFault) -> Issued:
        if not fault:
            return organisation.node_tls
        issuer = authority(P256, organisation.name) if fault == "other-authority" else organisation.tls_root
        return issue(
            issuer,
            new_key(P256),
            organisation.name,
            "ChainMaker",
            f"consensus1.tls.{organisation.name}",
            names=("another.example",) if fault == "other-name" else (TLS_NAME, "localhost"),
            usage="tls",
            years=-0.1 if fault == "expired" else 5,
            began_s_ago=30 * 24 * 3600,
        )


def _organisation_name(number: int) -> str:
    return f"wx-org{number}.chainmaker.org"
