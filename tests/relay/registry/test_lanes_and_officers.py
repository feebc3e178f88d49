"""Lanes opened, changed and closed; officers' proposals; committees renewed and struck: on two sealed networks."""

import pytest
from sqlalchemy import select, update

from adapters.protocol import Rejected
from adapters.solidity.administration import Caps, allow_receiver
from adapters.solidity.contracts import committee_creation, organisation_word
from light_clients.crypto.secp256k1 import address_of
from relay.errors import BadInput, Duplicate, NotFound, NotNow
from relay.registry.actions import ACTIONS, Wish, build_action, refresh_after
from relay.registry.chains import chain_named, open_chain, retire_chain
from relay.registry.committee_changes import renew_committees, strike_operator
from relay.registry.gateways import Contract, deploy
from relay.registry.lane_changes import LaneChanges
from relay.registry.lanes import all_lanes, lane_row, lane_view, refresh
from relay.registry.officers import approve, carry_out, execute, known_proposals, parse_label, propose
from relay.registry.opening import open_lanes
from relay.registry.operators import add_operator, all_operators, mark_struck
from relay.registry.verifiers import learn_verifier
from relay.sending import Letter, expiry, payload_of, send
from relay.store.tables import committees, lanes, operators
from schemas.heads import outbox_genesis, outcomes_genesis
from schemas.payloads import decode_payload
from schemas.suites import EVM, keccak256

pytestmark = pytest.mark.live


def open_(hub, *pairs, channel="default", config=None, officer=None):
    return open_lanes(
        config or hub.config, hub.store, hub.keys, list(pairs), channel=channel, caps=Caps(), batch_limit=50,
        officer=officer, tell=hub.told.append,
    )  # fmt: skip


def changes(hub, first, second="", channel="default"):
    return LaneChanges(hub.config, hub.store, hub.keys, first, second, channel)


@pytest.fixture(scope="module")
def there(linked):
    return open_(linked, ("alpha", "beta"), ("beta", "alpha"))


@pytest.fixture(scope="module")
def forth(there):
    return there[0]


def test_both_lanes_are_active_at_once(there):
    assert [(lane.source, lane.destination, lane.state, lane.proposals) for lane in there] == [
        ("alpha", "beta", "active", ()),
        ("beta", "alpha", "active", ()),
    ]
    assert there[0].lane_id != there[1].lane_id


def test_the_row_begins_at_the_genesis_heads(linked, forth):
    row = lane_row(linked.store, "alpha", "beta")
    assert row.final_head == outbox_genesis(forth.lane_id)
    assert row.outcome_head == outcomes_genesis(EVM, forth.lane_id)
    assert (row.trust, row.batch_limit, row.final) == ("committee", 50, 0)


def test_both_gateways_know_the_lane(linked, forth):
    for chain, end in (("alpha", 0), ("beta", 1)):
        view = lane_view(linked.store, chain, forth.lane_id)
        assert (view["opened"], view["end"]) == (True, end)


def test_local_sender_and_mailbox_are_allowed(linked, forth):
    source, destination = chain_named(linked.store, "alpha"), chain_named(linked.store, "beta")
    ledger = open_chain(source)
    sender = linked.keys.load("sender").address
    assert Contract(ledger, "Gateway", bytes(source.gateway)).ask("senderLimit", forth.lane_id, sender) == 65_535
    ledger.close()
    ledger = open_chain(destination)
    gateway = Contract(ledger, "Gateway", bytes(destination.gateway))
    assert gateway.ask("receiverAllowed", forth.lane_id, bytes(destination.mailbox))
    ledger.close()


def test_a_lane_is_opened_once(linked, forth):
    with pytest.raises(Duplicate, match="exists already"):
        open_(linked, ("alpha", "beta"))


@pytest.mark.parametrize(
    ("pair", "channel", "error", "match"),
    [
        (("alpha", "nowhere"), "default", NotFound, "no ledger named 'nowhere'"),
        (("alpha", "alpha"), "default", BadInput, "one ledger to another"),
        (("alpha", "beta"), "cle\u0301", BadInput, "NFC"),
        (("alpha", "beta"), "", BadInput, "empty"),
    ],
)
def test_lanes_that_cannot_be(linked, there, pair, channel, error, match):
    before = len(all_lanes(linked.store))
    with pytest.raises(error, match=match):
        open_(linked, pair, channel=channel)
    assert len(all_lanes(linked.store)) == before


