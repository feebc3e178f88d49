"""Proofs of records, offline: a good one holds, and each check refuses what fails it alone."""

import json
from dataclasses import replace

import pytest

from light_clients.errors import LightClientError
from light_clients.proofs.notes import NoteKey
from relay.cli import main
from relay.config import HubConfig
from relay.errors import BadInput, NotNow
from relay.evidence.access_rules import AccessRule, Caller
from relay.evidence.checkpoints import Ed25519Signer, log_keys, origin_of
from relay.evidence.leaves import encode
from relay.evidence.outbox import note
from relay.evidence.record_proofs import Proof, ProofFalse, prove, verify
from relay.evidence.records import NewRecord, Records
from relay.home import Home
from relay.keys import KeyStore
from relay.store import Store
from tests.support.hub_evidence import drain

CONTENT = "户籍 📜".encode()
OWNER = Caller("民政局")


class Hub:
    """A hub with five leaves; the third and fourth are records, the fourth is erased."""

    def __init__(self, folder):
        self.home = Home(folder)
        self.home.save(HubConfig(name="诚信 hub", development=True))
        self.store = Store(self.home.database_url(self.home.load()))
        self.store.migrate()
        self.records = Records(self.store, self.home.evidence)
        self.other("before")
        self.other("before too")
        (batch,) = self.records.put([NewRecord(CONTENT), NewRecord(b"erased")], AccessRule.parse("民政局"))
        self.kept, self.erased = [record.commitment for record in batch]
        self.records.erase(self.erased.hex(), OWNER)
        self.record()
        self.keys = log_keys(KeyStore(self.home.keys), origin_of("诚信 hub"))

    def other(self, text):
        with self.store.write() as connection:
            note(connection, "test", [text])

    def record(self):
        drain(self.home, self.store)

    def proof(self):
        with self.records.open(self.kept.hex(), OWNER, purpose="prove") as (_, stored):
            return prove(self.store, self.home.evidence, self.kept, stored.salt)


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    hub = Hub(tmp_path_factory.mktemp("hub"))
    yield hub
    hub.store.close()


@pytest.fixture(scope="module")
def proof(hub):
    return hub.proof()


def test_a_good_proof_holds_with_and_without_the_content(hub, proof):
    read = Proof.from_json(json.dumps(proof.to_json()))
    assert read == proof
    shown = verify(read, hub.keys, [CONTENT[:3], CONTENT[3:]])
    assert (shown.commitment, shown.leaf, shown.size, shown.content_checked) == (hub.kept, 2, 5, True)
    assert shown.origin == origin_of("诚信 hub")
    assert not verify(read, hub.keys).content_checked


def test_an_erased_record_is_still_proved(hub):
    proof = prove(hub.store, hub.home.evidence, hub.erased)
    assert proof.salt is None
    assert verify(proof, hub.keys).leaf == 3


def test_without_the_salt_no_content_is_compared(hub, proof):
    blind = replace(proof, salt=None)
    assert "salt" not in blind.to_json()
    assert verify(blind, hub.keys).commitment == hub.kept
    with pytest.raises(BadInput, match="no salt"):
        verify(blind, hub.keys, [CONTENT])


def changed(data, **fields):
    return data | fields


FORMS = {
    "no JSON": lambda _: None,
    "a list": lambda data: [data],
    "another format": lambda data: changed(data, format="relayhub record proof 2"),
    "a field more": lambda data: changed(data, more=1),
    "a field less": lambda data: {name: value for name, value in data.items() if name != "inclusion"},
    "short record": lambda data: changed(data, record=data["record"][:-2]),
    "short salt": lambda data: changed(data, salt="0x12"),
    "leaf below zero": lambda data: changed(data, leaf=-1),
    "leaf is a text": lambda data: changed(data, leaf="2"),
    "leaf is true": lambda data: changed(data, leaf=True),
    "odd digits": lambda data: changed(data, entry="0x123"),
    "hashes are a text": lambda data: changed(data, inclusion="0x"),
    "checkpoint is a number": lambda data: changed(data, checkpoint=5),
}


@pytest.mark.parametrize("name", FORMS)
def test_1_the_form(proof, name):
    made = FORMS[name](proof.to_json())
    with pytest.raises(BadInput, match="no proof of a record"):
        Proof.from_json("{" if made is None else json.dumps(made))


