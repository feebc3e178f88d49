"""The hub's side: cosignatures are gathered from honest witnesses, and one that is gone, lies or sends rubbish harms nothing."""

import itertools
import threading
import time

import httpx
import pytest

from light_clients.proofs.notes import split_note
from relay.evidence import gathering as module
from relay.evidence.cosignatures import read_cosignatures
from relay.evidence.cosigned import checkpoint_over, read_cosigned
from relay.evidence.gathering import Gathering
from relay.evidence.log import EvidenceLog
from relay.evidence.standings import COSIGNED, STANDINGS, read_standings
from tests.support.evidence_log import ORIGIN, SIGNER, make_log, records
from tests.support.witness_world import Wire, make_witness

PATIENCE_S = 60


class World:
    """A log with witnesses that are reached without a network, and a clock that the test turns."""

    def __init__(self, folder, count=3, threshold=2, leaves=300):
        self.folder = folder
        self.now = 1_700_000_000.0
        self.log = make_log(folder / "log", leaves)
        self.wires = [Wire(make_witness(folder / "witnesses", f"w{number}")) for number in range(count)]
        self.threshold = threshold
        self.start()

    def start(self):
        self.gathering = Gathering(
            self.folder, [wire.caller for wire in self.wires], self.threshold, clock=lambda: self.now
        )

    def look(self):
        """One look, until every witness that was asked has answered."""
        self.gathering.look()
        self.settle()
        self.gathering._tell()

    def settle(self):
        deadline = time.monotonic() + PATIENCE_S
        while any(each.busy for each in self.gathering._witnesses):
            assert time.monotonic() < deadline
            time.sleep(0.005)

    def grow(self, size):
        self.log.append(records(self.log.size, size))
        self.log.publish(self.now)

    @property
    def keys(self):
        return [wire.witness.key for wire in self.wires]

    def cosigned(self):
        """Leaves of the cosigned checkpoint, and who cosigned it."""
        found = read_cosigned(self.folder / "log")
        if found is None:
            return None
        return found[1].size, sorted(each.name for each in read_cosignatures(found[0], self.keys))

    def standing(self, name):
        return read_standings(self.folder / STANDINGS)[name]

    def put_lines(self):
        """What the recorder does with the lines."""
        for size, line in self.gathering.taken():
            if size == self.log.size:
                self.log.cosign(line, self.keys)


@pytest.fixture
def world(tmp_path):
    (tmp_path / "witnesses").mkdir()
    world = World(tmp_path)
    yield world
    world.log.close()


def test_all_cosign_and_both_files_say_so(world):
    world.look()
    assert world.cosigned() == (300, ["w0", "w1", "w2"])
    world.put_lines()
    assert len(read_cosignatures(world.log.checkpoint(), world.keys)) == 3
    assert world.log.publish(world.now) == world.log.checkpoint(), "nothing new: the cosignatures stay"
    assert world.standing("w0") == {"size": 300, "at": world.now, "behind_since": 0.0, "code": "", "text": ""}


def test_a_log_that_grows_is_cosigned_from_where_each_witness_stands(world):
    for size in (301, 777, 778):
        world.look()
        world.grow(size)
    world.look()
    assert world.cosigned() == (778, ["w0", "w1", "w2"])
    assert world.wires[0].asked[-1].startswith(b"old 777\n")
    assert [wire.witness.seen(ORIGIN)[0] for wire in world.wires] == [778] * 3


def test_nothing_is_asked_twice_where_nothing_is_new(world):
    for _ in range(3):
        world.look()
    assert [len(wire.asked) for wire in world.wires] == [1, 1, 1]


def test_an_empty_log_asks_nobody(tmp_path):
    (tmp_path / "witnesses").mkdir()
    log = EvidenceLog.create(tmp_path / "log", ORIGIN, [SIGNER])
    wire = Wire(make_witness(tmp_path, "w0"))
    Gathering(tmp_path, [wire.caller], 1).look()
    log.close()
    assert wire.asked == []


