"""Operators at work where committees check SM2: they find the scheme by themselves, and one without the key says so."""

import pytest
from sqlalchemy import select, update

from adapters.memory.adapter import MemoryLedger
from adapters.protocol import MachineTraits
from light_clients.crypto import sm2
from relay.keys import SM2, KeyStore
from relay.store.tables import attestations, claims, committees, operators
from schemas.suites import keccak256
from tests.support.memory_hub import label_key
from tests.support.operator_world import OperatorWorld, wait_until

CHAINMAKER = MachineTraits(signatures="chainmaker-sm2", suite="sm", hashing="solidity")


@pytest.fixture
def world(tmp_path, monkeypatch):
    monkeypatch.setattr(MemoryLedger, "machine", lambda _: CHAINMAKER)
    with OperatorWorld(tmp_path) as world:
        keys = {name: label_key(f"sm2 {name}") for name in world.hub.signers}
        with world.hub.context.store.write() as connection:
            for name, key in keys.items():
                public = sm2.public_key_of(key)
                connection.execute(update(operators).where(operators.c.name == name).values(sm2_key=public))
            seats = ["0x" + keccak256(sm2.public_key_of(key))[12:].hex() for key in keys.values()]
            connection.execute(update(committees).values(signers=seats))
        for name, key in keys.items():
            KeyStore(world.folder / f"operator-{name}").new("second", key, kind=SM2)
        yield world


def test_the_sm2_key_signs_and_an_operator_without_it_refuses_by_name(world, capsys):
    world.start("one", sm2_key_file="second.json")
    world.start("two")
    world.hub.send("alpha", "beta", b"hello")
    world.look()
    wait_until(lambda: len(world.signers()) == 1, "the first signed")
    told = []

    def said():
        told.append(capsys.readouterr().out)
        return "NoKeyOfScheme" in "".join(told)

    wait_until(said, "the second says what it lacks")
    assert world.states() == ["open"]
    assert "sm2_key_file" in "".join(told)
    world.stop("two")
    world.start("two", sm2_key_file="second.json")
    wait_until(lambda: world.states() == ["attested"], "both signed")
    with world.hub.context.store.read() as connection:
        (digest,) = connection.execute(select(claims.c.digest)).scalars()
        signatures = dict(
            connection.execute(
                select(operators.c.name, attestations.c.signature).join(
                    attestations, attestations.c.signer == operators.c.signer
                )
            ).all()
        )
    for name, signature in signatures.items():
        assert sm2.verify(sm2.public_key_of(label_key(f"sm2 {name}")), digest, signature)
