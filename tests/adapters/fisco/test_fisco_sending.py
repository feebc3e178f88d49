"""Nodes of line 3 answer a transaction when it stands in a block: as many as there are wait for one block together."""

import threading
from types import SimpleNamespace

from adapters.fisco.node import SENDS_AT_ONCE, Node
from adapters.fisco.options import FiscoOptions

PATIENCE_S = 60


def test_transactions_of_line_3_wait_together():
    node = Node(SimpleNamespace(close=lambda: None), FiscoOptions(line="3"))
    block = threading.Barrier(SENDS_AT_ONCE)  # broken, with an error, unless all of them are under way at once
    try:
        places = node.send_each(lambda _raw: block.wait(PATIENCE_S), [b"raw"] * SENDS_AT_ONCE)
        assert sorted(places) == list(range(SENDS_AT_ONCE))
    finally:
        node.close()


def test_answers_come_in_the_order_of_the_transactions():
    node = Node(SimpleNamespace(close=lambda: None), FiscoOptions(line="3"))
    try:
        assert node.send_each(lambda raw: raw, [b"%d" % number for number in range(100)]) == [
            b"%d" % n for n in range(100)
        ]
    finally:
        node.close()
