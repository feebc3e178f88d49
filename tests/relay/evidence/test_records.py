"""Records: kept durably, given under their rule, compared with what the log has, erased for good."""

import hashlib
import io
import shutil
import signal
import stat
import subprocess
import sys
from contextlib import closing

import cbor2
import pytest
from sqlalchemy import select, text

from relay.errors import BadInput, NotAllowed, NotFound
from relay.evidence import records as module
from relay.evidence.access_rules import AccessRule, Caller
from relay.evidence.pack_writer import SALT_SIZE, SIZES
from relay.evidence.packs import RecordDamaged
from relay.evidence.record_sources import from_folder
from relay.evidence.records import NewRecord, Records
from relay.store import Store
from relay.store.tables import evidence_queue, record_erasures
from relay.store.tables import records as rows

OWNER, READER, STRANGER = Caller("民政局"), Caller("税务局"), Caller("公安局")
RULE = AccessRule.parse("民政局", "税务局")
LARGE = 64 << 20


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    """A database with empty tables, made once: migrations take half a second."""
    path = tmp_path_factory.mktemp("tables") / "hub.db"
    store = Store(f"sqlite:///{path}")
    store.migrate()
    store.close()
    return path


@pytest.fixture
def store(tables, tmp_path):
    store = Store(f"sqlite:///{shutil.copy(tables, tmp_path / 'hub.db')}")
    yield store
    store.close()


@pytest.fixture
def records(store, tmp_path):
    return Records(store, tmp_path / "evidence")


@pytest.fixture
def private(tmp_path):
    return tmp_path / "evidence" / "private"


def put(records, *contents, rule=RULE, name=""):
    return [
        record.commitment.hex()
        for batch in records.put([NewRecord(content, name) for content in contents], rule)
        for record in batch
    ]


def content(records, identifier, caller=OWNER):
    with records.open(identifier, caller) as (_, stored):
        return b"".join(stored.chunks())


def leaves(store):
    with store.read() as connection:
        found = connection.execute(select(evidence_queue).order_by(evidence_queue.c.id)).all()
    return [(row.kind, *cbor2.loads(row.fields)) for row in found]


def files(private):
    return sorted(path for path in private.rglob("*") if path.is_file() and path.name != "lock")


@pytest.mark.parametrize("kept", [b"", b"x", "婚姻登记 📜".encode(), bytes(range(256)) * 4096])
def test_what_is_put_is_got(records, kept):
    (identifier,) = put(records, kept)
    assert content(records, identifier) == kept
    assert content(records, "0x" + identifier[:8].upper().replace("0X", "0x"), READER) == kept


def test_the_id_is_the_hash_of_salt_and_content(records, store):
    (identifier,) = put(records, b"low")
    with records.open(identifier, READER) as (record, stored):
        assert len(stored.salt) == SALT_SIZE
        assert hashlib.sha256(stored.salt + b"low").digest() == record.commitment
    assert leaves(store)[0] == ("record", bytes.fromhex(identifier))


def test_the_same_content_twice_is_two_records(records):
    first, second = put(records, b"same", b"same")
    assert first != second
    with records.open(first, OWNER) as (_, one), records.open(second, OWNER) as (_, other):
        assert one.salt != other.salt


def test_who_asks_becomes_a_leaf_granted_or_refused(records, store):
    (identifier,) = put(records, b"secret")
    commitment = bytes.fromhex(identifier)
    content(records, identifier, READER)
    with pytest.raises(NotAllowed, match="公安局 may not read"):
        content(records, identifier, STRANGER)
    with pytest.raises(NotAllowed, match="A stranger may not read"):
        content(records, identifier, Caller())
    with records.open(identifier, OWNER, purpose="prove"):
        pass
    assert leaves(store) == [
        ("record", commitment),
        ("access", commitment, "税务局", "read", "organisation"),
        ("access", commitment, "公安局", "read", "refused"),
        ("access", commitment, "", "read", "refused"),
        ("access", commitment, "民政局", "prove", "owner"),
    ]


def test_an_unknown_id_is_not_found_and_no_leaf(records, store):
    put(records, b"x")
    with pytest.raises(NotFound, match="no record 0xabababab"):
        content(records, "0x" + "ab" * 32)
    for wrong in ("", "0x12", "zz" * 32, "ab" * 33, "文" * 8):
        with pytest.raises(BadInput, match="no record's id"):
            records.find(wrong)
    assert [kind for kind, *_ in leaves(store)] == ["record"]