@pytest.mark.parametrize(
    "entry",
    [b"", b"\x01", encode("record", 3, 1, (b"\x01" * 32,)), encode("access", 3, 1, (b"\x02" * 32,))],
    ids=["empty", "no array", "another record", "another kind"],
)
def test_2_the_entry(hub, proof, entry):
    with pytest.raises(ProofFalse, match=r"The entry is (no leaf|not the leaf of this record)"):
        verify(replace(proof, entry=entry), hub.keys)


def test_2_the_record(hub, proof):
    with pytest.raises(ProofFalse, match="not the leaf of this record"):
        verify(replace(proof, commitment=hub.erased), hub.keys)


def test_3_the_signature(hub, proof):
    lines = proof.checkpoint.decode().split("\n")
    lines[1] = "6"
    with pytest.raises(LightClientError) as refused:
        verify(replace(proof, checkpoint="\n".join(lines).encode()), hub.keys)
    assert refused.value.name == "SignatureInvalid"


def test_3_the_signer(hub, proof):
    stranger = Ed25519Signer(origin_of("诚信 hub"), b"\x07" * 32).note_key
    with pytest.raises(LightClientError) as refused:
        verify(proof, [stranger])
    assert refused.value.name == "NoteUnsigned"


def test_3_a_trusted_key_of_another_log(hub, proof):
    other = Ed25519Signer("relayhub/other", b"\x08" * 32)
    text = proof.checkpoint.decode().partition("\n\n")[0] + "\n"
    signed = (text + "\n" + other.lines(text, None)).encode()
    with pytest.raises(ProofFalse, match="signed by relayhub/other"):
        verify(replace(proof, checkpoint=signed), [*hub.keys, other.note_key])


@pytest.mark.parametrize(
    ("change", "name"),
    [
        (lambda proof: replace(proof, leaf=1), "TreeRootMismatch"),
        (lambda proof: replace(proof, leaf=5), "TreePlaceInvalid"),
        (lambda proof: replace(proof, inclusion=proof.inclusion[:-1]), "TreeProofLengthInvalid"),
        (lambda proof: replace(proof, inclusion=(bytes(32), *proof.inclusion[1:])), "TreeRootMismatch"),
        (
            lambda proof: replace(proof, entry=encode("record", 3, 0, (proof.commitment,))),
            "TreeRootMismatch",
        ),
    ],
    ids=["another place", "beyond the tree", "a hash less", "a false hash", "another time"],
)
def test_4_the_place(hub, proof, change, name):
    with pytest.raises(LightClientError) as refused:
        verify(change(proof), hub.keys)
    assert refused.value.name == name


def test_5_the_content(hub, proof):
    with pytest.raises(ProofFalse, match="not the content of this record"):
        verify(proof, hub.keys, [CONTENT + b" "])


def test_5_the_salt(hub, proof):
    with pytest.raises(ProofFalse, match="not the content of this record"):
        verify(replace(proof, salt=bytes(32)), hub.keys, [CONTENT])


def test_what_is_not_published_yet_waits(hub):
    (batch,) = hub.records.put([NewRecord(b"new")], AccessRule.parse("民政局"))
    with pytest.raises(NotNow, match="no published checkpoint yet"):
        prove(hub.store, hub.home.evidence, batch[0].commitment)


def test_a_record_never_has_another_ones_proof(hub):
    with pytest.raises(NotNow, match="no published checkpoint yet"):
        prove(hub.store, hub.home.evidence, b"\x01" * 32)