def test_a_witness_that_is_gone_is_waited_for_by_nobody(world):
    world.wires[2].spoilt = httpx.ConnectError("refused")
    world.look()
    assert world.cosigned() == (300, ["w0", "w1"])
    since = world.now
    assert world.standing("w2") == {
        "size": 0,
        "at": 0.0,
        "behind_since": since,
        "code": "unreachable",
        "text": "It does not answer (ConnectError).",
    }
    for size in (400, 500):
        world.now += 10
        world.grow(size)
        world.look()
    assert world.cosigned() == (500, ["w0", "w1"])
    assert world.standing("w2")["behind_since"] == since
    world.wires[2].spoilt = None
    world.now += 60
    world.look()
    assert world.cosigned() == (500, ["w0", "w1", "w2"])
    assert world.standing("w2") == {"size": 500, "at": world.now, "behind_since": 0.0, "code": "", "text": ""}


def test_a_witness_that_fails_is_asked_ever_more_rarely(world):
    wire = world.wires[0]
    wire.spoilt = httpx.ReadTimeout("slow")
    asked = []
    for second in (0, 0.9, 1, 2.9, 3, 6.9, 7, 15, 31, 62.9, 63, 122.9, 123, 183):
        world.now = 1_700_000_000.0 + second
        before = len(wire.asked)
        world.look()
        asked += [second] if len(wire.asked) > before else []
    assert [later - earlier for earlier, later in itertools.pairwise(asked)] == [1, 2, 4, 8, 16, 32, 60, 60]


def test_too_few_cosignatures_publish_nothing(world):
    for wire in world.wires[1:]:
        wire.spoilt = httpx.ConnectError("refused")
    world.look()
    assert world.cosigned() is None
    assert checkpoint_over(world.log, 1) == world.log.checkpoint()


def test_the_round_waits_for_a_slow_witness_and_not_for_ever(world):
    held, answer = threading.Event(), world.wires[0].answer

    def slow(request):
        held.wait(PATIENCE_S)
        return answer(request)

    world.wires[0].caller._client = httpx.Client(transport=httpx.MockTransport(slow))
    world.gathering.look()
    world.grow(400)
    world.gathering.look()
    assert world.gathering._size == 300, "the slow one has a moment"
    world.now += module.ROUND_S + 1
    world.gathering.look()
    assert world.gathering._size == 400
    held.set()
    world.settle()
    world.look()
    world.look()
    assert world.cosigned() == (400, ["w0", "w1", "w2"])


def test_a_recorder_that_was_killed_begins_where_the_witnesses_are(world):
    world.look()
    world.grow(400)
    world.start()
    world.look()
    assert world.cosigned() == (400, ["w0", "w1", "w2"])
    assert [len(wire.asked) for wire in world.wires] == [2, 2, 2]
    (world.folder / STANDINGS).write_text("{]")
    (world.folder / "log" / COSIGNED).unlink()
    world.start()
    world.look()
    assert world.cosigned() == (400, ["w0", "w1", "w2"])


@pytest.mark.parametrize("content", ["[]", '{"w0": 5}', '{"w0": {"size": "x"}}', '{"w0": {"other": 1}}'])
def test_standings_that_are_none(world, content):
    (world.folder / STANDINGS).write_text(content)
    world.start()
    world.look()
    assert world.cosigned() == (300, ["w0", "w1", "w2"])


