"""A trace: by any id, each stage with its time, outcome and whom it waits for."""

import pytest

from relay.errors import BadInput, NotFound
from relay.store.tables import attestations, claims, waits
from relay.views.trace import bounds, trace
from relay.views.trace_text import render
from tests.support.filled_hub import LANE, NOW, FilledHub, message_id, transaction


@pytest.fixture
def hub(tmp_path):
    """Three messages: 1 settled, 2 delivered as failed, 3 attested; milestones came in batches."""
    hub = FilledHub(tmp_path)
    hub.chain("alpha", 1)
    hub.chain("beta", 2)
    hub.lane(final=3, claimed=3, attested=3, submitted=2, delivered=2, outcome_claimed=1, outcome_attested=1,
             settle_submitted=1, settled=1, executed=1, failed=1)  # fmt: skip
    for nonce in (1, 2, 3):
        hub.message(nonce)
    hub.outcome(1, 1)
    hub.outcome(2, 2)
    hub.milestone("final", 1, NOW, 5, b"\x01")
    hub.milestone("final", 3, NOW + 1, 6, b"\x02")
    hub.milestone("delivered", 2, NOW + 4, 7, transaction(2, 2))
    yield hub
    hub.store.close()


def one(hub, identifier):
    found = trace(hub.home, identifier)
    assert len(found) == 1
    return found[0]


@pytest.mark.parametrize("identifier", [message_id(2).hex(), "0x" + message_id(2).hex(), "C002CC", "0xc002ccc"])
def test_by_message_id_or_prefix(hub, identifier):
    assert one(hub, identifier)["nonce"] == 2


def test_by_source_transaction(hub):
    assert one(hub, transaction(1, 3).hex())["nonce"] == 3


def test_by_delivery_transaction(hub):
    assert one(hub, transaction(2, 1).hex())["nonce"] == 1


def test_a_transaction_with_several_messages(hub):
    shared = b"\xee" * 32
    for nonce in (4, 5):
        hub.message(nonce, transaction=shared)
    found = trace(hub.home, shared.hex())
    assert [message["nonce"] for message in found] == [4, 5]
    assert "NONCE" in render(found, NOW)


def test_stages_follow_from_the_counters(hub):
    assert one(hub, message_id(1).hex())["stage"] == "settled"
    assert one(hub, message_id(2).hex())["stage"] == "delivered"
    assert [stage["stage"] for stage in one(hub, message_id(3).hex())["stages"]] == [
        "sent",
        "final",
        "proved",
        "attested",
    ]


def test_a_stage_has_the_time_of_the_first_batch_that_reached_it(hub):
    stages = {stage["stage"]: stage for stage in one(hub, message_id(2).hex())["stages"]}
    assert (stages["sent"]["at"], stages["sent"]["height"]) == (NOW - 30, 5)
    assert (stages["final"]["at"], stages["final"]["height"], stages["final"]["reference"]) == (NOW + 1, 6, "0x02")
    assert stages["proved"]["at"] is None
    assert stages["delivered"]["party"] == "chain beta"


def test_outcomes_by_name(hub):
    assert one(hub, message_id(1).hex())["outcome"]["status"] == "executed"
    assert one(hub, message_id(2).hex())["outcome"]["status"] == "failed"
    assert one(hub, message_id(3).hex())["outcome"] is None


def test_who_signed(hub):
    hub.operator("org-1", 1)
    hub.operator("org-2", 2)
    claim = {"lane_id": LANE, "direction": 0, "head": LANE, "height": 6, "block_hash": b"\x01" * 32, "epoch": 1}
    hub.add(claims, id=1, first=1, nonce=3, digest=b"\x01" * 32, state="attested", created_at=NOW, **claim)
    hub.add(claims, id=2, first=1, nonce=3, digest=b"\x02" * 32, state="void", created_at=NOW, **claim)
    hub.add(attestations, claim_id=1, signer=b"\x02" * 20, signature=b"", at=NOW)
    hub.add(attestations, claim_id=2, signer=b"\x01" * 20, signature=b"", at=NOW)
    stages = {stage["stage"]: stage for stage in one(hub, message_id(3).hex())["stages"]}
    assert stages["attested"]["signers"] == ["org-2"]


def test_what_it_waits_for(hub):
    common = {"text": "It is silent.", "since": NOW - 60, "next_at": NOW}
    hub.add(waits, kind="lane", id=LANE.hex(), code="operators_silent", party="operators org-3", **common)
    hub.add(waits, kind="back", id=LANE.hex(), code="wallet_empty", party="chain alpha", **common)
    assert [wait["code"] for wait in one(hub, message_id(3).hex())["waits"]] == ["operators_silent"]
    assert [wait["code"] for wait in one(hub, message_id(2).hex())["waits"]] == ["wallet_empty"]
    assert one(hub, message_id(1).hex())["waits"] == []
    assert "Waits: operators_silent, for operators org-3" in render(trace(hub.home, message_id(3).hex()), NOW)


def test_large_words_are_shown_unsigned(hub):
    hub.message(9, expires_at=2**64 - 1)
    assert one(hub, message_id(9).hex())["expires_at"] == 2**64 - 1


def test_text_of_one_message(hub):
    text = render(trace(hub.home, message_id(1).hex()), NOW)
    assert "alpha → beta · nonce 1 · trust committee" in text
    assert "says hi" in text
    assert "Outcome: executed, result 0x01 (at height 7)" in text


def test_a_payload_cannot_play_with_the_terminal(hub):
    hub.message(9, payload=b"\x01\x64a\x1b[m")
    assert "\x1b" not in render(trace(hub.home, message_id(9).hex()), NOW)


def test_an_ambiguous_prefix(hub):
    hub.message(9, message_id=message_id(1)[:4] + b"\x00" * 28)
    with pytest.raises(BadInput, match="Several"):
        trace(hub.home, message_id(1)[:4].hex())


def test_an_unknown_id(hub):
    with pytest.raises(NotFound, match="is known"):
        trace(hub.home, "ab" * 32)


@pytest.mark.parametrize("identifier", ["", "0x", "abcde", "xyzxyz", "北京北京北京", "a" * 65, "-ff0000"])
def test_what_is_no_id(hub, identifier):
    with pytest.raises(BadInput, match="is no id"):
        trace(hub.home, identifier)


def test_bounds_of_an_odd_prefix():
    low, high = bounds("0xabcdef1")
    assert low.hex() == "abcdef1" + "0" * 57
    assert high.hex() == "abcdef1" + "f" * 57
