"""Objects beside the log: found by their hash, whole or not at all."""

import hashlib
import os

import pytest

from relay.errors import BadInput, NotFound
from relay.evidence.objects import Objects


@pytest.fixture
def objects(tmp_path):
    made = Objects(tmp_path / "evidence" / "objects")
    yield made
    made.close()


@pytest.mark.parametrize("content", [b"", b"\0", "证据".encode(), bytes(1 << 20)])
def test_what_is_put_is_found_by_its_hash(objects, content):
    digest = objects.put(content)
    assert digest == hashlib.sha256(content).digest()
    assert objects.has(digest)
    assert objects.get(digest) == content
    assert (objects.folder / digest.hex()[:2] / digest.hex()[2:]).read_bytes() == content


def test_many_at_once_and_again(objects):
    contents = [bytes([number]) * number for number in range(50)] + [b"\1", b"\1"]
    assert objects.put_all(contents) == [hashlib.sha256(content).digest() for content in contents]
    assert objects.put_all(contents)[1] == objects.put(b"\1")
    assert list((objects.folder / ".new").iterdir()) == []
    assert Objects(objects.folder).get(objects.put(b"\1")) == b"\1"
    assert objects.put_all([]) == []


def test_what_is_not_there(objects):
    assert not objects.has(bytes(32))
    with pytest.raises(NotFound):
        objects.get(bytes(32))
    for digest in (b"", bytes(31), bytes(33)):
        with pytest.raises(BadInput, match="32 bytes"):
            objects.get(digest)


def test_what_was_changed_on_the_disk_is_not_given_out(objects):
    digest = objects.put(b"true")
    (objects.folder / digest.hex()[:2] / digest.hex()[2:]).write_bytes(b"false")
    with pytest.raises(BadInput, match="changed on the disk"):
        objects.get(digest)


def test_one_too_large_and_none_is_kept(objects, monkeypatch):
    monkeypatch.setattr("relay.evidence.objects.MAXIMUM_OBJECT_SIZE", 3)
    with pytest.raises(BadInput, match="64 MiB"):
        objects.put_all([b"123", b"1234"])
    assert not objects.has(hashlib.sha256(b"123").digest())
    objects.put(b"123")


def test_modes(tmp_path):
    before = os.umask(0o077)
    try:
        for name, options, expected in (("public", {}, (0o755, 0o644)), ("private", {"private": True}, (0o700, 0o600))):
            made = Objects(tmp_path / name, **options)
            path = tmp_path / name / made.put(b"x").hex()[:2]
            assert (path.stat().st_mode & 0o777, next(path.iterdir()).stat().st_mode & 0o777) == expected
            assert (tmp_path / name).stat().st_mode & 0o777 == expected[0]
    finally:
        os.umask(before)


def test_a_failed_write_leaves_no_object(objects, monkeypatch):
    def fail(descriptor):
        raise OSError(5, "broken")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", fail)
        with pytest.raises(OSError, match="broken"):
            objects.put(b"x")
    assert not objects.has(hashlib.sha256(b"x").digest())
    objects.put(b"x")
