"""What a witness answers, by the table of C2SP tlog-witness; and that nothing but an honest continuation is cosigned."""

import asyncio
import base64
import json

import httpx
import pytest

from light_clients.proofs.notes import Checkpoint, read_checkpoint, split_note
from light_clients.proofs.rfc6962 import EMPTY_ROOT
from relay.errors import BadInput
from relay.evidence.checkpoints import Ed25519Signer, sign_checkpoint
from relay.evidence.cosignatures import add_cosignature, read_cosignatures
from relay.evidence.log import EvidenceLog
from relay.witness import server
from relay.witness.requests import AddCheckpoint, decode, encode, read_size
from relay.witness.server import Application
from tests.support.evidence_log import ORIGIN, SIGNER, make_log, private, records
from tests.support.witness_world import make_witness

NOW = 1_700_000_000.0


@pytest.fixture
def witness(tmp_path):
    return make_witness(tmp_path, "witness.example/见证")


@pytest.fixture
def log(tmp_path):
    log = make_log(tmp_path / "log", 300)
    yield log
    log.close()


def ask(witness, body, *, path="/add-checkpoint", method="POST"):
    async def run():
        transport = httpx.ASGITransport(Application(witness, lambda: NOW))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            return await client.request(method, path, content=body)

    return asyncio.run(run())


def grown(log, size):
    old, log_size = log.checkpoint(), log.size
    log.append(records(log_size, size))
    return old, log.publish(NOW)


def other_log(tmp_path, size):
    other = EvidenceLog.create(tmp_path / "other", ORIGIN, [SIGNER])
    other.append([b"another beginning", *records(1, size)])
    other.publish(NOW)
    other.close()
    return other


def test_a_checkpoint_is_cosigned_and_its_successor_too(log, witness):
    answer = ask(witness, encode(0, [], log.checkpoint()))
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/plain; charset=utf-8")
    note = add_cosignature(log.checkpoint(), answer.text, [witness.key])
    assert [each.time for each in read_cosignatures(note, [witness.key])] == [int(NOW)]
    _, newer = grown(log, 777)
    answer = ask(witness, encode(300, log.consistency(300, 777), newer))
    assert answer.status_code == 200
    assert witness.seen(ORIGIN) == (777, log.root(777))


def test_the_same_checkpoint_gets_the_same_line_again(log, witness):
    first = witness.cosign(log.checkpoint(), [], NOW)
    assert witness.cosign(log.checkpoint(), [], NOW + 100, old=300) == first
    assert ask(witness, encode(300, [], log.checkpoint())).text == first


def test_a_clock_that_goes_back_is_not_believed(log, witness):
    witness.cosign(log.checkpoint(), [], NOW)
    _, newer = grown(log, 301)
    line = witness.cosign(newer, log.consistency(300, 301), NOW - 5_000)
    assert read_cosignatures(add_cosignature(newer, line, [witness.key]), [witness.key])[0].time == int(NOW)


@pytest.mark.parametrize("old", [0, 299, 301])
def test_another_old_size_is_told_the_right_one(log, witness, old):
    witness.cosign(log.checkpoint(), [], NOW)
    _, newer = grown(log, 400)
    answer = ask(witness, encode(old, log.consistency(old, 400), newer))
    assert (answer.status_code, answer.headers["content-type"], answer.text) == (409, "text/x.tlog.size", "300\n")
    assert witness.seen(ORIGIN)[0] == 300


def test_whoever_knows_nothing_learns_that_nothing_is_cosigned(log, witness):
    assert (answer := ask(witness, encode(5, [], log.checkpoint()))).status_code == 409
    assert read_size(answer.content) == 0


def test_an_older_checkpoint_never_follows(log, witness):
    older, newer = grown(log, 400)
    witness.cosign(newer, [], NOW)
    for old in (0, 300):
        assert ask(witness, encode(old, [], older)).status_code == 409
    assert witness.seen(ORIGIN)[0] == 400


def test_an_old_size_above_the_checkpoint_is_no_request(log, witness):
    assert ask(witness, encode(301, [], log.checkpoint())).status_code == 400


@pytest.mark.parametrize("spoil", ["missing", "longer", "changed", "swapped"])
def test_a_proof_that_does_not_hold(log, witness, spoil):
    witness.cosign(log.checkpoint(), [], NOW)
    _, newer = grown(log, 777)
    proof = log.consistency(300, 777)
    bad = {
        "missing": proof[:-1],
        "longer": [*proof, bytes(32)],
        "changed": [bytes([proof[0][0] ^ 1]) + proof[0][1:], *proof[1:]],
        "swapped": [proof[1], proof[0], *proof[2:]],
    }[spoil]
    assert ask(witness, encode(300, bad, newer)).status_code == 422
    assert witness.seen(ORIGIN)[0] == 300
    assert [path.name.split("-")[0] for path in witness.memory.evidence()] == ["unproven"]
    assert ask(witness, encode(300, proof, newer)).status_code == 200


