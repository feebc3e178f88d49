"""`relayhub --hub URL evidence` and `audit`: put, list, read, prove and erase on a hub elsewhere, and check its log."""

import hashlib
import json

import pytest

from relay import client
from relay.cli import main, remote_records
from relay.evidence.checkpoints import log_keys, origin_of
from relay.keys import KeyStore
from tests.support.api_world import ApiWorld, Shared
from tests.support.hub_evidence import drain

URL = "http://hub"


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    folder = tmp_path_factory.mktemp("remote")
    world = ApiWorld(folder)
    for name, role, organisation in (
        ("民政局", "application", "民政局"),
        ("税务局", "auditor", "税务局"),
        ("公安局", "officer", "公安局"),
    ):
        path = folder / name
        path.write_text(world.token(role, organisation=organisation))
        path.chmod(0o600)
    world.folder = folder
    yield world
    world.close()


@pytest.fixture(autouse=True)
def connected(world, monkeypatch):
    made = client.HubClient.__init__

    def connect(self, url, token="", **options):
        made(self, url, token, **options | {"transport": Shared(world.bridge)})

    monkeypatch.setattr(client.HubClient, "__init__", connect)
    monkeypatch.setenv("RELAYHUB_HOME", str(world.hub.home.folder))


def run(world, who, *words):
    return main(["--hub", URL, "--token-file", str(world.folder / who), *words])


def told(world, capsys, who, *words):
    assert run(world, who, *words) == 0, capsys.readouterr().err
    return capsys.readouterr().out


def record(world):
    drain(world.hub.home, world.hub.store)


def test_a_record_goes_through_its_whole_life_elsewhere(world, capsys, tmp_path):
    letter = tmp_path / "婚.txt"
    letter.write_bytes("婚姻登记 1024\n".encode())
    kept = json.loads(told(world, capsys, "民政局", "evidence", "put", str(letter), "--readers", "税务局", "--json"))
    assert (kept["name"], kept["size"]) == ("婚.txt", letter.stat().st_size)
    record(world)

    (shown,) = json.loads(told(world, capsys, "税务局", "evidence", "list", "--json"))
    assert shown["id"] == kept["id"]
    assert json.loads(told(world, capsys, "公安局", "evidence", "list", "--json")) == []
    out = tmp_path / "out"
    read = json.loads(told(world, capsys, "税务局", "evidence", "get", kept["id"][:12], "--out", str(out), "--json"))
    assert out.read_bytes() == letter.read_bytes()
    assert hashlib.sha256(bytes.fromhex(read["salt"][2:]) + out.read_bytes()).hexdigest() == kept["id"][2:]
    assert run(world, "公安局", "evidence", "get", kept["id"]) == 2
    assert capsys.readouterr().err.startswith("NotFound: There is no record of that id that you may read.")

    proof = tmp_path / "proof.json"
    proof.write_text(told(world, capsys, "税务局", "evidence", "prove", kept["id"], "--salt"))
    assert "is its content" in told_here(capsys, "evidence", "verify", str(proof), "--file", str(letter))
    bare = json.loads(told(world, capsys, "公安局", "evidence", "prove", kept["id"]))
    assert "salt" not in bare

    assert run(world, "公安局", "evidence", "erase", kept["id"]) == 2
    assert "Erased" in told(world, capsys, "民政局", "evidence", "erase", kept["id"])
    assert run(world, "民政局", "evidence", "get", kept["id"]) == 2
    assert "was erased by its owner" in capsys.readouterr().err
    assert "its content was not compared" in told_here(capsys, "evidence", "verify", str(proof))


def told_here(capsys, *words):
    assert main(list(words)) == 0, capsys.readouterr().err
    return capsys.readouterr().out


def test_a_folder_goes_in_batches_and_large_files_by_themselves(world, capsys, tmp_path, monkeypatch):
    monkeypatch.setattr(remote_records, "BATCH_BYTES", 30)
    monkeypatch.setattr(remote_records, "BATCH_RECORDS", 3)
    folder = tmp_path / "census"
    folder.mkdir()
    contents = {f"{number}.csv": bytes([number]) * size for number, size in enumerate((1, 2, 3, 4, 29, 30, 500, 0, 7))}
    contents["large"] = b"\0" * 200_000
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    kept = json.loads(told(world, capsys, "民政局", "evidence", "put", "--folder", str(folder), "--json"))
    assert [item["name"] for item in kept] == sorted(contents)
    for item in kept:
        out = tmp_path / "out"
        told(world, capsys, "民政局", "evidence", "get", item["id"], "--out", str(out))
        assert out.read_bytes() == contents[item["name"]]
        assert item["size"] == len(contents[item["name"]])


def test_the_log_is_audited_through_the_interface(world, capsys, tmp_path):
    told(world, capsys, "民政局", "evidence", "put", "--lines", lines(tmp_path, 300))
    record(world)
    (key, *_) = log_keys(KeyStore(world.hub.home.keys), origin_of("hub"))
    seen = tmp_path / "seen"
    report = told(world, capsys, "公安局", "audit", "--key", key.text, "--keep", str(seen))
    assert "signature   holds" in report
    assert "Everything holds." in report
    assert seen.read_bytes() == (world.hub.home.evidence / "log" / "checkpoint").read_bytes()
    tile = next((world.hub.home.evidence / "log" / "tile" / "0").glob("000*"))
    whole = tile if tile.is_file() else next(tile.iterdir())
    good = whole.read_bytes()
    whole.chmod(0o600)
    whole.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
    try:
        assert run(world, "公安局", "audit", "--key", key.text) == 2
        assert "things are wrong" in capsys.readouterr().out
    finally:
        whole.write_bytes(good)


def lines(folder, count):
    path = folder / "lines"
    path.write_text("".join(json.dumps({"name": str(number), "text": "x"}) + "\n" for number in range(count)))
    return str(path)


@pytest.mark.parametrize("path", ["edge.journal", "../../hub.toml", "tile/0/../../../../keys/log.json", "tile/0/000/x"])
def test_nothing_but_the_log_is_served(world, path):
    token = (world.folder / "公安局").read_text()
    assert world.get(f"/v1/evidence/log/{path}", token).status_code in (404, 422)
