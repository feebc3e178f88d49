"""Backup and restore: one file with a hash for everything, and what happened since is found again on the ledgers."""

import hashlib
import json
import shutil
import sqlite3
import stat
import tarfile

import pytest

from relay.backup.archive import MANIFEST, read_manifest
from relay.backup.restoring import restore
from relay.backup.saving import save
from relay.cli import main
from relay.errors import BadInput, Duplicate, NotNow
from relay.home import Home
from relay.keys import KeyStore
from relay.store.tables import chains, messages
from tests.support.memory_hub import RECEIVER

OUT = ("alpha", "beta")


@pytest.fixture
def saved(hub, tmp_path):
    """A hub with three settled messages, and its backup with keys."""
    for number in range(3):
        hub.send(*OUT, b"before %d" % number, receiver=RECEIVER)
    hub.settle_down()
    certificates = hub.home.folder / "certificates"
    certificates.mkdir()
    (certificates / "名.json").write_text("{}")
    save(hub.home, hub.context.config, hub.context.store, tmp_path / "copy.tar", with_keys=True)
    return tmp_path / "copy.tar"


def move_to(hub, home):
    """The hub goes on as workers of another home would."""
    hub.context.close()
    hub.home = home
    hub.restart()


def test_the_file_has_everything_once_with_its_hash_and_is_private(hub, saved):
    assert stat.S_IMODE(saved.stat().st_mode) == 0o600
    manifest = read_manifest(saved)
    with tarfile.open(saved) as tar:
        names = tar.getnames()
        for name, said in manifest["files"].items():
            content = tar.extractfile(name).read()
            assert (len(content), hashlib.sha256(content).hexdigest()) == (said["size"], said["sha256"])
    assert sorted(names) == sorted([*manifest["files"], MANIFEST])
    assert {"hub.toml", "registry.toml", "database.sqlite", "certificates/名.json"} < set(names)
    assert {"keys/relayer-alpha.json", "keys/officer-1.json"} < set(names)
    assert not [name for name in names if name.startswith("run/") or name.endswith((".db", ".db-wal"))]
    assert (manifest["hub"], manifest["keys"]) == ("hub", True)


def test_messages_since_the_copy_are_found_again_and_nothing_is_executed_twice(hub, saved, tmp_path):
    for number in range(4):
        hub.send(*OUT, b"since %d" % number, receiver=RECEIVER)
    hub.mine()
    hub.turn()
    hub.turn()  # some of it is on its way only
    hub.send(*OUT, b"unseen", receiver=RECEIVER)
    hub.mine()
    made = restore(saved, Home(tmp_path / "other"))
    assert made.home == tmp_path / "other"
    assert next((item.what, item.known, item.there) for item in made.newer) == ("sent", 3, 8)
    assert made.silent == []
    move_to(hub, Home(tmp_path / "other"))
    hub.settle_down(hurry=True)
    hub.check()
    assert (hub.journey(*OUT).executed, hub.journey(*OUT).settled) == (8, 8)
    assert len(hub.rows(messages)) == 8


def test_everything_settled_since_the_copy_is_counted_and_not_delivered_again(hub, saved, tmp_path, monkeypatch):
    for number in range(4):
        hub.send(*OUT, b"since %d" % number, receiver=RECEIVER)
    hub.settle_down()
    made = restore(saved, Home(tmp_path / "other"))
    assert {(item.what, item.known, item.there) for item in made.newer} == {
        ("sent", 3, 7),
        ("delivered", 3, 7),
        ("settled", 3, 7),
    }
    # Its own settlements since the copy look like another relayer's, which has the first try for so long.
    monkeypatch.setattr("relay.steps.rivals.SHORTEST_S", 0.0)
    move_to(hub, Home(tmp_path / "other"))
    hub.settle_down(hurry=True)
    hub.check()
    assert hub.journey(*OUT).settled == 7


