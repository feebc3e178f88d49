"""The audit: one fault at a time, each found by its check alone and at its place; over files, over HTTP, by the command."""

import functools
import json
import re
import shutil
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

from light_clients.proofs.notes import Checkpoint
from relay.cli import main
from relay.errors import BadInput, NotFound, NotNow
from relay.evidence import audit as audit_module
from relay.evidence.audit import audit
from relay.evidence.checkpoints import Ed25519Signer, sign_checkpoint
from relay.evidence.cosignatures import Cosignature, add_cosignature
from relay.evidence.cosigned import write_cosigned
from relay.evidence.edge import Edge
from relay.evidence.log import EvidenceLog
from relay.evidence.sources import FolderSource, HttpSource, source_of
from relay.evidence.standings import COSIGNED
from relay.evidence.tiles import decode_bundle, encode_bundle, leaf_hashes
from relay.home import Home
from relay.keys import KeyStore
from relay.witness.witness import Witness
from tests.support.evidence_log import KEYS, ORIGIN, SIGNER, make_log, private, records

SIZE = 600
OLDER = (300, 512)


def earlier_of(size):
    return sign_checkpoint(Checkpoint(ORIGIN, size, Edge().grow(records(0, size))[0].root()), [SIGNER], 1.0)


EARLIER = [earlier_of(size) for size in OLDER]