def test_a_beginning_that_two_records_share(records, store):
    first, second = put(records, b"one", b"two")
    like = bytes.fromhex(first)[:6] + bytes.fromhex(second)[6:]
    with store.write() as connection:
        values = {"commitment": like, "prefix": int.from_bytes(like[:8], "big")}
        connection.execute(rows.update().where(rows.c.commitment == bytes.fromhex(second)).values(values))
    with pytest.raises(BadInput, match="Several records"):
        records.find(first[:12])
    assert records.find(first[:16]).commitment.hex() == first


def test_ids_beyond_the_signed_range_are_found(records):
    found = put(records, *[bytes([number]) for number in range(64)])
    assert {identifier[0] for identifier in found} & set("89abcdef")
    assert [records.find(identifier[:8]).commitment.hex() for identifier in found] == found


def test_files_and_folders_are_private(records, private):
    put(records, b"secret")
    (file,) = files(private)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert {stat.S_IMODE(path.stat().st_mode) for path in (private, file.parent)} == {0o700}


def test_a_large_file_is_streamed(records, tmp_path):
    class Endless(io.RawIOBase):
        """64 MB that exist nowhere; a read asks for a megabyte at most."""

        left = LARGE

        def read(self, size=-1):
            assert 0 < size <= 1 << 20
            taken = min(size, self.left)
            self.left -= taken
            return b"\x5a" * taken

    identifier, small = put(records, Endless(), b"behind it")
    assert content(records, small) == b"behind it"
    with records.open(identifier, OWNER) as (record, stored):
        assert record.size == LARGE
        pieces = 0
        for chunk in stored.chunks():
            assert len(chunk) <= 1 << 20
            assert chunk.count(b"\x5a") == len(chunk)
            pieces += len(chunk)
        assert pieces == LARGE


def test_small_records_share_a_file(records, private, monkeypatch):
    monkeypatch.setattr(module, "BATCH_RECORDS", 3)
    found = put(records, *[bytes([number]) for number in range(8)])
    assert len(files(private)) == 3
    assert [content(records, identifier) for identifier in found] == [bytes([number]) for number in range(8)]


def test_a_batch_that_fails_keeps_what_was_kept(records, private, monkeypatch):
    monkeypatch.setattr(module, "BATCH_RECORDS", 2)
    items = [NewRecord(b"1", "a"), NewRecord(b"2", "b"), NewRecord(b"3", "c"), NewRecord(b"4", "d\x00")]
    kept = []
    with pytest.raises(BadInput, match="control characters"):
        kept += [record for batch in records.put(items, RULE) for record in batch]
    listed = records.listed(OWNER)
    assert [record.name for record in listed] == ["b", "a"]
    assert len(files(private)) == 1, "the pack that was begun is gone"


@pytest.mark.parametrize("name", ["x" * 513, "税" * 171, "a\nb", "\udcff"])
def test_names_that_cannot_be_kept(records, name):
    with pytest.raises(BadInput, match="name"):
        put(records, b"x", name=name)
    assert records.listed(OWNER) == []


class TestDamage:
    def damage(self, private, change):
        (file,) = files(private)
        data = bytearray(file.read_bytes())
        change(data)
        file.write_bytes(bytes(data))

    @pytest.mark.parametrize(
        "change",
        [
            pytest.param(lambda data: data.__setitem__(SIZES.size, data[SIZES.size] ^ 1), id="salt"),
            pytest.param(lambda data: data.__setitem__(SIZES.size + SALT_SIZE, 0), id="content"),
            pytest.param(lambda data: data.__setitem__(11, 4), id="size"),
            pytest.param(lambda data: data.__setitem__(0, 0xFF), id="label size"),
            pytest.param(lambda data: data.__delitem__(slice(SIZES.size + SALT_SIZE + 2, None)), id="cut content"),
            pytest.param(lambda data: data.__delitem__(slice(20, None)), id="cut salt"),
            pytest.param(lambda data: data.clear(), id="empty"),
        ],
    )
    def test_what_was_changed_on_the_disk_is_not_given(self, records, private, change):
        (identifier,) = put(records, b"truth")
        self.damage(private, change)
        with pytest.raises(RecordDamaged, match=identifier):
            content(records, identifier)

    def test_a_missing_file(self, records, private):
        (identifier,) = put(records, b"truth")
        files(private)[0].unlink()
        with pytest.raises(RecordDamaged, match="missing"):
            content(records, identifier)

    def test_a_change_between_the_check_and_the_end_is_seen(self, records, private):
        (identifier,) = put(records, b"truth")
        with records.open(identifier, OWNER) as (_, stored):
            self.damage(private, lambda data: data.__setitem__(SIZES.size + SALT_SIZE, 0))
            with pytest.raises(RecordDamaged):
                b"".join(stored.chunks())

    def test_a_false_size_erases_no_neighbour(self, records, private):
        first, second = put(records, b"first", b"second")
        self.damage(private, lambda data: data.__setitem__(slice(0, 12), SIZES.pack(200, 5)))
        records.erase(first, OWNER)
        assert content(records, second) == b"second"
        assert b"first" not in files(private)[0].read_bytes()


