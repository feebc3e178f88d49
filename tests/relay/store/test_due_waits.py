"""When the hub looks again: at its time, and at once where that time was written before the clock was set back."""

import pytest

from relay.store import Store, waits
from relay.store.waits import LONGEST_S, Reason, wait

NOW = 1_800_000_000.0


@pytest.mark.parametrize(
    ("next_at", "is_due"),
    [(NOW - 1, True), (NOW, True), (NOW + 1, False), (NOW + LONGEST_S, False), (NOW + LONGEST_S + 1, True)],
)
def test_a_next_look_is_due(tmp_path, next_at, is_due):
    store = Store(f"sqlite:///{tmp_path / 'relayhub.db'}")
    store.migrate()
    with store.write() as connection:
        wait(connection, "lane", "a", Reason.WINDOW_FULL, party="chain a", text="full")
        connection.execute(waits.waits.update().values(next_at=next_at))
        assert [row.id for row in waits.due(connection, NOW)] == (["a"] if is_due else [])
    store.close()
    assert waits.is_due(next_at, NOW) is is_due