def test_a_lane_whose_gateway_refuses_leaves_no_trace(linked, there):
    impossible = Caps(max_payload=0)
    before = len(all_lanes(linked.store))
    with pytest.raises(Rejected, match="CapsMalformed"):
        open_lanes(
            linked.config, linked.store, linked.keys, [("alpha", "beta")], channel="impossible", caps=impossible,
            batch_limit=1, officer=None, tell=linked.told.append,
        )  # fmt: skip
    assert len(all_lanes(linked.store)) == before


def test_an_interrupted_opening_is_taken_up_again(linked, there):
    opened = open_(linked, ("alpha", "beta"), channel="again")[0]
    with linked.store.write() as connection:
        connection.execute(update(lanes).where(lanes.c.lane_id == opened.lane_id).values(state="opening"))
    assert open_(linked, ("alpha", "beta"), channel="again")[0].state == "active"


def test_finding_a_lane(linked, forth):
    digits = forth.lane_id.hex()
    assert lane_row(linked.store, digits).lane_id == forth.lane_id
    assert lane_row(linked.store, "0x" + digits[:8]).lane_id == forth.lane_id
    with pytest.raises(BadInput, match="names no lane"):
        lane_row(linked.store, "alpha")
    with pytest.raises(NotFound):
        lane_row(linked.store, "0x" + "00" * 8)
    with pytest.raises(NotFound):
        lane_row(linked.store, "alpha", "beta", "nothing")


def test_sending_a_letter_in_one_block(linked, forth):
    letter = Letter("mailbox", payload_of(text="你好 👋", hexadecimal=None, file=None, call=None), 200_000)
    before = lane_view(linked.store, "alpha", forth.lane_id)["sent"]
    sent = send(linked.store, ("alpha", "beta", "default"), linked.keys.load("sender"), letter, 3)
    assert [item.nonce for item in sent] == [before + 1, before + 2, before + 3]
    assert len({item.message_id for item in sent}) == 3


def test_a_sender_who_is_not_allowed(linked, forth):
    stranger = linked.keys.load("officer-3")
    letter = Letter("mailbox", b"\x01\x60", 200_000)
    with pytest.raises(Rejected, match="SenderNotAllowed"):
        send(linked.store, ("alpha", "beta", "default"), stranger, letter, 1)


@pytest.mark.parametrize("receiver", ["", "post", "0x", "0x1", "1234", "0x" + "11" * 65, "甲"])
def test_receivers_that_are_no_accounts(linked, forth, receiver):
    with pytest.raises(BadInput, match="is no account"):
        send(
            linked.store, ("alpha", "beta", "default"), linked.keys.load("sender"), Letter(receiver, b"\x01\x60", 1), 1
        )


def test_an_account_without_coins_is_told(linked, forth):
    poor = linked.keys.new("poor")
    changes(linked, "alpha", "beta").allow(sender="poor", receiver="", limit=5, officer=None)
    with pytest.raises(NotNow, match="key poor"):
        send(linked.store, ("alpha", "beta", "default"), poor, Letter("mailbox", b"\x01\x60", 200_000), 1)


def test_allow_and_deny(linked, forth):
    lane, account = changes(linked, "alpha", "beta"), "0x" + "77" * 20
    row = chain_named(linked.store, "beta")
    ledger = open_chain(row)
    gateway = Contract(ledger, "Gateway", bytes(row.gateway))
    assert lane.allow(sender="", receiver=account, limit=1, officer=None) == []
    assert gateway.ask("receiverAllowed", forth.lane_id, b"\x77" * 20)
    lane.deny(sender="", receiver=account, officer=linked.keys.load("officer-1"))
    assert not gateway.ask("receiverAllowed", forth.lane_id, b"\x77" * 20)
    ledger.close()
    for both in ({"sender": account, "receiver": account}, {"sender": "", "receiver": ""}):
        with pytest.raises(BadInput, match="One account"):
            lane.allow(**both, limit=1, officer=None)
        with pytest.raises(BadInput, match="One account"):
            lane.deny(**both, officer=linked.keys.load("officer-1"))


def test_a_denied_sender(linked, forth):
    lane = changes(linked, "alpha", "beta")
    lane.allow(sender="officer-2", receiver="", limit=1, officer=None)
    lane.deny(sender="officer-2", receiver="", officer=linked.keys.load("officer-1"))
    with pytest.raises(Rejected, match="SenderNotAllowed"):
        send(
            linked.store,
            ("alpha", "beta", "default"),
            linked.keys.load("officer-2"),
            Letter("mailbox", b"\x01\x60", 9),
            1,
        )