def test_the_first_checkpoint_has_no_proof(log, witness):
    assert ask(witness, encode(0, [bytes(32)], log.checkpoint())).status_code == 422
    assert witness.seen(ORIGIN) is None


def test_an_empty_log_is_cosigned_as_what_it_is(witness):
    false = sign_checkpoint(Checkpoint(ORIGIN, 0, bytes(32)), [SIGNER], None)
    assert ask(witness, encode(0, [], false)).status_code == 422
    empty = sign_checkpoint(Checkpoint(ORIGIN, 0, EMPTY_ROOT), [SIGNER], None)
    assert ask(witness, encode(0, [], empty)).status_code == 200
    assert witness.seen(ORIGIN) == (0, EMPTY_ROOT)


def test_a_log_grows_out_of_nothing(tmp_path, witness):
    log = EvidenceLog.create(tmp_path / "log", ORIGIN, [SIGNER])
    assert ask(witness, encode(0, [], log.checkpoint())).status_code == 200
    _, first = grown(log, 5)
    assert ask(witness, encode(0, [], first)).status_code == 200
    assert witness.seen(ORIGIN) == (5, log.root(5))
    log.close()


def test_a_fork_of_the_same_size_is_refused_and_both_are_kept(tmp_path, log, witness):
    mine = log.checkpoint()
    witness.cosign(mine, [], NOW)
    other = other_log(tmp_path, 300)
    for old, proof in ((300, []), (0, []), (299, other.consistency(299, 300))):
        answer = ask(witness, encode(old, proof, other.checkpoint()))
        assert (answer.status_code, answer.text) == (409, "300\n")
    (path,) = witness.memory.evidence()
    kept = json.loads(path.read_text())
    roots = {name: read_checkpoint(split_note(kept[name]["note"].encode())[0]).root for name in ("cosigned", "refused")}
    assert roots == {"cosigned": log.root(300), "refused": other.root(300)}
    assert (kept["kind"], kept["origin"], path.stat().st_mode & 0o777) == ("fork", ORIGIN, 0o600)
    assert kept["cosigned"]["root"] != kept["refused"]["root"]
    assert witness.seen(ORIGIN) == (300, log.root(300))


def test_a_fork_that_grew_is_refused_and_kept(tmp_path, log, witness):
    witness.cosign(log.checkpoint(), [], NOW)
    other = other_log(tmp_path, 400)
    assert ask(witness, encode(300, other.consistency(300, 400), other.checkpoint())).status_code == 422
    kept = json.loads(witness.memory.evidence()[0].read_text())
    assert (kept["cosigned"]["size"], kept["refused"]["size"], kept["kind"]) == (300, 400, "unproven")
    assert kept["proof"] == [item.hex() for item in other.consistency(300, 400)]


def test_false_proofs_do_not_fill_the_disk(log, witness, monkeypatch):
    monkeypatch.setattr("relay.witness.memory.UNPROVEN_MAXIMUM", 3)
    witness.cosign(log.checkpoint(), [], NOW)
    for size in range(301, 307):
        _, newer = grown(log, size)
        for _ in range(2):
            assert ask(witness, encode(300, [bytes(32)], newer)).status_code == 422
    assert len(witness.memory.evidence()) == 3


def test_a_stranger_s_signature_and_a_stranger_s_log(tmp_path, witness):
    stranger = make_log(tmp_path / "log", 3)
    checkpoint = read_checkpoint(split_note(stranger.checkpoint())[0])
    stranger.close()
    forged = sign_checkpoint(checkpoint, [Ed25519Signer(ORIGIN, private("stranger"))], NOW)
    assert ask(witness, encode(0, [], forged)).status_code == 403
    false = sign_checkpoint(checkpoint, [SIGNER], None).replace(b"\n3\n", b"\n4\n")
    assert ask(witness, encode(0, [], false)).status_code == 403
    elsewhere = Ed25519Signer("elsewhere", private("log"))
    unknown = sign_checkpoint(Checkpoint("elsewhere", 3, checkpoint.root), [elsewhere], NOW)
    assert ask(witness, encode(0, [], unknown)).status_code == 404
    assert witness.memory.read() == {}


