"""The whole way from a freeze to new lanes on two networks with their gateways, by commands alone."""

import json

import pytest

from light_clients.errors import Misbehaviour
from light_clients.families import header_hash
from relay.cli.application import run
from relay.registry.chains import chain_named, open_chain
from relay.steps.freeze import freeze_chain
from relay.store import Lease

pytestmark = pytest.mark.live


@pytest.fixture
def command(hub, capsys):
    """Runs a command on the hub and returns what it says, as JSON."""

    def call(*words):
        capsys.readouterr()
        assert run([*words, "--home", str(hub.home.folder), "--json"]) == 0
        return json.loads(capsys.readouterr().out)

    return call


def done(recovery):
    return [step["name"] for step in recovery["steps"] if step["done"]]


def newest(store, name):
    """The newest header and its number, from the ledger itself."""
    ledger = open_chain(chain_named(store, name))
    try:
        height = ledger.tip()
        return height, ledger.headers(height, height)[0]
    finally:
        ledger.close()


def test_officers_are_walked_from_the_freeze_to_new_lanes(hub, command, sealed, other):
    hub.add("alpha", sealed.url)
    hub.add("beta", other.url)
    command("lane", "open", "alpha", "beta", "--both")
    height, header = newest(hub.store, "alpha")
    accusation = Misbehaviour(f"Two blocks of height {height} are sealed.", height=height, evidence=(header, header))
    freeze_chain(Lease.take(hub.store, "chain", "alpha"), chain_named(hub.store, "alpha"), accusation)

    shown = command("recover", "alpha")
    assert (shown["state"], done(shown), len(shown["lanes"])) == ("frozen", ["reconcile"], 2)
    assert shown["incident"]["hash_a"] == header_hash("qbft", header).hex0x()

    for step, already in ((1, ["pause", "reconcile"]), (3, ["pause", "reconcile", "close"])):
        for words in shown["steps"][step]["commands"]:
            command(*words.split()[1:])
        shown = command("recover", "alpha")
        assert done(shown) == already, step

    height, header = newest(hub.store, "alpha")
    shown = command("recover", "alpha", "--pin", f"{height}:{header_hash('qbft', header).hex0x()}")
    assert (shown["state"], done(shown)) == ("active", ["look", "pause", "reconcile", "close", "pin"])
    assert chain_named(hub.store, "alpha").pinned_height == height

    for words in shown["steps"][5]["commands"]:
        command(*words.replace("NEW", "again").split()[1:])
    shown = command("recover", "alpha")
    assert done(shown) == ["look", "pause", "reconcile", "close", "pin", "reopen"]
    assert {lane["reopened"] for lane in shown["lanes"]} == {"again"}
