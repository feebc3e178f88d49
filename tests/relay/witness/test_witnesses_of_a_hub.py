"""What a hub makes of its witnesses' word: receipts and proofs by the cosigned checkpoint, anchors, status; and the commands."""

import json
import tomllib

import pytest

from light_clients.proofs.notes import read_checkpoint, split_note
from relay.cli import main
from relay.evidence.checkpoints import log_keys
from relay.evidence.cosignatures import CosignatureKey, add_cosignature, ed25519_key, read_cosignatures
from relay.evidence.cosigned import write_cosigned
from relay.evidence.outbox import note
from relay.evidence.receipts import make_receipt
from relay.evidence.standings import STANDINGS, write_standings
from relay.evidence.trust_anchors import anchors_of
from relay.evidence.verify import verify
from relay.evidence.witness_roll import WitnessEntry
from relay.keys import KeyStore
from relay.store.tables import messages
from relay.views.status import hub_status
from relay.views.status_text import render
from relay.witness.configuration import load_config, open_witness
from tests.support.evidence_log import KEYS, ORIGIN, make_log, private, records
from tests.support.hub_evidence import anchors_read, record
from tests.support.memory_hub import MemoryHub

NOW = 1_700_000_000.0
SIGNING = ed25519_key(private("w0"))
KEY = CosignatureKey.create("witness.example/见证", bytes(SIGNING.verify_key))


@pytest.fixture
def hub(tmp_path):
    hub = MemoryHub(tmp_path, batch_limit=3)
    roll = {"Bank B": WitnessEntry(key=KEY.text, url="http://127.0.0.1:1")}
    hub.home.save(hub.home.load().model_copy(update={"witnesses": roll}))
    yield hub
    hub.close()


def more(hub):
    with hub.context.store.write() as connection:
        note(connection, "record", (bytes(32),))
    return record(hub)


def test_a_receipt_has_the_cosigned_checkpoint_and_anchors_demand_it(hub):
    hub.send("alpha", "beta", "付款".encode())
    hub.settle_down()
    published = record(hub)
    identifier = "0x" + hub.rows(messages)[0].message_id.hex()
    anchors = anchors_read(hub.home)
    assert (anchors.log.witnesses, anchors.log.witness_threshold) == ((KEY.text,), 1)
    bare = make_receipt(hub.home, identifier)
    assert verify(bare.model_dump_json().encode(), anchors).failed == ("checkpoint",)
    cosigned = add_cosignature(published, KEY.line(SIGNING, split_note(published)[0], NOW), [KEY])
    write_cosigned(hub.home.evidence / "log", cosigned)
    newest = more(hub)
    assert newest != published
    receipt = make_receipt(hub.home, identifier)
    assert receipt.checkpoint.encode() == cosigned
    assert verify(receipt.model_dump_json().encode(), anchors).good
    hub.send("alpha", "beta", "后来".encode())
    hub.settle_down()
    newest = record(hub)
    later = "0x" + next(row for row in hub.rows(messages) if row.nonce == 2).message_id.hex()
    assert make_receipt(hub.home, later).checkpoint.encode() == newest, "the cosigned one does not cover it yet"


def test_the_status_says_who_is_behind_and_since_when(hub):
    record(hub)
    file = hub.home.evidence / STANDINGS
    said = {"size": 5, "at": NOW - 100, "behind_since": NOW - 90, "code": "unreachable", "text": "It does not answer."}
    write_standings(file, {KEY.name: said})
    data = hub_status(hub.home, NOW)
    assert data["evidence"]["witnesses"] == {
        "threshold": 1,
        "cosigned": None,
        "witnesses": [said | {"name": "Bank B", "behind_s": 90.0}],
    }
    assert "Witnesses: nothing yet cosigned by 1 of 1; Bank B behind for 2 min (unreachable)" in render(data, NOW)
    assert [alarm["code"] for alarm in data["evidence"]["alarms"] if alarm["name"] == "Bank B"] == ["witness_behind"]
    write_standings(file, {KEY.name: said | {"behind_since": NOW, "code": "contradicts", "text": "A fork."}})
    alarms = hub_status(hub.home, NOW)["evidence"]["alarms"]
    assert [alarm["code"] for alarm in alarms if alarm["name"] == "Bank B"] == ["log_contradicted"]
    write_standings(file, {KEY.name: said | {"behind_since": 0.0, "code": "", "text": ""}})
    data = hub_status(hub.home, NOW)
    assert [alarm for alarm in data["evidence"]["alarms"] if alarm["name"] == "Bank B"] == []
    assert "behind" not in render(data, NOW).rpartition("Witnesses:")[2]


