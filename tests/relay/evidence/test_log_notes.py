"""A hub over in-process ledgers: what a ledger holds of its log is proved for a receipt, and validators that change are followed."""

import json
from dataclasses import replace

import pytest
from sqlalchemy import update

from adapters.memory.gateway import LogNote as Held
from light_clients import qbft
from light_clients.bft.types import Address, ValidatorOverride
from light_clients.crypto.secp256k1 import address_of
from relay.errors import BadInput, NotFound, NotNow
from relay.evidence.log_notes import make_log_note
from relay.evidence.trust_anchors import anchors_of
from relay.evidence.validator_changes import changes_of
from relay.evidence.verify import read_anchors, verify
from relay.store.reader import Reader
from relay.store.tables import messages, transactions
from schemas.suites import keccak256
from tests.relay.evidence.test_receipts import relayhub, run
from tests.relay.evidence.test_second_verifier import second
from tests.support.hub_evidence import anchors_read, receipt_file, record
from tests.support.memory_hub import label_key


@pytest.fixture
def hub(make_hub):
    return make_hub(batch_limit=3)


def note(hub, name="alpha"):
    """The schedule is looked at, and its transaction is mined and followed."""
    with hub.context.store.write() as connection:
        connection.execute(update(transactions).where(transactions.c.purpose == "log").values(created_at=0))
    for _ in range(3):
        hub.context.log_looks.clear()
        hub.chain_task(name)
        hub.mine()
        hub.forget_times()
    hub.chain_task(name)


def receipt_of(hub, nonce):
    """The receipt's file of a message from alpha to beta."""
    row = next(row for row in hub.rows(messages) if row.nonce == nonce)
    return receipt_file(hub.home, row.message_id)


def verdicts(receipt, anchors, made=None):
    """Names of the checks that fail, by both verifiers."""
    data = None if made is None else made.model_dump_json().encode()
    findings = second.verify(receipt, second.read_anchors(anchors), data)
    failed = tuple(finding.name for finding in findings if finding.state == "fails")
    return verify(receipt, read_anchors(anchors), data).failed, failed


def test_a_receipt_holds_by_a_note_of_before_it_and_of_after_it(hub):
    run(hub, messages_sent=2)
    record(hub)
    note(hub)
    run(hub, messages_sent=2)
    record(hub)
    receipt, anchors = receipt_of(hub, 3), anchors_of(hub.home).encode()
    before = make_log_note(hub.home, "alpha", receipt)
    assert verdicts(receipt, anchors, before) == ((), ())
    run(hub, messages_sent=2)
    record(hub)
    note(hub)
    after = make_log_note(hub.home, "alpha", receipt)
    assert after.size > before.size
    assert after.consistency != before.consistency
    assert verdicts(receipt, anchors, after) == ((), ())
    another = receipt_of(hub, 5)
    assert verdicts(another, anchors, after)[0] in ((), ("note.consistency",))  # a note's proof is for one receipt
    assert verdicts(another, anchors, make_log_note(hub.home, "alpha", another)) == ((), ())


def test_what_cannot_be_given_says_why(hub):
    run(hub, messages_sent=1)
    record(hub)
    receipt = receipt_of(hub, 1)
    with pytest.raises(NotNow, match="noted on alpha"):
        make_log_note(hub.home, "alpha", receipt)
    with pytest.raises(NotFound):
        make_log_note(hub.home, "gamma", receipt)
    with pytest.raises(BadInput, match="no receipt"):
        make_log_note(hub.home, "alpha", b"{}")
    note(hub)
    hub.set_chain("alpha", consensus="chainmaker")
    with pytest.raises(BadInput, match="gives no proof"):
        make_log_note(hub.home, "alpha", receipt)


@pytest.mark.parametrize(("longer", "text"), [(0, "note.consistency"), (1_000, "leaves")])
def test_a_ledger_that_was_told_of_another_log_is_not_passed_over(hub, longer, text):
    run(hub, messages_sent=1)
    record(hub)
    receipt = receipt_of(hub, 1)
    account = bytes(hub.context.chain("alpha").account)
    hub.ledgers["alpha"].gateway.notes[account] = Held(2 + longer, keccak256(b"another log"))
    hub.mine()
    hub.chain_task("alpha")
    with pytest.raises(BadInput, match=text):
        make_log_note(hub.home, "alpha", receipt)


