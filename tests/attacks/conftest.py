"""Hubs in this process over memory ledgers; closed when the test ends."""

import pytest

from tests.support.memory_hub import MemoryHub


@pytest.fixture
def make_hub(tmp_path):
    made = []

    def make(**options):
        folder = tmp_path / f"hub-{len(made)}"
        folder.mkdir()
        made.append(MemoryHub(folder, **options))
        return made[-1]

    yield make
    for hub in made:
        hub.close()


@pytest.fixture
def hub(make_hub):
    return make_hub()
