"""The folder of a simulated channel: authorities, certificates and keys of clients (mode 600), and the network file of the adapter.

Everything is new at each start; keys of peers and orderers never leave the process.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from adapters.fabric.simulator.authorities import Authority, Organisation, key_pem, write_private
from adapters.fabric.simulator.configuration import (
    CLIENT,
    Group,
    Item,
    byzantine_policy,
    implicit,
    meta_policies,
    organisation_group,
    unchanged,
)
from adapters.fabric.simulator.nodes import Node, TlsMaterial
from adapters.fabric.simulator.ordering import Consenter
from adapters.fabric.simulator.wire import message
from light_clients.fabric.config_block import FLAT, RAFT, SMART_BFT


def tls_material(
    authority: Authority, domain: str, host: str, client_roots: bytes = b"", not_after: datetime | None = None
) -> TlsMaterial:
    """A new key and certificate of a host."""
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = authority.issue(domain, host, key.public_key(), hosts=(host,), not_after=not_after)
    return TlsMaterial(key_pem(key), certificate.public_bytes(Encoding.PEM), client_roots)


def write_client(folder: Path, organisation: Organisation, *, mutual: bool, not_after: datetime | None = None) -> None:
    """Write the certificate and key of a client that reads, and those of its TLS where that is mutual."""
    identity = organisation.identity(CLIENT, "reader", not_after)
    write_private(folder / "key.pem", key_pem(identity.key))
    write_private(folder / "cert.pem", identity.certificate.public_bytes(Encoding.PEM))
    if mutual:
        tls = tls_material(organisation.tls, organisation.domain, f"client.{organisation.domain}")
        write_private(folder / "tls_key.pem", tls.key)
        write_private(folder / "tls_cert.pem", tls.certificate)


def write_network(
    folder: Path,
    channel: str,
    organisations: Iterable[Organisation],
    peers: Iterable[tuple[Organisation, Node]],
    orderers: Iterable[tuple[Organisation, Node]],
) -> Path:
    """Write `network.json` and the roots that it names; gives its path."""
    members = list(organisations)
    nodes: dict[str, list[dict[str, Any]]] = {}
    for kind, items in (("peers", peers), ("orderers", orderers)):
        nodes[kind] = [
            {
                "url": node.url,
                "msp_id": organisation.msp_id,
                "tls_name": node.name,
                "tls_roots": f"{organisation.msp_id}/tlsca.pem",
            }
            for organisation, node in items
        ]
    for organisation in members:
        write_private(folder / organisation.msp_id / "ca.pem", organisation.members.pem)
        write_private(folder / organisation.msp_id / "tlsca.pem", organisation.tls.pem)
        revoked = organisation.members.revocation_list(organisation.revoked)
        write_private(folder / organisation.msp_id / "crl.pem", revoked)
    described = [
        {"msp_id": each.msp_id, "roots": [f"{each.msp_id}/ca.pem"], "revocation_lists": [f"{each.msp_id}/crl.pem"]}
        for each in members
    ]
    text = json.dumps({"channel": channel, "organisations": described, **nodes}, indent=2)
    return write_private(folder / "network.json", text.encode())


def orderers_value(consenters: Sequence[Consenter]) -> bytes:
    """`common.Orderers`: the consenters of SmartBFT."""
    return message(
        *(
            (
                1,
                message(
                    (1, each.number),
                    (2, each.host),
                    (4, each.identity.msp_id),
                    (5, each.identity.certificate.public_bytes(Encoding.PEM)),
                ),
            )
            for each in consenters
        )
    )


def channel_group(
    organisations: Sequence[Organisation], ordering: Organisation, consenters: Sequence[Consenter], *, byzantine: bool
) -> Group:
    """The tree of the first configuration."""
    policy = byzantine_policy([each.identity.serialized for each in consenters])
    orderer = Group(
        groups={"OrdererOrg": organisation_group(ordering.msp_id, ordering.content)},
        values={
            "ConsensusType": Item(message((1, SMART_BFT if byzantine else RAFT))),
            "BatchSize": Item(message((1, 100))),
            **({"Orderers": Item(orderers_value(consenters))} if byzantine else {}),
        },
        policies={
            **meta_policies(),
            "BlockValidation": Item(policy if byzantine else implicit("Writers", 0)),
        },
    )
    application = Group(
        groups={each.msp_id: organisation_group(each.msp_id, each.content) for each in organisations},
        policies={
            **meta_policies(),
            "Endorsement": Item(implicit("Endorsement", 2)),
            "LifecycleEndorsement": Item(implicit("Endorsement", 2)),
        },
    )
    return Group(
        groups={"Orderer": orderer, "Application": application},
        values={
            "HashingAlgorithm": Item(message((1, "SHA256"))),
            "BlockDataHashingStructure": Item(message((1, FLAT))),
        },
        policies=meta_policies(),
    )


def with_organisation(root: Group, organisation: Organisation) -> tuple[Group, Group, Group]:
    """An organisation more among the applications': the whole tree after it, the update's read set and its write set."""
    application = root.at("Application")
    new = organisation_group(organisation.msp_id, organisation.content)
    listed = {name: Group(group.version, guard="") for name, group in application.groups.items()}
    values, policies = unchanged(application.values), unchanged(application.policies)
    read = Group(root.version, {"Application": Group(application.version, listed, values, policies, "")}, guard="")
    written = Group(application.version + 1, {**listed, organisation.msp_id: new}, values, policies)
    write = Group(root.version, {"Application": written}, guard="")
    after = root.changed(
        ("Application",),
        lambda group: Group(
            group.version + 1, {**group.groups, organisation.msp_id: new}, group.values, group.policies, group.guard
        ),
    )
    return after, read, write


def with_values(
    root: Group, place: tuple[str, ...], values: dict[str, bytes], policies: dict[str, bytes]
) -> tuple[Group, Group, Group]:
    """Other contents of values and policies of a group: the whole tree after it, the update's read set and its write set."""

    def renewed(group: Group, source: Group) -> Group:
        new_values = {name: Item(data, source.values[name].version + 1) for name, data in values.items()}
        new_policies = {name: Item(data, source.policies[name].version + 1) for name, data in policies.items()}
        return Group(
            group.version,
            group.groups,
            {**group.values, **new_values},
            {**group.policies, **new_policies},
            group.guard,
        )

    source, read = root.at(*place), root.frame(*place)
    write = read.changed(place, lambda group: renewed(group, source))
    return root.changed(place, lambda group: renewed(group, source)), read, write
