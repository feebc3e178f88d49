"""schemathesis against the public interface: a fixed seed, as an officer of a hub with tokens; every check but whether a token is asked
for, which it cannot see where the token is given from outside: test_api_access.py asks every operation without one.

A few examples an operation and kind here; `RELAYHUB_API_EXAMPLES=200` (`make api-examples`) asks for as many as the issue does.
"""

import json
import os
from pathlib import Path

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, assume, given, seed, settings
from schemathesis import GenerationMode
from schemathesis.config import SchemathesisConfig
from schemathesis.specs.openapi.checks import ignored_auth

from relay.web.changes import Changes
from tests.support.api_world import ApiWorld

pytestmark = pytest.mark.filterwarnings("ignore:.*starlette.testclient.*")
EXAMPLES = int(os.environ.get("RELAYHUB_API_EXAMPLES", "6"))
SEED = 20_261_123
DESCRIPTION = Path(__file__).parents[3] / "docs" / "openapi.json"
REFUSALS = ["400", "401", "403", "404", "405", "406", "409", "413", "415", "422", "428", "429", "5xx"]
"""How what is wrong may be refused; a body may also be too large before anybody reads what is wrong with it."""
OPERATIONS = [
    (path, method) for path, methods in json.loads(DESCRIPTION.read_text())["paths"].items() for method in methods
]


class Idle(Changes):
    """Writes operations down and does none: what they do has tests of its own, and the network is asked nothing."""

    def _do(self, *_):
        self._room.release()


@pytest.fixture(scope="module")
def asked(tmp_path_factory):
    world = ApiWorld(tmp_path_factory.mktemp("schemathesis"))
    world.app.state.changes = Idle(world.hub.store, lambda: world.now)
    config = SchemathesisConfig.from_dict({"checks": {"negative_data_rejection": {"expected-statuses": REFUSALS}}})
    schema = schemathesis.openapi.from_asgi("/v1/openapi.json", world.app, config=config)
    yield schema, {"authorization": f"Bearer {world.token('officer')}"}
    world.close()


def is_said(case, declared):
    """Whether what is wrong reaches the hub: a query parameter that nobody knows, and that is empty, does not stand in the URL."""
    return not any(name not in declared and value in ([], {}, None) for name, value in (case.query or {}).items())


@pytest.mark.parametrize("mode", list(GenerationMode))
@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_schemathesis_finds_nothing(asked, path, method, mode):
    schema, headers = asked
    operation = schema[path][method]
    if mode is GenerationMode.NEGATIVE and not (operation.query or operation.path_parameters or operation.body):
        return  # there is nothing to say wrongly

    @seed(SEED)
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        phases=(Phase.explicit, Phase.generate),
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def find(case):
        assume(is_said(case, {parameter.name for parameter in operation.query}))
        case.call_and_validate(headers=headers, excluded_checks=[ignored_auth])

    find()