def test_limits_lowered_and_raised(linked, forth):
    lane = changes(linked, "alpha", "beta")
    for payload in (1_000, 2_000):
        assert lane.limit({"max_payload": payload}, None, None) == []
        for chain in ("alpha", "beta"):
            assert lane_view(linked.store, chain, forth.lane_id)["caps"]["maxPayload"] == payload
    assert lane.limit({"max_payload": 2_000}, 7, None) == []
    assert lane_row(linked.store, "alpha", "beta").batch_limit == 7
    with pytest.raises(BadInput, match="Nothing is to be changed"):
        lane.limit({}, None, None)


def test_pause_and_resume_a_lane(linked, there):
    lane, lane_id = changes(linked, "beta", "alpha"), there[1].lane_id
    lane.pause(linked.keys.load("guardian"))
    lane.pause(linked.keys.load("guardian"))
    assert lane_view(linked.store, "alpha", lane_id)["paused"]
    with pytest.raises(Rejected, match="LanePaused"):
        send(
            linked.store, ("beta", "alpha", "default"), linked.keys.load("sender"), Letter("mailbox", b"\x01\x60", 9), 1
        )
    assert lane.resume(None) == []
    assert not lane_view(linked.store, "alpha", lane_id)["paused"]


def test_a_closed_lane_takes_nothing_new(linked, there):
    opened = open_(linked, ("beta", "alpha"), channel="short")[0]
    assert changes(linked, "0x" + opened.lane_id.hex()).close(None) == []
    assert lane_row(linked.store, "beta", "alpha", "short").state == "closed"
    with pytest.raises(NotNow, match="is closed"):
        send(linked.store, ("beta", "alpha", "short"), linked.keys.load("sender"), Letter("mailbox", b"\x01\x60", 9), 1)
    with pytest.raises(Duplicate, match="opened once"):
        open_(linked, ("beta", "alpha"), channel="short")


def test_a_ledger_with_open_lanes_is_not_retired(linked, there):
    with pytest.raises(NotNow, match="is active"):
        retire_chain(linked.home, linked.config, linked.store, "alpha")
    assert chain_named(linked.store, "alpha").state == "active"


def test_a_ledger_that_owes_something_is_not_retired(linked, there):
    states = {row.lane_id: row.state for row in all_lanes(linked.store)}
    with linked.store.write() as connection:
        connection.execute(update(lanes).values(state="closed"))
        connection.execute(update(lanes).where(lanes.c.lane_id == there[0].lane_id).values(final=3, settled=1))
    try:
        with pytest.raises(NotNow, match="2 messages that are not settled"):
            retire_chain(linked.home, linked.config, linked.store, "alpha")
    finally:
        with linked.store.write() as connection:
            for lane_id, state in states.items():
                connection.execute(
                    update(lanes).where(lanes.c.lane_id == lane_id).values(state=state, final=0, settled=0)
                )


def test_three_officers_one_after_another(linked, forth):
    row = chain_named(linked.store, "beta")
    ledger = open_chain(row)
    action = allow_receiver(forth.lane_id, b"\x55" * 20)
    proposed = propose(linked.store, ledger, row, "gateway", action, linked.keys.load("officer-1"), text="allow 55")
    ledger.close()
    label = proposed.label
    with pytest.raises(Rejected, match="SameOfficer"):
        approve(linked.store, label, linked.keys.load("officer-1"))
    with pytest.raises(Rejected, match="NotOfficer"):
        approve(linked.store, label, linked.keys.load("sender"))
    assert approve(linked.store, label, linked.keys.load("officer-2")) > 0
    assert [item["state"] for item in known_proposals(linked.store) if item["proposal"] == label] == ["approved"]
    assert execute(linked.store, label, linked.keys.load("officer-3")) == action
    assert [item["state"] for item in known_proposals(linked.store) if item["proposal"] == label] == ["executed"]


def test_a_stranger_cannot_propose(linked, forth):
    row = chain_named(linked.store, "beta")
    with pytest.raises(Rejected, match="NotOfficer"):
        carry_out(
            linked.config, linked.store, linked.keys, row, "gateway", [allow_receiver(forth.lane_id, b"\x55" * 20)],
            officer=linked.keys.load("sender"), text="",
        )  # fmt: skip