class TestErasure:
    def test_content_salt_and_name_are_gone(self, records, store, private):
        first, second = put(records, b"to be forgotten", b"stays", name="王小明")
        with records.open(first, OWNER) as (_, stored):
            salt = stored.salt
        erased = records.erase(first, OWNER)
        assert (erased.name, erased.erased_at is not None) == ("", True)
        data = files(private)[0].read_bytes()
        assert b"forgotten" not in data
        assert salt not in data
        assert data.count("王小明".encode()) == 1, "the other record's"
        with pytest.raises(NotFound, match="was erased by its owner"):
            content(records, first)
        assert content(records, second) == b"stays"
        commitment = bytes.fromhex(first)
        assert leaves(store)[-3:-1] == [
            ("erasure", commitment, "民政局"),
            ("access", commitment, "民政局", "read", "erased"),
        ]

    def test_a_file_of_one_record_is_removed(self, records, private):
        (identifier,) = put(records, b"alone")
        records.erase(identifier, OWNER)
        assert files(private) == []

    def test_a_second_time_is_harmless_and_no_leaf(self, records, store):
        (identifier,) = put(records, b"x")
        first = records.erase(identifier, OWNER)
        assert records.erase(identifier, OWNER) == first
        assert [kind for kind, *_ in leaves(store)] == ["record", "erasure"]

    def test_nobody_but_the_owner(self, records, store):
        (identifier,) = put(records, b"x", rule=AccessRule.parse("民政局", "税务局,public"))
        for caller in (READER, Caller(), Caller("", frozenset({"officer", "auditor"}))):
            with pytest.raises(NotAllowed, match="Only 民政局 may erase"):
                records.erase(identifier, caller)
        assert content(records, identifier) == b"x"
        assert leaves(store)[1] == ("access", bytes.fromhex(identifier), "税务局", "erase", "refused")

    def test_what_a_crash_left_on_the_disk_is_erased_later(self, records, store, private, monkeypatch):
        def die(*_):
            raise KeyboardInterrupt

        first, _ = put(records, b"to be forgotten", b"stays")
        with monkeypatch.context() as patch:
            patch.setattr(records._packs, "erase", die)
            with pytest.raises(KeyboardInterrupt):
                records.erase(first, OWNER)
        with pytest.raises(NotFound, match="erased"):
            content(records, first)
        assert b"forgotten" in files(private)[0].read_bytes()
        put(records, b"another")
        assert all(b"forgotten" not in file.read_bytes() for file in files(private))
        with store.read() as connection:
            assert connection.execute(select(record_erasures)).all() == []


CRASH = """
import os, signal, sys
from contextlib import contextmanager
from pathlib import Path
from relay.evidence.access_rules import AccessRule
from relay.evidence.packs import Packs
from relay.evidence.records import NewRecord, Records
from relay.store import Store

store = Store(sys.argv[1])
die = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
records = Records(store, Path(sys.argv[2]))
if sys.argv[3] == "before the row":
    store.write = die
else:
    Packs.keep = die
list(records.put([NewRecord(b"secret", "name")], AccessRule.parse("owner")))
"""


