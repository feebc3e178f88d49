"""The soak over unlike ledgers: its parts are tried without a hub, against switches that are told and answers that are made up."""

import json
import random
from collections import Counter
from types import SimpleNamespace

import pytest

import tests.soak.__main__ as soak_command
from adapters.fisco.simulator.network import FiscoNetwork
from adapters.protocol import MessageDelivered, Position, Unreachable
from relay.demo.balance import Proved
from relay.demo.mesh.ledgers import KINDS as LEDGERS
from relay.observer import Entry, History, Track
from schemas.claim import Direction
from schemas.outcome import Status
from schemas.primitives import Head, LaneId, MessageId
from schemas.suites import EVM
from tests.soak import unlike, unlike_faults
from tests.soak.unlike import Sender, Unlike, check_runs, pairs_of

NOWHERE = Position(1, b"\x01" * 32, b"\x02" * 32, 0)


def proved(*answers, status=Status.EXECUTED):
    """A ledger whose receiver gave these answers to the messages of one lane."""
    lane = LaneId(b"\x11" * 32)
    entries = [
        Entry(
            nonce,
            MessageDelivered(lane, nonce, MessageId(b"\x05" * 32), status, answer, NOWHERE),
            bytes(32),
            Head(b"\x06" * 32),
        )
        for nonce, answer in enumerate(answers, 1)
    ]
    track = Track(lane, Direction.OUTCOMES, EVM, 0, Head(b"\x06" * 32))
    return Proved("one", 1, 2, {(lane, Direction.OUTCOMES): History(track, entries)}, {})


def counted(number):
    return number.to_bytes(32, "big")


def test_a_receiver_that_ran_once_for_each_message_holds():
    check_runs("one", proved(counted(1), counted(3), bytes(64) + counted(2)))
    check_runs("one", proved(b"why not", status=Status.FAILED))


@pytest.mark.parametrize("answers", [(1, 3), (1, 1), (2,)])
def test_a_message_that_ran_twice_or_without_an_outcome_is_found(answers):
    with pytest.raises(AssertionError, match="otherwise than once"):
        check_runs("one", proved(*map(counted, answers)))


def test_every_kind_of_the_mesh_has_switches():
    assert set(unlike_faults.KINDS) == {kind.name for kind in LEDGERS}


def test_pairs_are_every_two_kinds_or_those_that_are_named(monkeypatch):
    monkeypatch.setattr("relay.demo.mesh.ledgers.shutil.which", lambda name: None if name == "go" else f"/bin/{name}")
    pairs, kinds, missing = pairs_of("")
    assert len(pairs) == len(kinds) * (len(kinds) - 1) // 2 == 15
    assert [kind.name for kind in missing] == ["clique", "cometbft"]
    pairs, kinds, missing = pairs_of("fabric:qbft, fisco-2:qbft")
    assert pairs == [("qbft", "fisco-2"), ("qbft", "fabric")]
    assert [kind.name for kind in kinds] == ["qbft", "fisco-2", "fabric"]
    assert missing == []


@pytest.mark.parametrize("text", ["qbft", "qbft:corda", "qbft:qbft", "qbft:fabric:fisco-2"])
def test_what_is_no_pair_is_refused(text, capsys):
    with pytest.raises(SystemExit):
        soak_command.main(["--unlike", "--pairs", text])
    assert "is no pair" in capsys.readouterr().err


def test_pairs_that_cannot_run_here_are_refused(monkeypatch):
    monkeypatch.setattr("relay.demo.mesh.ledgers.shutil.which", lambda _name: None)
    with pytest.raises(ValueError, match="not installed"):
        pairs_of("fabric:clique")


def test_the_command_hands_everything_on(monkeypatch):
    given = []
    monkeypatch.setattr(soak_command, "soak_unlike", lambda *words: given.append(words) or 0)
    words = ["--unlike", "--seed", "5", "--messages", "7", "--pairs", "a:b", "--json", "report.json"]
    assert soak_command.main(words) == 0
    assert soak_command.main(["--unlike", "--seed", "5"]) == 0
    assert given == [(5, 7, "a:b", "report.json"), (5, 10_000, "", "")]


def test_what_goes_wrong_is_told_with_the_last_faults_and_the_folder_is_kept(monkeypatch, tmp_path, capsys):
    def broken(self):
        self.menu.latest.append("a fault")
        raise AssertionError("a message is lost")

    monkeypatch.setattr(Unlike, "_play", broken)
    monkeypatch.setattr(unlike.tempfile, "mkdtemp", lambda **_options: str(tmp_path))
    file = tmp_path / "report.json"
    assert unlike.soak(3, 10, "qbft:fisco-2", str(file)) == 1
    report = json.loads(file.read_text())
    assert report["failure"]["error"] == "AssertionError: a message is lost"
    assert report["failure"]["latest"] == ["a fault"]
    assert (report["seed"], report["pairs"], report["folder"]) == (3, ["qbft:fisco-2"], str(tmp_path))
    assert "a message is lost" in capsys.readouterr().out


def test_a_sender_asks_the_gateway_what_was_taken_of_a_batch_that_broke_off(monkeypatch):
    taken = []

    def send_all(_store, lane, _key, letters):
        if not taken:
            taken.extend(range(7))
            raise Unreachable("it broke off")
        taken.extend(letters)
        return [SimpleNamespace(message_id=b"%d" % number) for number in range(len(letters))]

    world = SimpleNamespace(pairs=[("a", "b"), ("b", "a")], store=None, sender=None, reverting={"b": b"\x01"})
    sender = Sender(world, "a", [("a", "b")], 250, random.Random(1), unlike.threading.Event())
    monkeypatch.setattr(unlike, "send_all", send_all)
    monkeypatch.setattr(Sender, "_missing", lambda self, _pair, _otherwise: self.count - len(taken))
    monkeypatch.setattr(sender.stop, "wait", lambda _seconds: False)
    sender.run()
    assert len(taken) == 250
    assert sender.left == 0
    assert sender.failures == Counter({"Unreachable: it broke off": 1})


@pytest.fixture
def fisco(tmp_path):
    with FiscoNetwork(tmp_path / "fisco", line=3, block_interval_s=0.05) as network:
        kind = next(kind for kind in LEDGERS if kind.name == "fisco-3")
        yield network, SimpleNamespace(kind=kind, said={"endpoints": network.endpoints}, pid=0)


def test_one_endpoint_of_three_is_faulty_and_everything_heals(fisco):
    network, ledger = fisco
    switches = unlike_faults.FiscoSwitches(ledger, random.Random(1))
    seen = set()
    for _ in range(30):
        seen.add(switches.disturb())
        faulty = [
            bool(faults.names) or not server.is_up
            for faults, server in zip(network.faults, network.servers, strict=True)
        ]
        assert sum(faulty) == 1
        assert not faulty[3], "the fourth node is none that was given"
    assert len(seen) > len(switches.faults) // 2
    switches.heal()
    switches.close()
    assert switches.on == ""
    assert all(
        server.is_up and not faults.names for faults, server in zip(network.faults, network.servers, strict=True)
    )


def test_sealers_come_and_those_that_came_leave(fisco):
    _network, ledger = fisco
    switches = unlike_faults.FiscoSwitches(ledger, random.Random(2))
    done = Counter(switches.change() for _ in range(12))
    assert done["a sealer comes"] - done["a sealer leaves"] in range(1 + unlike_faults.MOST_ADDED)
    assert done["a sealer leaves"] > 0
    switches.close()