def test_the_copy_holds_one_moment_while_others_write(hub, tmp_path):
    hub.send(*OUT, b"x", receiver=RECEIVER)
    hub.settle_down()
    writer = sqlite3.connect(hub.home.folder / "relayhub.db", timeout=5, isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    writer.execute("UPDATE chains SET balance = '77'")
    save(hub.home, hub.context.config, hub.context.store, tmp_path / "copy.tar", with_keys=False)
    writer.execute("COMMIT")
    writer.close()
    restore(tmp_path / "copy.tar", Home(tmp_path / "other"))
    with sqlite3.connect(tmp_path / "other" / "relayhub.db") as copy:
        assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert "77" not in {row[0] for row in copy.execute("SELECT balance FROM chains")}


def test_keys_are_in_it_only_if_asked_for_and_stay_private(hub, saved, tmp_path):
    save(hub.home, hub.context.config, hub.context.store, tmp_path / "public.tar", with_keys=False)
    private = KeyStore(hub.home.keys).load("relayer-alpha").private.hex()
    assert private in saved.read_bytes().decode("latin-1")
    assert private not in (tmp_path / "public.tar").read_bytes().decode("latin-1")
    restore(saved, Home(tmp_path / "other"))
    assert stat.S_IMODE((tmp_path / "other" / "keys").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "other" / "keys" / "relayer-alpha.json").stat().st_mode) == 0o600
    assert KeyStore(tmp_path / "other" / "keys").load("relayer-alpha").private.hex() == private
    assert not (restore(tmp_path / "public.tar", Home(tmp_path / "third")).home / "keys").exists()


def rewritten(saved, path, change):
    """The backup with its members changed: a function of {name: bytes}."""
    with tarfile.open(saved) as tar:
        members = {member.name: tar.extractfile(member).read() for member in tar}
    members = change(members)
    import io

    with tarfile.open(path, "w") as tar:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(content), 0o600
            tar.addfile(member, io.BytesIO(content))
    return path


def with_manifest(members, **changes):
    said = json.loads(members[MANIFEST])
    return members | {MANIFEST: json.dumps(said | changes).encode()}


BAD = {
    "a byte changed": (lambda m: m | {"hub.toml": m["hub.toml"].replace(b"hub", b"hob")}, "hub.toml in .* was changed"),
    "a file missing": (lambda m: {n: c for n, c in m.items() if n != "registry.toml"}, "lacks registry.toml"),
    "a file too many": (lambda m: {"extra": b"x", **m}, "holds 'extra'"),
    "a name that leads elsewhere": (
        lambda m: {
            **with_manifest(
                m,
                files={**json.loads(m[MANIFEST])["files"], "../x": {"size": 0, "sha256": hashlib.sha256().hexdigest()}},
            ),
            "../x": b"",
        },
        "holds '../x'",
    ),
    "no manifest": (lambda m: {n: c for n, c in m.items() if n != MANIFEST}, "is no whole backup"),
    "a manifest of numbers": (lambda m: m | {MANIFEST: b"7"}, "manifest is of another form"),
    "a newer form": (lambda m: with_manifest(m, format=99), "manifest is of another form"),
    "files that are a list": (lambda m: with_manifest(m, files=[1]), "manifest is of another form"),
}


@pytest.mark.parametrize(("change", "words"), BAD.values(), ids=BAD.keys())
def test_what_is_no_whole_backup_leaves_nothing_behind(saved, tmp_path, change, words):
    bad = rewritten(saved, tmp_path / "bad.tar", change)
    with pytest.raises(BadInput, match=words):
        restore(bad, Home(tmp_path / "other"))
    assert not [path for path in tmp_path.iterdir() if "other" in path.name or path.name == "x"]


def test_a_torn_file_is_none(saved, tmp_path):
    (tmp_path / "torn.tar").write_bytes(saved.read_bytes()[:-20_000])
    with pytest.raises(BadInput, match="is no whole backup"):
        restore(tmp_path / "torn.tar", Home(tmp_path / "other"))
    with pytest.raises(BadInput, match="is no whole backup"):
        restore(tmp_path / "none.tar", Home(tmp_path / "other"))