def test_lines_of_strangers_are_not_kept(log, witness):
    note = (
        log.checkpoint()
        + sign_checkpoint(
            read_checkpoint(split_note(log.checkpoint())[0]), [Ed25519Signer("somebody", private("x"))], None
        ).rpartition(b"\n\n")[2]
    )
    assert ask(witness, encode(0, [], note)).status_code == 200
    assert "somebody" not in witness.memory.state.read_text()


GOOD = base64.b64encode(bytes(32))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\n\n",
        b"old 0",
        b"old 0\n",
        b"old 00\n\nx",
        b"old -1\n\nx",
        b"old 1 \n\nx",
        b"new 0\n\nx",
        b"old 9223372036854775808\n\nx",
        b"old 1\n" + GOOD[:-1] + b"\n\nx",
        b"old 1\n" + GOOD + b"\r\n\nx",
        b"old 1\n" + base64.b64encode(bytes(31)) + b"\n\nx",
        b"old 1\n" + b"\n".join([GOOD] * 64) + b"\n\nx",
        "old 1\n宽\n\nx".encode(),
        b"\xff\xfe\n\nx",
    ],
)
def test_bodies_that_are_no_request(witness, body):
    with pytest.raises(BadInput):
        decode(body)
    assert ask(witness, body).status_code == 400


@pytest.mark.parametrize("note", [b"", b"x", b"\xff\n\n", b"a\nb\nc\n\n\xe2\x80\x94 a AAAA\n", bytes(100)])
def test_notes_that_are_none(witness, note):
    assert ask(witness, b"old 0\n\n" + note).status_code == 400


def test_a_request_is_read_as_it_was_written(log):
    for old, proof in ((0, []), (5, [bytes(32)] * 63)):
        assert decode(encode(old, proof, log.checkpoint())) == AddCheckpoint(old, tuple(proof), log.checkpoint())


def test_an_answered_size_is_a_decimal_and_nothing_else():
    assert [read_size(text) for text in (b"0\n", b"7\n", b"7", b"07\n", b"-1\n", b"\xff\n", b"9" * 30 + b"\n")] == [
        0,
        7,
        *[None] * 5,
    ]


def test_other_paths_methods_and_sizes(witness):
    assert ask(witness, b"", path="/").status_code == 404
    assert ask(witness, b"", method="GET").status_code == 405
    assert ask(witness, bytes(100_000)).status_code == 413


def test_a_body_that_does_not_end(witness, monkeypatch):
    monkeypatch.setattr(server, "BODY_S", 0.01)
    sent = []

    async def receive():
        await asyncio.sleep(60)

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "path": "/add-checkpoint", "method": "POST"}
    asyncio.run(Application(witness)(scope, receive, send))
    assert sent[0]["status"] == 408


@pytest.mark.parametrize("content", [None, b"", b"{}", b"[]", b'{"format": "other", "logs": {}}'])
def test_a_memory_that_is_gone_or_damaged_is_no_empty_one(log, witness, content):
    witness.cosign(log.checkpoint(), [], NOW)
    if content is None:
        witness.memory.state.unlink()
    else:
        witness.memory.state.write_bytes(content)
    assert ask(witness, encode(0, [], log.checkpoint())).status_code == 500


def test_a_full_disk_cosigns_nothing(log, witness, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("relay.witness.memory.replace_synced", full)
    assert ask(witness, encode(0, [], log.checkpoint())).status_code == 500
    assert witness.seen(ORIGIN) is None


def test_two_at_once_leave_the_newer_one(tmp_path, log, witness):
    """Ten askers of two sizes at once: whatever the order, each line is of one history and the memory ends at the newer."""
    older, newer = grown(log, 400)
    second = make_witness(tmp_path, "witness.example/见证")

    async def run():
        jobs = []
        for number in range(10):
            note, old = ((older, 0), (newer, 300))[number % 2]
            proof = log.consistency(300, 400) if old else []
            asked = Application((witness, second)[number % 3 == 0], lambda: NOW)
            jobs.append(asyncio.to_thread(_status, asked, encode(old, proof, note)))
        return await asyncio.gather(*jobs)

    found = asyncio.run(run())
    assert set(found) <= {200, 409}
    assert found.count(200) >= 1
    size = witness.seen(ORIGIN)[0]
    assert size in (300, 400)
    assert second.seen(ORIGIN) == witness.seen(ORIGIN)


def _status(application, body):
    try:
        application.answer(body)
    except server._Answer as refusal:
        return refusal.status
    return 200
