"""Every reason to wait, brought about for real over memory ledgers: the hub writes that code, names a party and a next look."""

import time

import pytest

from relay.reasons import explain
from relay.store.waits import LONGEST_S, Reason
from tests.support.waiting_scenes import SCENES

# How a row names the party, and words of which the catalogue must have one for it.
PARTIES = {
    "operators": ("operators",),
    "officers": ("officers",),
    "chain": ("ledger", "endpoint", "validators"),
    "wallet": ("wallet",),
    "hub's": ("hub's owner",),
    "hub": ("the hub",),
    "this": ("machine",),
    "time": ("time",),
    "another": ("other relayer",),
}


def test_there_is_a_scene_for_every_reason():
    assert sorted(SCENES) == sorted(str(reason) for reason in Reason)


@pytest.mark.parametrize("code", [str(reason) for reason in Reason])
def test_the_hub_writes_this_reason(make_hub, monkeypatch, code):
    began = time.time()
    row = SCENES[code](make_hub, monkeypatch)
    monkeypatch.undo()
    assert row is not None, "the scene leaves nothing waiting"
    assert row.code == code
    assert row.text
    assert began - 1 <= row.since <= row.next_at <= time.time() + LONGEST_S
    explained = explain(code)
    assert explained.kind == "wait"
    words = PARTIES[row.party.split()[0]]
    if code == "endpoint_accused":  # the row names the ledger whose endpoint lies; its owner acts
        words = ("hub's owner",)
    assert any(word in explained.turn_en for word in words), f"{row.party} is not {explained.turn_en}"