def test_an_unknown_action_of_a_known_proposal(linked, forth):
    with pytest.raises(NotFound, match="not known here"):
        execute(linked.store, "alpha/gateway/999", linked.keys.load("officer-1"))


@pytest.mark.parametrize(
    "label", ["", "alpha", "alpha/gateway", "alpha/gateway/x", "alpha/mailbox/1", "/gateway/1", "alpha/gateway/²"]
)
def test_labels_that_name_no_proposal(linked, label):
    with pytest.raises(BadInput, match="names no proposal"):
        parse_label(linked.store, label)


def test_a_ledger_may_have_a_slash_free_name_in_any_script(linked):
    assert parse_label(linked.store, "alpha/verifier/12")[1:] == ("verifier", 12)


def test_a_production_hub_proposes(linked, forth):
    production = linked.config.model_copy(update={"development": False})
    with pytest.raises(BadInput, match="--key NAME"):
        open_(linked, ("alpha", "beta"), channel="proposed", config=production)
    assert not [row for row in all_lanes(linked.store) if row.channel == "proposed"]
    officer = linked.keys.load("officer-1")
    opened = open_(linked, ("alpha", "beta"), channel="proposed", config=production, officer=officer)[0]
    assert opened.state == "opening"
    assert {item.label.rsplit("/", 1)[0] for item in opened.proposals} == {"alpha/gateway", "beta/gateway"}
    for item in opened.proposals:
        approve(linked.store, item.label, linked.keys.load("officer-2"))
        execute(linked.store, item.label, linked.keys.load("officer-2"))
        refresh_after(linked.store, chain_named(linked.store, item.chain))
    assert lane_row(linked.store, "alpha", "beta", "proposed").state == "active"


def test_every_named_action_is_calldata(linked, forth):
    row = chain_named(linked.store, "alpha")
    wish = Wish(
        lane=forth.lane_id.hex(),
        account="0x" + "44" * 20,
        previous="0x" + "33" * 20,
        verifier="0x" + bytes(row.verifier).hex(),
    )
    for name in set(ACTIONS) - {"pin-validators"}:  # tested where there are light clients
        contract, action, text = build_action(linked.store, row, name, wish)
        assert contract in ("gateway", "verifier")
        assert len(action) >= 4
        assert name in text


def test_actions_that_cannot_be(linked):
    row = chain_named(linked.store, "alpha")
    with pytest.raises(BadInput, match="no action 'mint'"):
        build_action(linked.store, row, "mint", Wish())
    with pytest.raises(BadInput, match="--lane, --account"):
        build_action(linked.store, row, "allow-sender", Wish())


def test_an_abandoned_lane_is_shown_as_such(linked, there):
    opened = open_(linked, ("beta", "alpha"), channel="lost")[0]
    lane = changes(linked, opened.lane_id.hex())
    lane.close(None)
    row = chain_named(linked.store, "beta")
    action = build_action(linked.store, row, "abandon-lane", Wish(lane=opened.lane_id.hex()))[1]
    carry_out(linked.config, linked.store, linked.keys, row, "gateway", [action], officer=None, text="")
    assert refresh(linked.store, lane_row(linked.store, opened.lane_id.hex())) == "abandoned"


def test_a_new_operator_signs_from_the_next_epoch(linked, there):
    signer = address_of(keccak256(b"signer of the tests"))
    add_operator(linked.store, "org-4", signer, "org-4")
    assert renew_committees(linked.config, linked.store, linked.keys, None) == []
    with linked.store.read() as connection:
        rows = connection.execute(
            select(committees).where(committees.c.chain == "alpha").order_by(committees.c.epoch)
        ).all()
    assert [(row.epoch, row.state) for row in rows] == [(1, "old"), (2, "current")]
    assert "0x" + signer.hex() in rows[1].signers


def test_a_struck_operator(linked, there):
    operator = next(row for row in all_operators(linked.store) if row.name == "org-3")
    assert strike_operator(linked.store, "org-3", linked.keys.load("guardian")) == ["alpha", "beta"]
    row = chain_named(linked.store, "alpha")
    ledger = open_chain(row)
    assert Contract(ledger, "CommitteeVerifier", bytes(row.verifier)).ask("struck", bytes(operator.signer))
    ledger.close()
    assert next(row for row in all_operators(linked.store) if row.name == "org-3").state == "struck"
    with pytest.raises(NotFound, match="no operator named"):
        strike_operator(linked.store, "org-9", linked.keys.load("guardian"))


