"""The evidence log: what is appended, published, read again, kept over a crash, and refused."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from light_clients.proofs.notes import open_note
from light_clients.proofs.rfc6962 import leaf_hash, tree_root
from relay.errors import BadInput, Duplicate, NotFound, NotNow
from relay.evidence.checkpoints import Ed25519Signer, open_checkpoint, peek_checkpoint
from relay.evidence.log import EvidenceLog
from relay.evidence.tiles import tile_path
from tests.support.evidence_log import KEYS, ORIGIN, SIGNER, SM2_SIGNER, make_log, private, record, records


def reopened(log, **options):
    log.close()
    return EvidenceLog.open(log.folder, write=True, signers=[SIGNER], **options)


def test_a_log_grows_and_is_read(tmp_path):
    log = make_log(tmp_path / "log", 1, 255, 256, 257, 600)
    reader = EvidenceLog.open(tmp_path / "log", write=False)
    assert (log.size, reader.size, reader.appended, reader.origin) == (600, 600, 600, ORIGIN)
    leaves = [leaf_hash(each) for each in records(0, 600)]
    found = open_checkpoint(reader.checkpoint(), KEYS, ORIGIN)
    assert (found.size, found.root) == (600, tree_root(leaves))
    assert [reader.record(index) for index in range(600)] == records(0, 600)
    for size in (1, 255, 256, 257, 600):
        assert reader.root(size) == tree_root(leaves[:size])


def test_a_reader_sees_what_is_published_later(tmp_path):
    log = make_log(tmp_path / "log", 255)
    reader = EvidenceLog.open(tmp_path / "log", write=False)
    assert reader.size == 255
    assert reader.record(254) == record(254)
    log.append(records(255, 520))
    assert reader.size == 255
    log.publish(1.0)
    assert reader.size == 520
    assert reader.record(519) == record(519)
    assert reader.record(254) == record(254)
    assert reader.inclusion(254, 255) == log.inclusion(254, 255)


def test_an_empty_log(tmp_path):
    log = make_log(tmp_path / "log")
    assert (log.size, log.appended) == (0, 0)
    assert peek_checkpoint(log.checkpoint()).root == tree_root([])
    assert log.append([]) == 0
    assert log.publish(1.0) == log.checkpoint()
    assert reopened(log).root(0) == tree_root([])


def test_empty_records_and_the_largest(tmp_path):
    log = make_log(tmp_path / "log")
    assert log.append([b"", bytes(1024), b""]) == 0
    log.publish(1.0)
    log = reopened(log)
    assert [log.record(index) for index in range(3)] == [b"", bytes(1024), b""]


def test_one_record_too_large_and_none_is_appended(tmp_path):
    log = make_log(tmp_path / "log", 3)
    with pytest.raises(BadInput, match="1025 bytes"):
        log.append([b"1", bytes(1025)])
    assert log.appended == 3


def test_what_is_not_published_is_kept_at_its_index(tmp_path):
    log = make_log(tmp_path / "log", 300)
    assert log.append(records(300, 301)) == 300
    assert log.append(records(301, 700)) == 301
    log = reopened(log)
    assert (log.size, log.appended) == (300, 700)
    assert log.record(699) == record(699)
    log.publish(1.0)
    assert log.root(700) == tree_root([leaf_hash(each) for each in records(0, 700)])
    assert reopened(log).appended == 700


@pytest.mark.parametrize("cut", [1, 32, 40, 60, 80])
def test_a_torn_frame_is_cut_off(tmp_path, cut):
    log = make_log(tmp_path / "log", 2)
    log.append(records(2, 4))
    log.append([b"torn" * 10])
    journal = tmp_path / "log" / ".writer" / "journal"
    log.close()
    os.truncate(journal, journal.stat().st_size - cut)
    log = EvidenceLog.open(tmp_path / "log", write=True, signers=[SIGNER])
    assert log.appended == 4
    assert log.append([b"after"]) == 4
    log = reopened(log)
    assert [log.record(index) for index in (2, 3, 4)] == [record(2), record(3), b"after"]


def test_a_changed_byte_ends_the_journal_there(tmp_path):
    log = make_log(tmp_path / "log", 2)
    log.append(records(2, 4))
    log.append([b"changed"])
    log.close()
    journal = tmp_path / "log" / ".writer" / "journal"
    journal.write_bytes(journal.read_bytes().replace(b"changed", b"Changed"))
    assert EvidenceLog.open(tmp_path / "log", write=True).appended == 4


def test_records_that_are_published_already_are_not_taken_twice(tmp_path):
    log = make_log(tmp_path / "log", 2)
    journal = tmp_path / "log" / ".writer" / "journal"
    log.append(records(2, 5))
    log.append(records(5, 6))
    before = journal.read_bytes()
    log.publish(1.0)
    log.close()
    journal.write_bytes(before)  # as if the power had gone before the journal was cleared on the disk
    log = EvidenceLog.open(tmp_path / "log", write=True, signers=[SIGNER])
    assert (log.size, log.appended) == (6, 6)
    log.append([b"new"])
    assert reopened(log).record(6) == b"new"


def test_a_journal_that_does_not_follow_is_not_taken(tmp_path):
    log = make_log(tmp_path / "log", 2)
    journal = tmp_path / "log" / ".writer" / "journal"
    log.append(records(2, 5))
    log.publish(1.0)
    log.append(records(5, 6))
    later = journal.read_bytes()
    log.close()
    other = make_log(tmp_path / "other", 2)
    other.close()
    (tmp_path / "other" / ".writer" / "journal").write_bytes(later)
    assert EvidenceLog.open(tmp_path / "other", write=True).appended == 2


def test_partial_tiles_of_every_published_size_stay_until_the_full_one(tmp_path):
    log = make_log(tmp_path / "log", 3, 200, 255)
    for width in (3, 200, 255):
        assert (tmp_path / "log" / tile_path(0, 0, width)).is_file()
    log.append(records(255, 256))
    log.publish(1.0)
    assert sorted(path.name for path in (tmp_path / "log" / "tile" / "0").iterdir()) == ["000"]
    assert sorted(path.name for path in (tmp_path / "log" / "tile" / "entries").iterdir()) == ["000"]
    assert (tmp_path / "log" / tile_path(1, 0, 1)).is_file()
    log.append(records(256, 258))
    log.publish(2.0)
    assert (tmp_path / "log" / tile_path(0, 1, 2)).is_file()


def test_partial_tiles_that_a_crash_left_are_removed_when_the_log_is_opened(tmp_path):
    log = make_log(tmp_path / "log", 255)
    journal = tmp_path / "log" / ".writer" / "journal"
    log.append(records(255, 300))
    before = journal.read_bytes()
    log.publish(1.0)
    log.close()
    left = tmp_path / "log" / tile_path(0, 0, 255)
    left.parent.mkdir()
    left.write_bytes(b"left")
    journal.write_bytes(before)
    EvidenceLog.open(tmp_path / "log", write=True)
    assert not left.parent.exists()


def test_one_writer_at_a_time(tmp_path):
    log = make_log(tmp_path / "log", 5)
    with pytest.raises(NotNow, match="Another process writes"):
        EvidenceLog.open(tmp_path / "log", write=True)
    words = "import sys, pathlib; from relay.evidence.log import EvidenceLog as L; L.open(pathlib.Path(sys.argv[1]), write=True)"
    other = subprocess.run(
        [sys.executable, "-c", words, str(tmp_path / "log")], capture_output=True, text=True, check=False
    )
    assert "Another process writes" in other.stderr
    assert reopened(log).size == 5


def test_a_reader_writes_nothing(tmp_path):
    make_log(tmp_path / "log", 5).close()
    reader = EvidenceLog.open(tmp_path / "log", write=False)
    for attempt in (lambda: reader.append([b""]), lambda: reader.publish(1.0), lambda: reader.cosign("", [])):
        with pytest.raises(NotNow):
            attempt()


def test_a_closed_log_writes_nothing(tmp_path):
    log = make_log(tmp_path / "log", 5)
    log.close()
    log.close()
    with pytest.raises(NotNow):
        log.append([b""])


def test_without_its_keys_it_appends_and_does_not_publish(tmp_path):
    make_log(tmp_path / "log", 5).close()
    log = EvidenceLog.open(tmp_path / "log", write=True)
    log.append([b"one"])
    with pytest.raises(BadInput, match="without its keys"):
        log.publish(1.0)
    log = reopened(log)
    log.publish(1.0)
    assert log.record(5) == b"one"


def test_what_is_refused_at_the_beginning(tmp_path):
    with pytest.raises(NotFound):
        EvidenceLog.open(tmp_path, write=False)
    with pytest.raises(BadInput, match="cannot name a log"):
        EvidenceLog.create(tmp_path / "a", "relay hub", [SIGNER])
    with pytest.raises(BadInput, match="needs a key"):
        EvidenceLog.create(tmp_path / "a", ORIGIN, [])
    with pytest.raises(BadInput, match="a signer is named"):
        EvidenceLog.create(tmp_path / "a", "relayhub/other", [SIGNER])
    make_log(tmp_path / "a").close()
    with pytest.raises(Duplicate):
        EvidenceLog.create(tmp_path / "a", ORIGIN, [SIGNER])
    with pytest.raises(BadInput, match="a signer is named"):
        EvidenceLog.open(tmp_path / "a", write=True, signers=[Ed25519Signer("other", private("log"))])
    EvidenceLog.open(tmp_path / "a", write=True, signers=[SIGNER]).close()  # no refusal left the lock behind


def test_indices_and_sizes_that_are_not_there(tmp_path):
    log = make_log(tmp_path / "log", 5)
    log.append([b"pending"])
    for attempt in (
        lambda: log.record(6),
        lambda: log.record(-1),
        lambda: log.inclusion(5, 6),
        lambda: log.inclusion(5, 5),
        lambda: log.consistency(4, 6),
        lambda: log.consistency(5, 4),
        lambda: log.root(6),
    ):
        with pytest.raises(BadInput):
            attempt()


def test_too_much_is_pending(tmp_path, monkeypatch):
    monkeypatch.setattr("relay.evidence.log.MAXIMUM_PENDING", 5)
    log = make_log(tmp_path / "log")
    log.append(records(0, 5))
    with pytest.raises(NotNow, match="5 records wait"):
        log.append(records(5, 6))
    log.publish(1.0)
    assert log.append(records(5, 6)) == 5


@pytest.mark.parametrize(
    "spoil",
    [
        lambda folder: (folder / "tile/0/001.p/44").unlink(),
        lambda folder: (folder / "tile/0/001.p/44").write_bytes(bytes(44 * 32)),
        lambda folder: (folder / "tile/1/000.p/1").write_bytes(bytes(32)),
        lambda folder: (folder / "tile/entries/001.p/44").unlink(),
        lambda folder: (folder / "tile/entries/001.p/44").write_bytes(bytes(5)),
        lambda folder: (folder / "tile/entries/001.p/44").write_bytes(bytes(88)),
        lambda folder: (folder / "checkpoint").write_bytes(b"nothing"),
    ],
)
def test_a_damaged_edge_is_not_written_on(tmp_path, spoil):
    make_log(tmp_path / "log", 300).close()
    spoil(tmp_path / "log")
    with pytest.raises(BadInput, match=r"damaged|cannot be read"):
        EvidenceLog.open(tmp_path / "log", write=True)


def test_a_full_disk_in_append_leaves_nothing_of_the_batch(tmp_path, monkeypatch):
    log = make_log(tmp_path / "log", 5)
    real = os.write

    def half(descriptor, data):
        real(descriptor, bytes(data)[: len(data) // 2])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr(os, "write", half)
        with pytest.raises(OSError, match="No space"):
            log.append(records(5, 50))
    assert log.append([b"after"]) == 5
    assert reopened(log).record(5) == b"after"


@pytest.mark.parametrize("call", range(1, 9))
def test_a_failure_in_publish_keeps_the_checkpoint_before(tmp_path, monkeypatch, call):
    log = make_log(tmp_path / "log", 200)
    before = log.checkpoint()
    log.append(records(200, 300))
    left, real = [call], os.fsync

    def failing(descriptor):
        left[0] -= 1
        if left[0] == 0:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        real(descriptor)

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", failing)
        with pytest.raises(OSError, match="Input/output"):
            log.publish(1.0)
    assert log.checkpoint() == before
    assert log.appended == 300
    log.publish(2.0)
    assert log.root(300) == tree_root([leaf_hash(each) for each in records(0, 300)])


def test_a_checkpoint_is_visible_only_when_everything_under_it_is_durable(tmp_path, monkeypatch):
    log = make_log(tmp_path / "log", 200)
    log.append(records(200, 70_000))
    synced, renamed, folders, waited = set(), [], set(), []
    real_fsync, real_replace = os.fsync, os.replace

    def fsync(descriptor):
        real_fsync(descriptor)
        path = Path(f"/proc/self/fd/{descriptor}").readlink()
        (folders if path.is_dir() else synced).add(path)

    def replace(source, target):
        assert source in synced
        if target.name == "checkpoint":
            assert {path.parent for path in renamed} <= folders
            waited.extend(renamed)
        folders.discard(target.parent)
        renamed.append(target)
        real_replace(source, target)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(os, "replace", replace)
    log.publish(1.0)
    assert len(waited) == 273 + 273 + 5
    expected = [tile_path(0, 272), tile_path(0, 273, 112), tile_path(1, 1, 17), tile_path(2, 0, 1)]
    assert {tmp_path / "log" / path for path in expected} <= set(waited)


def test_files_are_public_whatever_the_mask_says(tmp_path):
    before = os.umask(0o077)
    try:
        make_log(tmp_path / "log", 300).close()
    finally:
        os.umask(before)
    for name, mode in (("", 0o755), ("checkpoint", 0o644), ("tile", 0o755), ("tile/0/000", 0o644), (".writer", 0o700)):
        assert (tmp_path / "log" / name).stat().st_mode & 0o777 == mode, name


def test_a_key_that_comes_later_signs_without_new_leaves(tmp_path):
    log = make_log(tmp_path / "log", 5)
    log.close()
    log = EvidenceLog.open(tmp_path / "log", write=True, signers=[SIGNER, SM2_SIGNER])
    note = log.publish(2.0)
    assert open_note(note, [SM2_SIGNER.note_key]).signers == (ORIGIN,)
    assert log.publish(3.0) == note