class TestCommands:
    """The commands, on a hub of their own."""

    @pytest.fixture
    def run(self, tmp_path, capfdbinary, monkeypatch):
        home = Home(tmp_path / "home")
        home.save(HubConfig(name="hub", development=True))
        monkeypatch.setenv("RELAYHUB_HOME", str(home.folder))

        def run(*words, code=0):
            assert main(["evidence", *words]) == code
            captured = capfdbinary.readouterr()
            return captured.out if code == 0 else captured.err.decode()

        run.home = home
        run.folder = tmp_path
        return run

    def record(self, home):
        store = Store(home.database_url(home.load()))
        drain(home, store)
        store.close()

    def test_put_get_prove_verify_erase(self, run):
        content = bytes(range(256)) + "公文".encode()
        (run.folder / "公文.bin").write_bytes(content)
        made = json.loads(
            run("put", str(run.folder / "公文.bin"), "--organisation", "民政局", "--readers", "税务局", "--json")
        )
        assert (made["name"], made["size"]) == ("公文.bin", 262)
        assert run("get", made["id"], "--as", "税务局") == content
        assert run("get", made["id"], "--as", "民政局", "--out", str(run.folder / "out")) == b""
        assert (run.folder / "out").read_bytes() == content
        assert "NotAllowed: 公安局 may not read" in run("get", made["id"], "--as", "公安局", code=2)
        assert "NotAllowed: A stranger" in run("get", made["id"], code=2)
        assert "BadInput: 'officer' is no role" in run("get", made["id"], "--role", "officer", code=2)
        assert "NotNow" in run("prove", made["id"], "--patience", "0", code=2)
        self.record(run.home)
        file = run.folder / "proof.json"
        file.write_bytes(run("prove", made["id"][:12]))
        assert "content was not compared" in run("verify", str(file)).decode()
        assert "BadInput: The proof has no salt" in run("verify", str(file), "--file", str(run.folder / "out"), code=2)
        file.write_bytes(run("prove", made["id"], "--as", "税务局"))
        shown = json.loads(run("verify", str(file), "--file", str(run.folder / "out"), "--json"))
        assert shown["record"] == made["id"]
        assert shown["content_checked"]
        assert "公文.bin" in run("list", "--as", "税务局").decode()
        assert "Say who asks" in run("list").decode()
        assert "Only 民政局 may erase" in run("erase", made["id"], "--as", "税务局", code=2)
        assert "Erased: " + made["id"] in run("erase", made["id"], "--as", "民政局").decode()
        assert "erased by its owner" in run("get", made["id"], "--as", "民政局", code=2)
        assert "Proved" in run("verify", str(file)).decode()

    def test_a_key_from_elsewhere_needs_no_hub(self, run, monkeypatch):
        made = json.loads(run("put", __file__, "--organisation", "a", "--json"))
        self.record(run.home)
        file = run.folder / "proof.json"
        file.write_bytes(run("prove", made["id"], "--as", "a"))
        key: NoteKey = log_keys(KeyStore(run.home.keys), origin_of("hub"))[0]
        monkeypatch.setenv("RELAYHUB_HOME", str(run.folder / "nowhere"))
        assert "Proved" in run("verify", str(file), "--log-key", key.text, "--file", __file__).decode()
        assert "no hub" in run("verify", str(file), code=2)
        assert "BadInput" in run("verify", str(file), "--log-key", "nonsense", code=2)

    def test_batches(self, run):
        lines = run.folder / "lines"
        lines.write_text('{"name": "一", "text": "甲"}\n\n{"base64": "AAEC"}\n', encoding="utf-8")
        made = json.loads(run("put", "--lines", str(lines), "--organisation", "a", "--json"))
        assert [item["name"] for item in made] == ["一", ""]
        assert run("get", made[1]["id"], "--as", "a") == b"\0\1\2"
        assert len(run("put", "--folder", str(run.folder), "--organisation", "a").splitlines()) > 1

    def test_what_a_line_may_not_be(self, run):
        lines = run.folder / "lines"
        for line in (
            "{",
            "[]",
            "{}",
            '{"text": 5}',
            '{"base64": "A"}',
            '{"text": "a", "base64": ""}',
            '{"other": "a"}',
        ):
            lines.write_text('{"text": ""}\n' + line + "\n", encoding="utf-8")
            assert "Line 2 of" in run("put", "--lines", str(lines), "--organisation", "a", code=2)

    def test_what_put_refuses(self, run):
        assert "One source" in run("put", "--organisation", "a", code=2)
        assert "One source" in run("put", "x", "--folder", "y", "--organisation", "a", code=2)
        assert "has an owner" in run("put", __file__, code=2)
        assert "takes names" in run("put", "--folder", ".", "--name", "x", "--organisation", "a", code=2)
        assert "cannot be read" in run("put", "none", "--organisation", "a", code=2)
        assert "is no folder" in run("put", "--folder", "none", "--organisation", "a", code=2)
        (run.folder / "bare").mkdir()
        assert "no files" in run("put", "--folder", str(run.folder / "bare"), "--organisation", "a", code=2)

    def test_on_a_production_hub_nobody_is_believed_by_a_word(self, run):
        run.home.save(HubConfig(name="hub", development=False))
        made = json.loads(run("put", __file__, "--organisation", "a", "--readers", "public", "--json"))
        assert "On a production hub" in run("get", made["id"], "--as", "a", code=2)
        assert "On a production hub" in run("list", "--role", "auditor", code=2)
        assert run("get", made["id"]).startswith(b'"""Proofs of records')