def test_tables_of_a_newer_version_are_refused(hub, saved, tmp_path):
    with sqlite3.connect(hub.home.folder / "relayhub.db") as database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
    save(hub.home, hub.context.config, hub.context.store, tmp_path / "newer.tar", with_keys=False)
    with pytest.raises(BadInput, match="tables of version 9999"):
        restore(tmp_path / "newer.tar", Home(tmp_path / "other"))
    assert not (tmp_path / "other").exists()


def test_a_folder_that_is_not_empty_is_left_alone(saved, tmp_path):
    (tmp_path / "other").mkdir()
    restore(saved, Home(tmp_path / "other"))
    with pytest.raises(NotNow, match="is not empty"):
        restore(saved, Home(tmp_path / "other"))
    (tmp_path / "file").touch()
    with pytest.raises(NotNow, match="is not empty"):
        restore(saved, Home(tmp_path / "file"))


def test_a_backup_never_replaces_a_file_and_leaves_no_part_of_one(hub, saved, tmp_path, monkeypatch):
    with pytest.raises(Duplicate, match=r"copy\.tar exists already"):
        save(hub.home, hub.context.config, hub.context.store, saved, with_keys=False)
    with pytest.raises(BadInput, match="There is no folder"):
        save(hub.home, hub.context.config, hub.context.store, tmp_path / "no" / "x.tar", with_keys=False)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("relay.backup.saving.copy_to_file", full)
    before = set(tmp_path.iterdir())
    with pytest.raises(OSError, match="No space"):
        save(hub.home, hub.context.config, hub.context.store, tmp_path / "next.tar", with_keys=False)
    assert set(tmp_path.iterdir()) == before


def test_ledgers_that_do_not_answer_are_named(hub, saved, tmp_path):
    hub.send(*OUT, b"since", receiver=RECEIVER)
    hub.mine()
    hub.faults("alpha").unreachable = True
    made = restore(saved, Home(tmp_path / "other"))
    assert (made.newer, made.silent) == ([], ["alpha"])


def test_by_commands(hub, tmp_path, capsys):
    hub.send(*OUT, b"x", receiver=RECEIVER)
    hub.settle_down()
    home, other, file = str(hub.home.folder), str(tmp_path / "other"), str(tmp_path / "b.tar")
    assert main(["backup", file, "--home", home]) == 0
    assert "without private keys" in capsys.readouterr().out
    hub.send(*OUT, b"since", receiver=RECEIVER)
    hub.mine()
    assert main(["restore", file, "--home", other]) == 0
    told = capsys.readouterr().out
    assert "alpha → beta #default: sent 1 here, 2 on the ledger; read again." in told
    assert "No private keys" in told
    assert main(["restore", file, "--home", other]) == 2
    assert capsys.readouterr().err.startswith("NotNow: ")
    shutil.rmtree(other)
    assert main(["restore", file, "--home", other, "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert (data["hub"], data["evidence"], data["newer"][0]["there"]) == ("hub", "none", 2)
    assert main(["backup", file + "2", "--with-keys", "--json", "--home", home]) == 0
    assert json.loads(capsys.readouterr().out)["keys"] is True


def test_another_database_may_be_named(hub, saved, tmp_path):
    url = f"sqlite:///{tmp_path / 'elsewhere.db'}"
    restore(saved, Home(tmp_path / "other"), database=url)
    assert Home(tmp_path / "other").load().database == url
    assert not (tmp_path / "other" / "relayhub.db").exists()
    move_to(hub, Home(tmp_path / "other"))
    assert [row.name for row in hub.rows(chains)] == ["alpha", "beta"]
    assert hub.journey(*OUT).settled == 3
    with pytest.raises(NotNow, match="has 2 ledgers already"):
        restore(saved, Home(tmp_path / "third"), database=url)