def test_an_endpoint_that_gives_a_false_proof_gives_no_note(hub, monkeypatch):
    run(hub, messages_sent=1)
    record(hub)
    note(hub)
    whole = hub.ledgers["alpha"].slots

    def false(*words):
        return [replace(item, storage_proof=item.storage_proof[:-1]) for item in whole(*words)]

    monkeypatch.setattr(hub.ledgers["alpha"], "slots", false)
    with pytest.raises(NotNow, match="does not hold"):
        make_log_note(hub.home, "alpha", receipt_of(hub, 1))


def test_the_commands_say_it_to_a_stranger(hub, tmp_path):
    run(hub, messages_sent=1)
    record(hub)
    note(hub)
    receipt = receipt_of(hub, 1)
    (tmp_path / "r.json").write_bytes(receipt)
    (tmp_path / "note.json").write_text(make_log_note(hub.home, "alpha", receipt).model_dump_json())
    (tmp_path / "anchors.toml").write_text(anchors_of(hub.home), encoding="utf-8")
    words = ("verify", "r.json", "--anchors", "anchors.toml", "--log-note", "note.json")
    told = relayhub(tmp_path, *words)
    assert told.returncode == 0, told.stdout + told.stderr
    assert " 25. note.consistency holds" in told.stdout
    other = json.loads((tmp_path / "note.json").read_text())
    (tmp_path / "note.json").write_text(json.dumps(other | {"root": "0x" + "11" * 32}))
    bad = relayhub(tmp_path, *words, "--json")
    assert (bad.returncode, json.loads(bad.stdout)["failed"]) == (2, ["note.proof", "note.consistency"])


def change_validators(hub, name, number, keys):
    """From block `number` on a ledger has other validators, as its configuration says."""
    members = tuple(sorted(Address(address_of(key)) for key in keys))
    state = qbft.state_from_bytes(hub.context.chain(name).client_state)
    overrides = (*state.configuration.overrides, ValidatorOverride(number, members))
    configuration = replace(state.configuration, overrides=overrides)
    hub.set_chain(name, client_state=replace(state, configuration=configuration).to_bytes())
    while hub.ledgers[name].height < number - 1:
        hub.mine(name)
    hub.ledgers[name].validator_keys = list(keys)
    hub.mine(name)


def test_anchors_of_before_a_change_lead_to_claims_of_after_it(hub):
    run(hub, messages_sent=1)
    record(hub)
    old = anchors_of(hub.home).encode()
    keys = {name: hub.ledgers[name].validator_keys for name in hub.names}
    for round_ in range(2):
        for name in hub.names:
            keys[name] = [*keys[name][1:], label_key(f"validator {name} {round_}")]
            height = hub.ledgers[name].height + 3
            change_validators(hub, name, height, keys[name])
            hub.chain_task(name)
        run(hub, messages_sent=1)
    record(hub)
    new = anchors_of(hub.home).encode()
    with Reader(hub.home.database_in(hub.home.settings())) as reader:
        found = changes_of(reader, hub.home, bytes(hub.ledgers["alpha"].word))
    assert len(found) == 2
    assert [len(chain.validators) for chain in read_anchors(new).chains] == [3, 3]
    for nonce, known in ((1, 0), (2, 1), (3, 2)):
        receipt = receipt_of(hub, nonce)
        assert len(json.loads(receipt)["out"]["validators"]) == known
        assert verdicts(receipt, old) == ((), ())
        assert verdicts(receipt, new) == ((), ())
    last = json.loads(receipt_of(hub, 3))
    last["back"]["validators"] = []
    assert verdicts(json.dumps(last).encode(), old) == (("back.header",), ("back.header",))
    note(hub)
    made = make_log_note(hub.home, "alpha", receipt_of(hub, 1))
    assert verdicts(receipt_of(hub, 1), old, made) == ((), ())


def test_sets_that_the_light_client_has_forgotten_stay_in_the_anchors(hub):
    keys = hub.ledgers["alpha"].validator_keys
    for round_ in range(2):
        keys = [*keys[1:], label_key(f"validator {round_}")]
        change_validators(hub, "alpha", hub.ledgers["alpha"].height + 2, keys)
        hub.chain_task("alpha")
    for _ in range(280):
        hub.mine("alpha")
    hub.chain_task("alpha")
    hub.chain_task("alpha")
    record(hub)
    state = qbft.state_from_bytes(hub.context.chain("alpha").client_state)
    chain = next(chain for chain in anchors_read(hub.home).chains if chain.name == "alpha")
    assert len(state.sets) == 1
    assert [item.first for item in chain.validators] == [
        0,
        *(change.height for change in state.configuration.overrides),
    ]
    assert len({item.members for item in chain.validators}) == 3
