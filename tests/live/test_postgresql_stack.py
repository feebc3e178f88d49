"""The whole hub as processes with its database on PostgreSQL: messages both ways, a worker killed in the middle."""

import pytest

from relay.keys import KeyStore
from relay.sending import Letter, send
from schemas.payloads import TextPayload, encode_payload
from tests.support.stack import stack_between

MESSAGES = 40


@pytest.mark.stack
def test_a_hub_on_postgresql_carries_everything_once_over_the_death_of_a_worker(cluster):
    chain_ids, settings = {"alpha": 44001, "beta": 44002}, {"database": cluster.database()}
    with stack_between(chain_ids, ("alpha", "beta", "--both"), settings=settings) as stack:
        store, key = stack.store(), KeyStore(stack.home.keys).load("sender")
        assert store.url.startswith("postgresql")
        for pair in (("alpha", "beta"), ("beta", "alpha")):
            letter = Letter("mailbox", encode_payload(TextPayload(text="经 PostgreSQL 👋")), 300_000)
            send(store, (*pair, "default"), key, letter, MESSAGES)
            killed = stack.processes("worker-1")
            assert stack.kill("worker-1") == len(killed) == 1
            stack.wait_until("worker-1 is back", lambda: stack.processes("worker-1") not in ([], killed))  # noqa: B023
        store.close()
        stack.wait_until(
            "all are settled", lambda: all(lane["settled"] == MESSAGES for lane in stack.json("lane", "list"))
        )
        for lane in stack.json("lane", "list"):
            assert (lane["executed"], lane["in_flight"], lane["conserved"]) == (MESSAGES, 0, True)
        findings = {item["check"]: item["ok"] for item in stack.json("doctor")}
        assert findings["database"]
        (message,) = stack.json("send", "alpha", "beta", "--to", "mailbox", "--text", "last", "--wait")
        assert message["stage"] == "settled"
