"""The submitter over anvil: what jams it, and that three blocks unjam it."""

import pytest

from tests.support.anvil_node import AnvilNode
from tests.support.sending_cases import LegacyCases, SendingCases
from tests.support.sending_world import worlds

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def node():
    node = AnvilNode()
    yield node
    node.close()


@pytest.fixture
def make_world(make_hub, node):
    yield from worlds(make_hub, node)


@pytest.fixture
def make_fresh_world(make_hub):
    node = AnvilNode()
    yield from worlds(make_hub, node)
    node.close()


@pytest.fixture
def make_legacy_world(make_hub):
    node = AnvilNode(hardfork="berlin")
    yield from worlds(make_hub, node)
    node.close()


class TestAnvil(SendingCases):
    """With a base fee."""


class TestAnvilWithoutBaseFee(LegacyCases):
    """Rules before London."""
