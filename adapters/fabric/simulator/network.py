"""A whole channel in this process: organisations with peers, orderers, configurations, chaincodes (a simulator, for tests and trials)."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from adapters.fabric.identities import SigningIdentity
from adapters.fabric.npm import chaincode_folder, find_node
from adapters.fabric.proposals import propose, transaction_envelope
from adapters.fabric.simulator.authorities import Authority, Organisation
from adapters.fabric.simulator.chaincodes import ChaincodeService
from adapters.fabric.simulator.configuration import ADMIN, CLIENT, ORDERER, PEER, Group, byzantine_policy
from adapters.fabric.simulator.endorser import Endorser
from adapters.fabric.simulator.material import (
    channel_group,
    orderers_value,
    tls_material,
    with_organisation,
    with_values,
    write_client,
    write_network,
)
from adapters.fabric.simulator.nodes import Node, Orderer, Peer, switch_handler
from adapters.fabric.simulator.ordering import Consenter, OrderingService
from adapters.fabric.simulator.state import VALID, PeerState
from adapters.fabric.simulator.wire import message
from adapters.fabric.stubs import relayhub_fabric_pb2 as messages
from adapters.loopback_ports import free_port
from light_clients.fabric.executions import LIFECYCLE

SOFTWARE = "Relay Hub simulator of Hyperledger Fabric"
PATIENCE_S = 60.0


class FabricNetwork:
    """A simulated channel. Use it as a context."""

    def __init__(
        self,
        folder: Path,
        *,
        channel: str = "trade",
        organisations: int = 2,
        orderers: int = 4,
        consensus: str = "BFT",
        block_interval_s: float = 1.0,
        mutual_tls: bool = False,
        ports: Sequence[int] = (),
    ) -> None:
        """Make the material of a channel; `start` listens.

        Args:
            folder: for the network file, certificates and clients' keys; made anew.
            channel: its name.
            organisations: how many have a peer.
            orderers: how many consenters there are.
            consensus: `BFT` or `etcdraft`.
            block_interval_s: seconds that transactions wait for a block.
            mutual_tls: whether nodes ask clients for certificates.
            ports: of the peers, then of the orderers; chosen where none are given.
        """
        self.folder = folder
        self.channel = channel
        self.mutual_tls = mutual_tls
        self.block_interval_s = block_interval_s
        self._ports = list(ports)
        self._processes: list[subprocess.Popen[str]] = []
        self._addresses: dict[str, str] = {}
        self.organisations = [
            Organisation.new(f"Org{number}MSP", f"org{number}.example") for number in range(1, organisations + 1)
        ]
        self.ordering = Organisation.new("OrdererMSP", "orderers.example")
        self.admins = {each.msp_id: each.identity(ADMIN, "admin") for each in (*self.organisations, self.ordering)}
        byzantine = consensus == "BFT"
        consenters = [self._consenter(number) for number in range(1, orderers + 1)]
        root = channel_group(self.organisations, self.ordering, consenters, byzantine=byzantine)
        self.service = OrderingService(channel, root, consenters, byzantine=byzantine, interval_s=block_interval_s)
        self.peers: list[Peer] = [self._peer(each) for each in self.organisations]
        self.orderers = [self._orderer(each) for each in consenters]
        shutil.rmtree(folder / "certificates", ignore_errors=True)
        (folder / "certificates").mkdir(parents=True)
        write_client(folder / "reader", self.organisations[0], mutual=mutual_tls)
        self.write_network()

    def __enter__(self) -> Self:
        """Listen."""
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End everything that was started."""
        self.close()

    def start(self) -> None:
        """Listen at every node and begin to make blocks."""
        self.service.start()
        for peer in self.peers:
            peer.start()
        for orderer in self.orderers:
            orderer.node.start()
        for peer in self.peers:
            self.wait_for_height(1, peer)

    def close(self) -> None:
        """End everything that was started."""
        self.service.stop()
        for peer in self.peers:
            peer.stop()
            for service in peer.endorser.services.values():
                service.close()
        for orderer in self.orderers:
            orderer.node.stop()
        for process in self._processes:
            process.terminate()
            process.wait()
            for stream in (process.stdin, process.stdout, process.stderr):
                if stream is not None:
                    stream.close()

    @property
    def options(self) -> dict[str, str]:
        """The adapter's options."""
        found = {
            "network": str(self.folder / "network.json"),
            "reader": str(self.folder / "reader"),
            "certificates": str(self.folder / "certificates"),
        }
        if self.mutual_tls:
            found["tls_certificate"] = str(self.folder / "reader" / "tls_cert.pem")
            found["tls_key"] = str(self.folder / "reader" / "tls_key.pem")
        return found

    @property
    def endpoints(self) -> list[str]:
        """The peers' URLs."""
        return [peer.node.url for peer in self.peers]

    def write_network(self) -> None:
        """Write the network file again, after organisations or orderers changed."""
        by_name = {each.msp_id: each for each in self.organisations}
        write_network(
            self.folder,
            self.channel,
            [*self.organisations, self.ordering],
            [(by_name[peer.msp_id], peer.node) for peer in self.peers],
            [(self.ordering, orderer.node) for orderer in self.orderers],
        )

    def wait_for_height(self, height: int, peer: Peer | None = None) -> None:
        """Wait until a peer, or each one that is up, has so many blocks.

        Raises:
            TimeoutError: it has not after a minute.
        """
        for each in [peer] if peer else self.peers:
            with each.state.changed:
                if not each.state.changed.wait_for(lambda: each.state.height >= height, PATIENCE_S):  # noqa: B023
                    raise TimeoutError(f"{each.node.name} has no block {height - 1}")

    def start_chaincode(self, name: str, version: str = "1.0", environment: Mapping[str, str] | None = None) -> None:
        """Start the hub's gateway chaincode in Node under a name, and commit its definition."""
        address = f"127.0.0.1:{free_port()}"
        given = {
            "CHAINCODE_ID": f"{name}:{version}",
            "CHAINCODE_SERVER_ADDRESS": address,
            "CHAINCODE_WATCH_INPUT": "true",  # it ends with this process, however that ends
            **(environment or {}),
        }
        process = subprocess.Popen(
            [find_node(), "index.js"],
            cwd=chaincode_folder(),
            env={**os.environ, **given},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self._processes.append(process)
        if process.stdout is None or not process.stdout.readline():
            raise RuntimeError("the chaincode's service did not start")
        self.install(name, version, address)

    def install(self, name: str, version: str, address: str, policy: bytes | None = None, sequence: int = 1) -> int:
        """Connect every peer to a chaincode's service and commit its definition; gives the number of its block.

        Args:
            name: of the chaincode.
            version: of the chaincode.
            address: of its service, HOST:PORT.
            policy: `ApplicationPolicy`; the channel's Endorsement where none is given.
            sequence: of the definition.
        """
        self._addresses[name] = address
        for peer in self.peers:
            previous = peer.endorser.services.get(name)
            if previous is not None:
                previous.close()
            self._services(peer)[name] = ChaincodeService(name, address)
        arguments = messages.CommitChaincodeDefinitionArgs(
            sequence=sequence,
            name=name,
            version=version,
            endorsement_plugin="escc",
            validation_plugin="vscc",
            validation_parameter=policy or message((2, "/Channel/Application/Endorsement")),
        )
        return self.submit(LIFECYCLE, b"CommitChaincodeDefinition", arguments.SerializeToString())

    def address_of(self, chaincode: str) -> str:
        """Where a chaincode's service listens, HOST:PORT.

        Raises:
            KeyError: it was not installed.
        """
        return self._addresses[chaincode]

    def submit(
        self,
        chaincode: str,
        *arguments: bytes,
        peers: Sequence[Peer] | None = None,
        as_member: SigningIdentity | None = None,
    ) -> int:
        """Endorse a transaction at peers (or each one), order it and wait for its block.

        Returns:
            The number of its block.

        Raises:
            ValueError: it is not endorsed, or the peers find it invalid; the text says why.
        """
        identity = as_member or next(iter(self.admins.values()))
        proposal = propose(identity, self.channel, chaincode, arguments, os.urandom(24), time.time_ns())
        answers = [peer.endorser.process(proposal.signed(identity)) for peer in peers or self.peers]
        for answer in answers:
            if answer.response.status != 200:
                raise ValueError(answer.response.message)
        pairs = [(answer.endorsement.endorser, answer.endorsement.signature) for answer in answers]
        self.service.submit(transaction_envelope(identity, proposal, answers[0].payload, pairs))
        state = self.peers[0].state
        identifier = proposal.transaction.hex()
        with state.changed:
            state.changed.wait_for(lambda: identifier in state.transactions, PATIENCE_S)
        number, _, code = state.transactions[identifier]
        self.wait_for_height(number + 1)
        if code != VALID:
            raise ValueError(f"the transaction is invalid: code {code}")
        return number

    def add_organisation(self) -> Peer:
        """Take one organisation more into the channel, with a peer that runs the same chaincodes."""
        number = len(self.organisations) + 1
        organisation = Organisation.new(f"Org{number}MSP", f"org{number}.example")
        change = with_organisation(self.service.root, organisation)
        self._reconfigure(*change, signers=[self.admins[each.msp_id] for each in self.organisations])
        self.organisations.append(organisation)
        self.admins[organisation.msp_id] = organisation.identity(ADMIN, "admin")
        peer = self._peer(organisation)
        for name, address in self._addresses.items():
            self._services(peer)[name] = ChaincodeService(name, address)
        self.peers.append(peer)
        peer.start()
        self.write_network()
        self.wait_for_height(len(self.service.blocks), peer)
        return peer

    def add_orderer(self) -> Orderer:
        """Take one consenter of SmartBFT more into the channel."""
        following = [*self.service.consenters, self._consenter(len(self.service.consenters) + 1)]
        values = {"Orderers": orderers_value(following)}
        policies = {"BlockValidation": byzantine_policy([each.identity.serialized for each in following])}
        change = with_values(self.service.root, ("Orderer",), values, policies)
        self._reconfigure(*change, signers=[self.admins[self.ordering.msp_id]], consenters=following)
        orderer = self._orderer(following[-1])
        orderer.node.start()
        self.orderers.append(orderer)
        self.write_network()
        return orderer

    def revoke(self, certificate_serial: int, msp_id: str) -> None:
        """Have an organisation take a certificate back, in a configuration that its administrator signs."""
        organisation = next(each for each in self.organisations if each.msp_id == msp_id)
        organisation.revoked.append(certificate_serial)
        values = {"MSP": message((2, organisation.content))}
        change = with_values(self.service.root, ("Application", msp_id), values, {})
        self._reconfigure(*change, signers=[self.admins[msp_id]])
        self.write_network()

    def endow(self, public_keys: Sequence[str], msp_id: str = "") -> list[str]:
        """Certificates of clients in PEM for public keys (65 bytes in hexadecimal): a development-only authority."""
        organisation = next((each for each in self.organisations if each.msp_id == msp_id), self.organisations[0])
        issued = []
        for text in public_keys:
            key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), bytes.fromhex(text))
            certificate, _ = organisation.member(CLIENT, f"client-{text[2:14]}", key)
            issued.append(certificate.public_bytes(Encoding.PEM).decode())
        return issued

    def show_certificate(self, node: Node, kind: str) -> None:
        """Have a node show another TLS certificate: `good`, `expired`, `wrong_authority` or `wrong_name`."""
        domain = node.name.partition(".")[2]
        own = next(each for each in (*self.organisations, self.ordering) if each.domain == domain)
        authority = Authority.new(domain, "somebody else") if kind == "wrong_authority" else own.tls
        host = f"other.{domain}" if kind == "wrong_name" else node.name
        ended = datetime.now(UTC) - timedelta(hours=1) if kind == "expired" else None
        node.show(tls_material(authority, domain, host, self._client_roots(), ended))

    def node(self, name: str) -> Node:
        """A peer or orderer by its host name.

        Raises:
            KeyError: there is none.
        """
        nodes = [*(peer.node for peer in self.peers), *(orderer.node for orderer in self.orderers)]
        return {node.name: node for node in nodes}[name]

    def _reconfigure(
        self,
        after: Group,
        read: Group,
        write: Group,
        signers: Sequence[SigningIdentity],
        consenters: Sequence[Consenter] | None = None,
    ) -> None:
        update = message((1, self.channel), (2, read.encoded()), (3, write.encoded()))
        made = []
        for signer in signers:
            header = message((1, signer.serialized), (2, os.urandom(24)))
            made.append(message((1, header), (2, signer.sign(header + update))))
        header = message((1, message((1, 2), (4, self.channel))), (2, b""))
        envelope = message((1, message((1, header), (2, message((1, update), *((2, item) for item in made))))))
        number = self.service.reconfigure(after, envelope, consenters)
        self.wait_for_height(number + 1, self.peers[0])

    def _client_roots(self) -> bytes:
        return b"".join(each.tls.pem for each in (*self.organisations, self.ordering)) if self.mutual_tls else b""

    def _node(self, organisation: Organisation, host: str) -> Node:
        port = self._ports.pop(0) if self._ports else free_port()
        node = Node(host, port, tls_material(organisation.tls, organisation.domain, host, self._client_roots()))
        node.unary("relayhub.simulator.Switches", "Act", switch_handler(self._act), whatever_faults=True)
        return node

    def _consenter(self, number: int) -> Consenter:
        host = f"orderer{number}.{self.ordering.domain}"
        return Consenter(number, self.ordering.identity(ORDERER, host), host)

    def _orderer(self, consenter: Consenter) -> Orderer:
        return Orderer(self._node(self.ordering, consenter.host), self.service, lambda: self.peers[0].state.config)

    def _peer(self, organisation: Organisation) -> Peer:
        state = PeerState(self.channel)
        endorser = Endorser(state, organisation.identity(PEER, "peer0"), {})
        node = self._node(organisation, f"peer0.{organisation.domain}")
        return Peer(node, organisation.msp_id, state, endorser, self.service)

    def _services(self, peer: Peer) -> dict[str, ChaincodeService]:
        services = peer.endorser.services
        if not isinstance(services, dict):
            raise TypeError("a peer's chaincodes are fixed")
        return services

    def _act(self, asked: dict[str, Any]) -> Any:
        """The development-only method: `about`, `endow`, `faults`, `certificate`, `add-organisation`, `add-orderer`."""
        kind = asked["do"]
        if kind == "about":
            return {"software": SOFTWARE, "channel": self.channel}
        if kind == "endow":
            return {"certificates": self.endow(asked["keys"], asked.get("msp_id", ""))}
        if kind == "faults":
            faults = self.node(asked["node"]).faults
            faults.heal()
            faults.set(**asked.get("set", {}))
            return {}
        if kind == "certificate":
            self.show_certificate(self.node(asked["node"]), asked["kind"])
            return {}
        if kind == "add-organisation":
            return {"node": self.add_organisation().node.name}
        if kind == "add-orderer":
            return {"node": self.add_orderer().node.name}
        raise ValueError(f"there is no switch {kind!r}")
