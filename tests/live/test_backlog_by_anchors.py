"""A backlog that was sent while the hub was away crosses lanes by light clients: anchors lead back to it, and each id is paid once."""

import pytest
from sqlalchemy import select

from relay.store.tables import transactions
from tests.support.stack import stack_between

pytestmark = pytest.mark.stack

KINDS = {"light-client": "direct", "both": "twice"}
BACKLOG = 450


@pytest.fixture(scope="module")
def stack():
    lanes = [("alpha", "beta", "--trust", kind, "--channel", channel) for kind, channel in KINDS.items()]
    with stack_between({"alpha": 53201, "beta": 53202}, *lanes) as stack:
        yield stack


def on_their_way(stack):
    """Anchors and deliveries of which the hub has not yet recorded what became of them: the counters may be ahead of that."""
    return [row for purpose in ("anchor", "deliver") for row in rows(stack, purpose) if row.state in ("queued", "sent")]


def told(row):
    return {
        name: getattr(row, name) for name in ("state", "first", "last", "height", "account_nonce", "attempts", "reason")
    }


def rows(stack, purpose):
    store = stack.store()
    with store.read() as connection:
        found = connection.execute(select(transactions).where(transactions.c.purpose == purpose)).all()
    store.close()
    return found


def test_what_was_sent_meanwhile_is_walked_back_to(stack):
    stack.run("down")
    for channel in KINDS.values():
        words = ["send", "alpha", "beta", "--channel", channel, "--to", "mailbox", "--text", "你好", "--count"]
        stack.json(*words, str(BACKLOG))
    stack.up()
    for channel in KINDS.values():
        lane = lambda channel=channel: stack.lane("alpha", "beta", channel)  # noqa: E731 - asked again and again
        stack.wait_until(f"{channel} has settled", lambda lane=lane: lane()["settled"] == BACKLOG)
    stack.wait_until("nothing is on its way", lambda: not on_their_way(stack))
    anchors = rows(stack, "anchor")
    assert [told(row) for row in anchors if row.state != "mined"] == []
    assert len({row.lane_id for row in anchors}) == len(KINDS)
    assert sum(row.last - row.first for row in anchors) <= BACKLOG * len(KINDS)
    assert [told(row) for row in rows(stack, "deliver") if row.state != "mined"] == []
