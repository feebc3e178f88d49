"""Every named defect of IBFT2, legacy IBFT and contract mode is refused by its own name; what it was made from is accepted."""

import pytest

from light_clients.errors import LightClientError
from tests.support.vectors import VECTORS, load_json, unhex
from tests.vectors.make_bft_vectors import CLIENTS, files

NAMES = sorted(
    path.relative_to(VECTORS).as_posix() for family in CLIENTS for path in (VECTORS / family).rglob("*.json")
)


@pytest.mark.parametrize("name", NAMES)
def test_header_is_judged_by_name(name):
    vector, client = load_json(name), CLIENTS[name.split("/")[0]]
    state = client.state_from_bytes(unhex(vector["state"]))
    if not vector["error"]:
        verified = client.verify_header(state, unhex(vector["header"]), vector["now"])
        assert client.apply(state, verified).height == state.height + 1
        return
    with pytest.raises(LightClientError) as caught:
        client.verify_header(state, unhex(vector["header"]), vector["now"])
    assert caught.value.name == vector["error"]


def test_the_script_makes_exactly_what_is_on_disk():
    made = files()
    assert sorted(made) == NAMES
    for name, text in made.items():
        assert (VECTORS / name).read_text(encoding="utf-8") == text