@pytest.fixture(scope="module")
def pattern(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pattern") / "log"
    make_log(folder, *OLDER, SIZE).close()
    return folder


@pytest.fixture
def folder(tmp_path, pattern):
    shutil.copytree(pattern, tmp_path / "log")
    return tmp_path / "log"


def audited(folder, earlier=EARLIER, **options):
    return audit(FolderSource(folder), KEYS, earlier, **options)


def change_record(folder, path, width, place, *, tile=None):
    records_there = decode_bundle((folder / path).read_bytes(), width)
    records_there[place] = b"never said"
    (folder / path).write_bytes(encode_bundle(records_there))
    if tile:
        (folder / tile).write_bytes(b"".join(leaf_hashes(records_there)))


def cut(path, size):
    path.write_bytes(path.read_bytes()[:size])


def signed(folder, size=SIZE, signer=SIGNER):
    checkpoint = Checkpoint(ORIGIN, size, Edge().grow(records(0, size))[0].root())
    (folder / "checkpoint").write_bytes(sign_checkpoint(checkpoint, [signer], 1.0))


def flip_signature(folder):
    path = folder / "checkpoint"
    lines = path.read_text().split("\n")
    place = len(lines[4]) - 10
    lines[4] = lines[4][:place] + ("A" if lines[4][place] != "A" else "B") + lines[4][place + 1 :]
    path.write_text("\n".join(lines))


def other_history(folder):
    """The same keys over another record 400, whole in itself."""
    shutil.rmtree(folder)
    log = EvidenceLog.create(folder, ORIGIN, [SIGNER])
    log.append([*records(0, 400), b"another", *records(401, SIZE)])
    log.publish(1.0)
    log.close()


def rolled_back(folder):
    signed(folder, 300)


FAULTS = {
    "checkpoint_missing": (lambda folder: (folder / "checkpoint").unlink(), "checkpoint", None),
    "checkpoint_malformed": (lambda folder: (folder / "checkpoint").write_bytes(b"size 600\n"), "checkpoint", None),
    "wrong_key": (lambda folder: signed(folder, signer=Ed25519Signer(ORIGIN, private("thief"))), "checkpoint", None),
    "signature_invalid": (flip_signature, "checkpoint", None),
    "rollback": (rolled_back, "checkpoint", None),
    "missing_tile": (lambda folder: (folder / "tile/0/001").unlink(), "tile/0/001", None),
    "truncated_tile": (lambda folder: cut(folder / "tile/0/000", 8191), "tile/0/000", None),
    "missing_bundle": (lambda folder: (folder / "tile/entries/001").unlink(), "tile/entries/001", None),
    "truncated_bundle": (lambda folder: cut(folder / "tile/entries/002.p/88", 2000), "tile/entries/002.p/88", None),
    "rewritten_leaf": (lambda folder: change_record(folder, "tile/entries/001", 256, 44), "tile/entries/001", 300),
    "rewritten_tile": (
        lambda folder: change_record(folder, "tile/entries/001", 256, 200, tile="tile/0/001"),
        "tile/0/001",
        None,
    ),
    "wrong_root": (
        lambda folder: change_record(folder, "tile/entries/002.p/88", 88, 87, tile="tile/0/002.p/88"),
        "checkpoint",
        None,
    ),
    "fork": (other_history, "leaves 300 to 511", None),
}


@pytest.mark.parametrize("code", FAULTS)
def test_each_fault_is_found_by_its_check_alone(folder, code):
    spoil, where, index = FAULTS[code]
    spoil(folder)
    report = audited(folder)
    assert [(each.code, each.where, each.index) for each in report.findings] == [(code, where, index)]
    assert not report.ok


def test_every_check_of_the_list_has_its_fault():
    codes = set(re.findall(r"\(`(\w+)`\)", audit_module.__doc__))
    assert codes == {*FAULTS, "wrong_origin", "cosignature_missing"}


def test_a_good_log_and_its_history(folder):
    report = audited(folder)
    assert report.ok
    assert report.complete
    assert (report.tiles, report.records, report.compared) == (4, 600, list(OLDER))
    assert (report.checkpoint.size, report.checkpoint.origin) == (SIZE, ORIGIN)


def test_an_empty_log(tmp_path):
    make_log(tmp_path / "log").close()
    report = audited(tmp_path / "log", [])
    assert report.ok
    assert (report.tiles, report.records) == (0, 0)


def test_the_wrong_origin(folder):
    report = audited(folder, [sign_checkpoint(Checkpoint("relayhub/elsewhere", 5, bytes(32)), [SIGNER], 1.0)])
    assert [each.code for each in report.findings] == ["wrong_origin"]


def test_witnesses(folder, tmp_path):
    there = Witness("witness.example/w1", private("w1"), KEYS, tmp_path / "w1")
    absent = Witness("witness.example/w2", private("w2"), KEYS, tmp_path / "w2")
    log = EvidenceLog.open(folder, write=True)
    log.cosign(there.cosign(log.checkpoint(), [], 5.0), [there.key])
    log.close()
    assert audited(folder, witnesses=[there.key]).cosignatures == [Cosignature("witness.example/w1", 5)]
    report = audited(folder, witnesses=[there.key, absent.key])
    assert [(each.code, "witness.example/w2" in each.text) for each in report.findings] == [
        ("cosignature_missing", True)
    ]


def test_without_a_key_the_report_says_so(folder):
    flip_signature(folder)
    report = audit(FolderSource(folder))
    assert report.ok
    assert not report.signature_checked


def test_two_earlier_checkpoints_of_one_size_are_a_fork(folder):
    report = audited(folder, [*EARLIER, sign_checkpoint(Checkpoint(ORIGIN, 512, bytes(32)), [SIGNER], 1.0)])
    assert [(each.code, each.where) for each in report.findings] == [("fork", "leaves 300 to 511")]
    beyond = [earlier_of(700), sign_checkpoint(Checkpoint(ORIGIN, 700, bytes(32)), [SIGNER], 1.0)]
    assert [each.code for each in audited(folder, beyond).findings] == ["rollback", "fork"]


def test_an_earlier_checkpoint_that_nobody_signed_proves_nothing(folder):
    for note in (
        b"nothing",
        sign_checkpoint(Checkpoint(ORIGIN, 5, bytes(32)), [Ed25519Signer(ORIGIN, private("x"))], 1.0),
    ):
        with pytest.raises(BadInput, match="proves nothing"):
            audited(folder, [note])
    with pytest.raises(BadInput, match="proves nothing"):
        audit(FolderSource(folder), [], [b"nothing"])


def test_partial_tiles_that_became_full_meanwhile(folder):
    older = folder.parent / "older"
    shutil.copytree(folder, older)
    signed(older, 300)
    report = audited(older, [earlier_of(255)])
    assert report.ok
    assert report.records == 300


def test_everything_is_wrong_and_the_audit_ends(folder, monkeypatch):
    monkeypatch.setattr(audit_module, "MAXIMUM_FINDINGS", 10)
    (folder / "tile/0/000").write_bytes(bytes(8192))
    report = audited(folder)
    assert len(report.findings) == 10
    assert not report.complete


def test_a_history_that_cannot_be_compared_is_a_gap_and_no_fork(folder):
    shutil.rmtree(folder / "tile/0")
    report = audited(folder)
    assert {each.code for each in report.findings} == {"missing_tile"}
    assert report.compared == [512]  # level 1 knows it


def test_files_larger_than_they_can_be(folder):
    for path, code in (
        ("checkpoint", "checkpoint_malformed"),
        ("tile/0/000", "truncated_tile"),
        ("tile/entries/000", "truncated_bundle"),
    ):
        before = (folder / path).read_bytes()
        (folder / path).write_bytes(before + bytes(300_000))
        assert [each.code for each in audited(folder).findings] == [code]
        (folder / path).write_bytes(before)
    assert audited(folder).ok


# Over HTTP


@pytest.fixture
def server(folder):
    """Any static web server: that of the standard library."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=folder)) as found:
        thread = threading.Thread(target=found.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{found.server_port}/"
        found.shutdown()
        thread.join()


def test_over_http_it_finds_the_same(folder, server):
    assert audit(source_of(server), KEYS, EARLIER).data() | {"log": ""} == audited(folder).data() | {"log": ""}
    FAULTS["rewritten_leaf"][0](folder)
    (folder / "tile/entries/000").unlink()
    with HttpSource(server) as source:
        found = audit(source, KEYS, EARLIER).findings
    assert found == audited(folder).findings
    assert [each.code for each in found] == ["missing_bundle", "rewritten_leaf"]


def answering(*answers):
    replies = iter(answers)
    return HttpSource("http://log.example", httpx.Client(transport=httpx.MockTransport(lambda _: next(replies))))


def test_a_server_that_sends_too_much_is_not_listened_to():
    sent = []

    def endless():
        while True:
            sent.append(1)
            yield bytes(10_000)

    report = audit(answering(httpx.Response(200, content=endless())), KEYS)
    assert [each.code for each in report.findings] == ["checkpoint_malformed"]
    assert len(sent) < 20


@pytest.mark.parametrize("status", [302, 403, 500, 503])
def test_a_server_in_trouble_is_no_gap(status):
    with pytest.raises(NotNow, match=str(status)):
        audit(answering(httpx.Response(status, headers={"location": "http://elsewhere"})), KEYS)


def test_a_server_that_is_not_there():
    def refuse(request):
        raise httpx.ConnectError("refused", request=request)

    source = HttpSource("http://log.example", httpx.Client(transport=httpx.MockTransport(refuse)))
    with pytest.raises(NotNow, match="refused"):
        source.fetch("checkpoint", 10)


@pytest.mark.parametrize("place", ["ftp://x", "http://", "file:///etc", "://"])
def test_what_is_no_url(place):
    with pytest.raises(BadInput, match="no URL"):
        source_of(place)


def test_what_is_no_folder(tmp_path):
    with pytest.raises(NotFound):
        source_of(str(tmp_path / "nothing"))


# The command


def test_the_command_on_a_good_log(folder, tmp_path, capsys):
    (tmp_path / "older").write_bytes(EARLIER[0])
    words = ["audit", str(folder), "--key", KEYS[0].text, "--from", str(tmp_path / "older")]
    assert main(words) == 0
    printed = capsys.readouterr().out
    assert "Everything holds." in printed
    assert "signature   holds" in printed
    assert "1 earlier checkpoints" in printed
    assert main([*words, "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert (data["ok"], data["size"], data["origin"], data["earlier_sizes"]) == (True, SIZE, ORIGIN, [300])


def test_the_command_on_a_bad_log_says_where_and_fails(folder, capsys):
    FAULTS["rewritten_leaf"][0](folder)
    assert main(["audit", str(folder), "--key", KEYS[0].text]) == 2
    first, *_ = capsys.readouterr().out.splitlines()
    assert first == "rewritten_leaf  tile/entries/001  Record 300 is not the one whose hash stands in the tile."
    assert main(["audit", str(folder), "--json"]) == 2
    assert json.loads(capsys.readouterr().out)["findings"][0]["index"] == 300


def test_the_command_keeps_the_newest_checkpoint_and_finds_a_rollback_by_it(folder, tmp_path, capsys):
    words = ["audit", str(folder), "--key", KEYS[0].text, "--keep", str(tmp_path / "kept")]
    assert main(words) == main(words) == 0
    assert (tmp_path / "kept").read_bytes() == (folder / "checkpoint").read_bytes()
    rolled_back(folder)
    kept = (tmp_path / "kept").read_bytes()
    assert main(words) == 2
    assert capsys.readouterr().out.count("rollback  checkpoint") == 1
    assert (tmp_path / "kept").read_bytes() == kept


def test_the_command_without_a_place_audits_the_hub_s_own_log(tmp_path, capsys):
    home = Home(tmp_path / "hub")
    assert main(["audit", "--home", str(home.folder)]) == 2
    assert "There is no evidence log" in capsys.readouterr().err
    signer = Ed25519Signer(ORIGIN, KeyStore(home.keys).new("evidence-log", kind="ed25519").private)
    EvidenceLog.create(home.evidence / "log", ORIGIN, [signer]).close()
    assert main(["audit", "--home", str(home.folder)]) == 0
    printed = capsys.readouterr().out
    assert "signature   holds" in printed
    assert f"key         {signer.note_key.text}\n" in printed


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--key", "x"], "looks like"),
        (["--witness", "x"], "looks like"),
        (["--from", "nowhere"], "cannot be read"),
    ],
)
def test_what_the_command_refuses(folder, capsys, words, says):
    assert main(["audit", str(folder), *words]) == 2
    assert says in capsys.readouterr().err


def test_a_cosigned_checkpoint_beside_a_newer_one_is_held_against_the_tree(tmp_path):
    log = make_log(tmp_path / "log", 300)
    there = Witness("witness.example/w1", private("w1"), KEYS, tmp_path / "w1")
    line = there.cosign(log.checkpoint(), [], 5.0)
    write_cosigned(tmp_path / "log", add_cosignature(log.checkpoint(), line, [there.key]))
    log.append(records(300, 600))
    log.publish(6.0)
    source = FolderSource(tmp_path / "log")
    report = audit(source, KEYS, witnesses=[there.key])
    assert (report.ok, report.cosignatures, report.compared) == (True, [Cosignature("witness.example/w1", 5)], [300])
    other = make_log(tmp_path / "other", 299)
    other.append([b"another"])
    note = other.publish(7.0)
    write_cosigned(tmp_path / "log", add_cosignature(note, there_too(tmp_path).cosign(note, [], 8.0), [there.key]))
    assert [each.code for each in audit(source, KEYS, witnesses=[there.key]).findings] == ["fork"]
    (tmp_path / "log" / COSIGNED).write_bytes(b"rubbish")
    assert [each.code for each in audit(source, KEYS, witnesses=[there.key]).findings] == ["cosignature_missing"]
    other.close()
    log.close()


def there_too(tmp_path):
    """The same witness with another memory: one that lies."""
    return Witness("witness.example/w1", private("w1"), KEYS, tmp_path / "lies")
