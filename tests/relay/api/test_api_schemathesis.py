"""schemathesis against the public interface: a fixed seed, every check, as an officer of a hub with tokens.

Twelve examples an operation in CI; `RELAYHUB_API_EXAMPLES=200` (make api-examples) asks for as many as the issue does.
"""

import os

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, seed, settings

from relay.web.changes import Changes
from tests.support.api_world import ApiWorld

EXAMPLES = int(os.environ.get("RELAYHUB_API_EXAMPLES", "12"))
SEED = 20_261_123


class Idle(Changes):
    """Writes operations down and does none: what they do has tests of its own, and the network is asked nothing."""

    def _do(self, *_):
        self._room.release()


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    world = ApiWorld(tmp_path_factory.mktemp("schemathesis"))
    world.app.state.changes = Idle(world.hub.store, lambda: world.now)
    world.officer = world.token("officer")
    yield world
    world.close()


@pytest.fixture
def api_schema(world):
    schema = schemathesis.openapi.from_asgi("/v1/openapi.json", world.app)
    schema.config.seed = SEED
    return schema


schema = schemathesis.pytest.from_fixture("api_schema")


@seed(SEED)
@schema.parametrize()
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=False,
    database=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)
def test_schemathesis_finds_nothing(case, world):
    case.call_and_validate(headers={"authorization": f"Bearer {world.officer}"})