def test_a_signer_is_struck_out_of_every_committee_of_a_ledger(linked, there):
    """Officers may have given a lane a committee of its own."""
    row = chain_named(linked.store, "alpha")
    ledger = open_chain(row)
    signers = [
        (bytes(item.signer), organisation_word(item.organisation))
        for item in all_operators(linked.store)
        if item.name != "org-3"
    ]
    code = committee_creation(
        chain_word=bytes(row.chain_word),
        officers=[linked.keys.load(f"officer-{number}").address for number in (1, 2, 3)],
        guardian=b"\x09" * 20,
        delay_s=0,
        signers=signers,
        threshold=2,
        development=True,
    )
    made = deploy(ledger, linked.keys.load("relayer-alpha"), [("CommitteeVerifier", code)])[0]
    learn_verifier(linked.store.write, ledger, "alpha", made.address)
    strike_operator(linked.store, "org-1", linked.keys.load("officer-1"))
    signer = next(bytes(item.signer) for item in all_operators(linked.store) if item.name == "org-1")
    assert made.ask("struck", signer)
    assert Contract(ledger, "CommitteeVerifier", bytes(row.verifier)).ask("struck", signer)
    ledger.close()


def test_a_strike_that_a_ledger_refuses_still_counts_at_the_hub(linked, there):
    with pytest.raises(NotNow, match="struck at the hub but not on alpha"):
        strike_operator(linked.store, "org-2", linked.keys.load("sender"))
    states = {row.name: row.state for row in all_operators(linked.store)}
    assert states["org-2"] == "struck"


@pytest.mark.parametrize(
    ("name", "signer", "organisation"),
    [
        ("", b"\x01" * 20, "o"),
        ("a/b", b"\x01" * 20, "o"),
        ("a", b"\x01" * 19, "o"),
        ("a", bytes(20), "o"),
        ("a", b"\x01" * 20, ""),
    ],
)
def test_operators_that_cannot_be(hub, name, signer, organisation):
    with pytest.raises(BadInput):
        add_operator(hub.store, name, signer, organisation)
    assert len(all_operators(hub.store)) == 3


def test_an_operator_that_is_there(hub):
    with pytest.raises(Duplicate, match="named org-1"):
        add_operator(hub.store, "org-1", b"\x01" * 20, "o")
    signer = bytes(all_operators(hub.store)[0].signer)
    with pytest.raises(Duplicate, match="with the signer"):
        add_operator(hub.store, "new", signer, "o")


def test_a_mark_needs_no_ledger(hub):
    mark_struck(hub.store, "org-1")
    with hub.store.read() as connection:
        assert connection.execute(select(operators.c.state).where(operators.c.name == "org-1")).scalar() == "struck"


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        ({"text": "你好"}, "text"),
        ({"text": ""}, "text"),
        ({"hexadecimal": "0x00ff"}, "raw"),
        ({"call": 'transfer(1, "two", true)'}, "call"),
        ({"call": "ping()"}, "call"),
        ({"record": "0x" + "5a" * 32}, "document"),
    ],
)
def test_payloads(given, kind):
    arguments = {"text": None, "hexadecimal": None, "file": None, "call": None, **given}
    assert decode_payload(payload_of(**arguments)).kind == kind


def test_a_file_as_payload(tmp_path):
    (tmp_path / "body").write_bytes(b"\x00\x01")
    arguments = {"text": None, "hexadecimal": None, "call": None}
    assert decode_payload(payload_of(file=str(tmp_path / "body"), **arguments)).data == b"\x00\x01"
    with pytest.raises(BadInput, match="cannot be read"):
        payload_of(file=str(tmp_path / "none"), **arguments)


@pytest.mark.parametrize(
    "given",
    [{}, {"text": "a", "call": "b()"}, {"hexadecimal": "0xabc"}, {"call": "nothing"}, {"call": "f(1"}, {"call": "f(x)"},
     {"call": "f(1.5)"}, {"text": "\udc80"}, {"record": "0x5a"}, {"record": "zz"}, {"record": "0x" + "5a" * 32, "text": "a"}],
)  # fmt: skip
def test_payloads_that_cannot_be(given):
    with pytest.raises(BadInput):
        payload_of(**{"text": None, "hexadecimal": None, "file": None, "call": None, **given})


def test_expiry():
    assert expiry(0) == 0
    assert expiry(100) > expiry(10) > 1_700_000_000
