"""The status names endpoints that rest, since when and why, and forgets what nobody sees any more."""

from __future__ import annotations

from sqlalchemy import select, update

from relay.store.tables import endpoint_health


def troubles(hub):
    with hub.context.store.read() as connection:
        return connection.execute(select(endpoint_health)).all()


def test_an_endpoint_that_is_away_is_named_until_nobody_sees_it_resting(tmp_path):
    from tests.support.memory_hub import MemoryHub

    hub = MemoryHub(tmp_path, endpoints=2)
    try:
        hub.faults("alpha").unreachable = True
        hub.mine()
        hub.work("chain", "alpha")
        (row,) = troubles(hub)
        assert row.chain == "alpha"
        assert row.url == hub.urls["alpha"][0]
        assert row.reason
        hub.mine()
        hub.work("chain", "alpha")
        (again,) = troubles(hub)
        assert again.since == row.since
        hub.faults("alpha").unreachable = False
        with hub.context.store.write() as connection:
            connection.execute(update(endpoint_health).values(seen_at=0))
        hub.context = hub.new_context()
        hub.work("chain", "alpha")
        assert troubles(hub) == []
    finally:
        hub.close()
