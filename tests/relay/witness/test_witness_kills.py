"""`relayhub witness run` and the recorder as processes: kill -9 at each point, and the whole way once."""

import os
import subprocess
import sys
import time

import httpx
import pytest

from adapters.loopback_ports import free_port
from relay.config import HubConfig
from relay.evidence.checkpoints import log_keys, origin_of
from relay.evidence.cosignatures import CosignatureKey, read_cosignatures
from relay.evidence.cosigned import read_cosigned
from relay.evidence.log import EvidenceLog
from relay.evidence.outbox import note
from relay.evidence.witness_roll import WitnessEntry
from relay.home import Home
from relay.keys import KeyStore
from relay.store import Store
from relay.witness.configuration import open_witness
from relay.witness.requests import encode
from tests.support.evidence_log import KEYS, ORIGIN, SIGNER, make_log, records
from tests.support.witness_world import PATIENCE_S, WitnessProcess

POINTS = ("witness.before_keep", "witness.after_keep", "witness.before_answer")


def test_killed_at_each_point_it_never_goes_back_and_cosigns_no_second_root(tmp_path):
    """At each point: the same checkpoint is cosigned after the restart, one of another history never, an older one neither."""
    log = make_log(tmp_path / "log", 10)
    other = EvidenceLog.create(tmp_path / "other", ORIGIN, [SIGNER])
    process = WitnessProcess(tmp_path / "witness", "witness.example", [KEYS[0].text], free_port())
    witness = open_witness(process.config)
    process.start()
    try:
        size = 0
        for point in POINTS:
            new = log.size
            older = log.checkpoint()
            body = encode(size, log.consistency(size, new), older)
            process.kill_at(point)
            with pytest.raises(httpx.HTTPError):
                process.post(body)
            assert process.ended() == -9
            kept = witness.seen(ORIGIN)
            assert kept == (None if point == "witness.before_keep" else (new, log.root(new)))
            process.start()
            other.append([f"other {size}".encode(), *records(other.size + 1, new)])
            theirs = other.publish(1.0)
            forked = encode(size, other.consistency(size, new), theirs)
            again = encode(new, [], older) if kept else body
            assert [process.post(each).status_code for each in (again, forked)] == [200, 409]
            assert witness.seen(ORIGIN) == (new, log.root(new))
            size = new
            log.append(records(size, size + 300))
            log.publish(2.0)
            answer = process.post(encode(0, [], older))
            assert (answer.status_code, answer.text) == (409, f"{size}\n")
        assert any(path.name.startswith("fork-") for path in witness.memory.evidence())
    finally:
        process.stop()
        log.close()
        other.close()


def test_the_recorder_has_its_checkpoints_cosigned_and_waits_for_nobody(tmp_path):
    """A recorder, a witness and one that is not there, as processes; the cosigned checkpoint is published."""
    home = Home(tmp_path / "home")
    home.save(HubConfig(name="试验", development=True))
    store = Store(home.database_url(home.load()))
    store.migrate()
    recorder = _recorder(home)
    try:
        _wait((home.evidence / "log" / "checkpoint").exists)
        key = log_keys(KeyStore(home.keys), origin_of("试验"))[0]
        process = WitnessProcess(tmp_path / "witness", "witness.example/见证", [key.text], free_port())
        witness = open_witness(process.config).key
        absent = CosignatureKey.create("absent", bytes(SIGNER.note_key.public_key))
        roll = {
            "here": WitnessEntry(key=witness.text, url=process.config.url),
            "absent": WitnessEntry(key=absent.text, url=f"http://127.0.0.1:{free_port()}"),
        }
        home.save(home.load().model_copy(update={"witnesses": roll}))
        process.start()
        recorder.kill()
        recorder.wait()
        recorder = _recorder(home)
        for number in range(3):
            with store.write() as connection:
                note(connection, "record", (number.to_bytes(32, "big"),))
            _wait(lambda size=number + 1: (found := read_cosigned(home.evidence / "log")) and found[1].size >= size)
        found = read_cosigned(home.evidence / "log")
        assert [each.name for each in read_cosignatures(found[0], [witness, absent])] == [witness.name]
        _wait(lambda: read_cosignatures((home.evidence / "log" / "checkpoint").read_bytes(), [witness]))
        process.stop()
        with store.write() as connection:
            note(connection, "record", (bytes(32),))
        _wait(lambda: EvidenceLog.open(home.evidence / "log", write=False).size == 4)
    finally:
        recorder.terminate()
        recorder.wait()
        store.close()
        process.stop()


def _recorder(home):
    words = [sys.executable, "-m", "relay.evidence.recorder", "--home", str(home.folder)]
    return subprocess.Popen(words, env=dict(os.environ), stderr=subprocess.DEVNULL, start_new_session=True)


def _wait(ready):
    deadline = time.monotonic() + PATIENCE_S
    while not ready():
        assert time.monotonic() < deadline
        time.sleep(0.05)