SIZE = {"content-type": "text/x.tlog.size"}


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (httpx.Response(200, content=b""), "rubbish"),
        (httpx.Response(200, content=b"\xff\x00" * 100), "rubbish"),
        (httpx.Response(200, content=bytes(1 << 20)), "rubbish"),
        (httpx.Response(200, text="\N{EM DASH} w0 AAAAAAAA\n"), "rubbish"),
        (httpx.Response(204), "refused"),
        (httpx.Response(301, headers={"location": "http://127.0.0.1:1/"}), "refused"),
        (httpx.Response(403), "refused"),
        (httpx.Response(404), "refused"),
        (httpx.Response(500), "refused"),
        (httpx.Response(409), "rubbish"),
        (httpx.Response(409, content=b"x\n", headers=SIZE), "rubbish"),
        (httpx.Response(409, content=b"5\n"), "rubbish"),
        (httpx.Response(409, content=b"5\n", headers=SIZE), "rubbish"),
        (httpx.Response(409, content=b"0\n", headers=SIZE), "rubbish"),
        (httpx.Response(409, content=b"301\n", headers=SIZE), "ahead"),
        (httpx.Response(409, content=b"9223372036854775807\n", headers=SIZE), "ahead"),
        (httpx.Response(409, content=b"300\n", headers=SIZE), "contradicts"),
        (httpx.Response(422), "contradicts"),
    ],
)
def test_a_witness_that_lies_or_sends_rubbish_harms_nothing(world, answer, code):
    published = world.log.checkpoint()
    world.wires[0].spoilt = answer
    world.look()
    world.put_lines()
    assert world.cosigned() == (300, ["w1", "w2"])
    assert world.standing("w0")["code"] == code
    assert split_note(world.log.checkpoint())[0] == split_note(published)[0]
    world.grow(400)
    world.look()
    assert world.cosigned() == (400, ["w1", "w2"])


def test_a_cosignature_of_another_checkpoint_or_key_is_none(world):
    line = world.wires[0].witness.cosign(world.log.checkpoint(), [], world.now)
    other = world.wires[1].witness.cosign(world.log.checkpoint(), [], world.now)
    world.grow(400)
    for text in (line, other, line + other):
        world.wires[0].spoilt = httpx.Response(200, text=text)
        world.look()
        world.now += 100
        assert world.standing("w0")["code"] == "rubbish"
    assert world.cosigned() == (400, ["w1", "w2"])


def test_lines_of_others_beside_the_witness_s_own_are_left(world):
    good = world.wires[0].witness.cosign(world.log.checkpoint(), [], world.now)
    world.wires[0].spoilt = httpx.Response(200, text=f"nonsense\n\N{EM DASH} x AAAAAAAA\n{good}{good}")
    world.look()
    assert world.cosigned() == (300, ["w0", "w1", "w2"])
    assert " x AAAAAAAA" not in (world.folder / "log" / COSIGNED).read_text()


def test_a_hub_that_forks_its_log_is_caught(world):
    world.look()
    world.log.close()
    forked = World.__new__(World)
    forked.__dict__ |= world.__dict__
    forked.folder = world.folder / "fork"
    forked.log = EvidenceLog.create(forked.folder / "log", ORIGIN, [SIGNER])
    forked.log.append([b"another beginning", *records(1, 300)])
    forked.log.publish(forked.now)
    forked.start()
    forked.look()
    assert forked.cosigned() is None
    assert {forked.standing(f"w{number}")["code"] for number in range(3)} == {"contradicts"}
    forked.now += 1000
    forked.log.append(records(300, 400))
    forked.log.publish(forked.now)
    forked.look()
    assert forked.cosigned() is None
    assert {forked.standing(f"w{number}")["code"] for number in range(3)} == {"contradicts"}
    for wire in world.wires:
        assert wire.witness.seen(ORIGIN) == (300, world.log.root(300))
        assert sorted(path.name.split("-")[0] for path in wire.witness.memory.evidence()) == ["fork", "unproven"]


def test_a_log_that_lost_leaves_is_caught(world):
    world.grow(500)
    world.look()
    world.log.close()
    world.folder = world.folder / "backup"
    world.log = make_log(world.folder / "log", 300)
    world.start()
    world.look()
    assert world.cosigned() is None
    assert {world.standing(f"w{number}")["code"] for number in range(3)} == {"ahead"}


def test_the_thread_gathers_by_itself_and_stops(world):
    world.gathering.start()
    world.gathering.wake()
    deadline = time.monotonic() + PATIENCE_S
    while world.cosigned() != (300, ["w0", "w1", "w2"]):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    world.gathering.stop()
    assert not world.gathering._thread.is_alive()


def test_leaves_that_the_cosigned_checkpoint_lacks_are_under_the_newest(world):
    world.look()
    world.grow(400)
    assert read_cosignatures(checkpoint_over(world.log, 300), world.keys)
    assert checkpoint_over(world.log, 301) == world.log.checkpoint()
