"""Text that strangers have a part in can be kept by every database."""

import pytest
from sqlalchemy import select

from relay.store import Store, waits
from relay.store.tables import waits as waits_table
from relay.store.waits import Reason


@pytest.mark.parametrize(
    ("said", "kept"), [("a\0b", "a\ufffdb"), ("lone \udc80", "lone \ufffd"), ("中文 👋", "中文 👋"), ("", "")]
)
def test_what_no_text_column_takes_is_replaced(tmp_path, said, kept):
    store = Store(f"sqlite:///{tmp_path / 'hub.db'}")
    store.migrate()
    with store.write() as connection:
        waits.wait(connection, "chain", "alpha", Reason.ENDPOINT_BAD_ANSWER, party="chain alpha", text=said)
    with store.read() as connection:
        assert connection.execute(select(waits_table.c.text)).scalar_one() == kept
    store.close()
