"""One running hub for all the drills: three development networks, two lanes between the first two, one to the third."""

import pytest

from adapters.evm.devnet import DevelopmentNetwork
from tests.support.drill import Drill
from tests.support.stack import Stack

BLOCK_TIME_S = 0.5


@pytest.fixture(scope="session")
def drill(tmp_path_factory):
    file = tmp_path_factory.mktemp("drill") / "crash"
    networks = {
        name: DevelopmentNetwork(chain_id=number, block_time_s=BLOCK_TIME_S)
        for number, name in ((43001, "alpha"), (43002, "beta"), (43003, "gamma"))
    }
    with Stack(networks, environment={"RELAYHUB_DRILL": str(file)}) as stack:
        stack.up()
        stack.join()
        stack.json("lane", "open", "alpha", "beta", "--both")
        stack.json("lane", "open", "alpha", "gamma")
        yield Drill(stack, file)