def test_without_witnesses_nothing_is_said(tmp_path):
    hub = MemoryHub(tmp_path)
    data = hub_status(hub.home, NOW)
    assert data["evidence"]["witnesses"] == {"threshold": 0, "cosigned": None, "witnesses": []}
    assert "Witnesses" not in render(data, NOW)
    hub.close()


def run(capsys, *words):
    code = main(["witness", *map(str, words)])
    output = capsys.readouterr()
    return code, output.out, output.err


def test_the_commands(tmp_path, capsys):
    folder, config = tmp_path / "见证", tmp_path / "见证" / "witness.toml"
    made = ("init", "--folder", folder, "--name", "witness.example/见证", "--log", KEYS[0].text)
    code, out, _ = run(capsys, *made)
    assert code == 0
    table = tomllib.loads(out[out.index("[witnesses") :])["witnesses"]["witness.example/见证"]
    witness = open_witness(load_config(config))
    assert WitnessEntry.model_validate(table).key == witness.key.text
    modes = {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir() if path.suffix}
    assert modes == {"key.json": 0o600, "witness.toml": 0o600, "cosigned.json": 0o600}
    assert KeyStore(folder).load("key").private.hex() not in out
    log = make_log(tmp_path / "log", 300)
    code, out, _ = run(capsys, "cosign", tmp_path / "log", "--config", config)
    assert code == 0
    assert len(read_cosignatures(out.encode(), [witness.key])) == 1
    log.append(records(300, 700))
    log.publish(NOW)
    code, out, _ = run(capsys, "cosign", tmp_path / "log", "--config", config, "--json")
    told = json.loads(out)
    assert (told["origin"], told["size"], told["root"]) == (ORIGIN, 700, "0x" + log.root(700).hex())
    assert read_checkpoint(split_note(told["checkpoint"].encode())[0]).size == 700
    log.close()
    code, out, _ = run(capsys, "show", "--config", config, "--json")
    assert [(item["origin"], item["size"]) for item in json.loads(out)["logs"]] == [(ORIGIN, 700)]
    assert run(capsys, *made)[2].startswith("Duplicate: There is a witness in")
    forked = make_log(tmp_path / "fork", 600)
    forked.append([b"x"] * 100)
    forked.publish(NOW)
    forked.close()
    code, out, err = run(capsys, "cosign", tmp_path / "fork", "--config", config)
    assert (code, out) == (2, "")
    assert err.startswith(f"Forked: {ORIGIN} signed two checkpoints of 700 leaves")
    assert "refused" in run(capsys, "show", "--config", config)[1]


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (("port", 0), "port"),
        (("name", "a b"), "cannot stand in signature lines"),
        (("logs", ["x"]), "name\\+id"),
        (("host", "0.0.0.0"), "only with TLS"),
        (("host", "example"), "no IP address"),
        (("tls_key", "key.pem"), "cannot be used"),
        (("more", 1), "Extra"),
    ],
)
def test_configurations_that_are_none(tmp_path, capsys, change, text):
    import re

    import tomli_w

    run(capsys, "init", "--folder", tmp_path / "w", "--name", "w", "--log", KEYS[0].text, "--port", "9")
    config = tmp_path / "w" / "witness.toml"
    settings = tomllib.loads(config.read_text()) | dict([change])
    config.write_text(tomli_w.dumps(settings))
    code, _, err = run(capsys, "show", "--config", config)
    assert code == 2
    assert re.search(text, err)


def test_a_memory_or_a_key_that_is_gone_is_not_made_anew(tmp_path, capsys):
    run(capsys, "init", "--folder", tmp_path / "w", "--name", "w", "--log", KEYS[0].text, "--port", "9")
    config = tmp_path / "w" / "witness.toml"
    (tmp_path / "w" / "cosigned.json").unlink()
    assert run(capsys, "show", "--config", config)[2].startswith("MemoryLost: ")
    assert not (tmp_path / "w" / "cosigned.json").exists()
    (tmp_path / "w" / "key.json").unlink()
    assert run(capsys, "show", "--config", config)[2].startswith("NotFound: ")
    assert run(capsys, "show", "--config", tmp_path / "none.toml")[2].startswith("NotFound: ")


def test_the_log_s_own_key_is_not_taken_for_a_witness_s(hub):
    record(hub)
    origin = read_checkpoint(split_note((hub.home.evidence / "log" / "checkpoint").read_bytes())[0]).origin
    assert log_keys(KeyStore(hub.home.keys), origin)[0].text not in anchors_of(hub.home).partition("witnesses")[2]