class TestCrash:
    def crash(self, store, private, moment):
        words = [sys.executable, "-c", CRASH, store.url, str(private.parent), moment]
        assert subprocess.run(words, check=False).returncode == -signal.SIGKILL
        assert len(files(private)) == 1

    def test_between_content_and_row_nothing_stays(self, records, store, private):
        self.crash(store, private, "before the row")
        assert records.listed(Caller("owner")) == []
        (identifier,) = put(records, b"next")
        assert [b"secret" in file.read_bytes() for file in files(private)] == [False]
        assert content(records, identifier) == b"next"
        assert [kind for kind, *_ in leaves(store)][:1] == ["record"]

    def test_behind_the_row_the_record_stands(self, records, store, private):
        self.crash(store, private, "behind the row")
        (record,) = records.listed(Caller("owner"))
        assert content(records, record.commitment.hex(), Caller("owner")) == b"secret"
        put(records, b"next")
        assert content(records, record.commitment.hex(), Caller("owner")) == b"secret"
        assert list((private / "new").iterdir()) == [private / "new" / "lock"]

    def test_nobody_clears_up_what_another_is_writing(self, records, private):
        with closing(records.put(iter([NewRecord(b"1"), NewRecord(b"2")]), RULE)) as writing:
            next(writing)
            (private / "new" / "tmp-of-another").write_bytes(b"")
            put(records, b"3")
            assert (private / "new" / "tmp-of-another").exists()
        put(records, b"4")
        assert not (private / "new" / "tmp-of-another").exists()


class TestLists:
    def test_only_what_the_caller_may_read_newest_first(self, records):
        put(records, b"1", name="a", rule=AccessRule.parse("民政局"))
        put(records, b"2", name="b", rule=AccessRule.parse("税务局", "民政局"))
        put(records, b"3", name="c", rule=AccessRule.parse("税务局"))
        put(records, b"4", name="d", rule=AccessRule.parse("公安局", "public"))

        def names(caller, **options):
            return [record.name for record in records.listed(caller, **options)]

        assert names(OWNER) == ["d", "b", "a"]
        assert names(READER) == ["d", "c", "b"]
        assert names(Caller()) == ["d"]
        assert names(OWNER, owner="税务局") == ["b"]
        assert names(OWNER, limit=2) == ["d", "b"]
        last = records.listed(OWNER, limit=2)[-1].number
        assert names(OWNER, before=last) == ["a"]

    def test_pages_meet_without_gap(self, records):
        for number in range(7):
            put(records, b"x", name=str(number), rule=AccessRule.parse("民政局", "" if number % 2 else "public"))
        seen, before = [], 0
        while page := records.listed(OWNER, before=before, limit=2):
            seen += [record.name for record in page]
            before = page[-1].number
        assert seen == list("6543210")


def test_rows_come_back_from_the_files_when_the_database_is_lost(records, store, tmp_path):
    kept = put(records, "一".encode(), b"erased", b"three", name="档案")
    (alone,) = put(records, b"four", rule=AccessRule.parse("税务局", "public"))
    records.erase(kept[0], OWNER)
    fresh = Store(f"sqlite:///{tmp_path / 'fresh.db'}")
    fresh.migrate()
    again = Records(fresh, tmp_path / "evidence")
    assert again.restore_rows() == 3
    assert again.restore_rows() == 0
    for identifier in (kept[1], kept[2], alone):
        old, new = records.find(identifier), again.find(identifier)
        assert (new.rule, new.name, new.size, new.at) == (old.rule, old.name, old.size, old.at)
        assert content(again, identifier, Caller(old.rule.owner)) == content(
            records, identifier, Caller(old.rule.owner)
        )
    with pytest.raises(NotFound):
        again.find(kept[0])
    fresh.close()


def test_a_folder_in_the_order_of_its_paths(records, tmp_path):
    folder = tmp_path / "部门"
    (folder / "b").mkdir(parents=True)
    (folder / "b" / "二.txt").write_bytes(b"2")
    (folder / "a.txt").write_bytes(b"1")
    (folder / "link").symlink_to(folder / "a.txt")
    found = [record for batch in records.put(from_folder(folder), RULE) for record in batch]
    assert [record.name for record in found] == ["a.txt", "b/二.txt"]


def test_the_database_holds_neither_content_nor_salt(records, store, tmp_path):
    (identifier,) = put(records, b"not in the database")
    with records.open(identifier, OWNER) as (_, stored):
        salt = stored.salt
    with store.write() as connection:
        connection.execute(text("SELECT 1"))
    data = b"".join(path.read_bytes() for path in tmp_path.glob("hub.db*"))
    assert b"not in the database" not in data
    assert salt not in data
