import pytest

from tests.support.fabric_world import FabricWorld


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    made = FabricWorld(tmp_path_factory.mktemp("fabric"))
    yield made
    made.close()
