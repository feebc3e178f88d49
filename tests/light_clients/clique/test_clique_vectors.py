"""Every named defect on disk is refused by its own name, and what it was made from is accepted."""

import pytest

from light_clients import clique
from light_clients.errors import LightClientError
from light_clients.proofs.gateway import GatewayPin, SlotEvidence
from schemas.claim import Claim
from schemas.primitives import Bytes32
from tests.support.vectors import VECTORS, load_json, unhex
from tests.vectors.make_clique_vectors import FOLDER, files

NAMES = sorted(path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*.json"))
HEADERS = [name for name in NAMES if "/headers_" in name]
CLAIMS = [name for name in NAMES if "/claims_" in name]


def run_header(vector):
    clique.verify_header(clique.state_from_bytes(unhex(vector["state"])), unhex(vector["header"]), vector["now"])


def run_claim(vector):
    fields = {key: unhex(value) if isinstance(value, str) else value for key, value in vector["claim"].items()}
    pin = GatewayPin(unhex(vector["gateway"]), Bytes32(unhex(vector["code_hash"])))
    state = clique.state_from_bytes(unhex(vector["state"]))
    clique.verify_claim(state, Claim(**fields), SlotEvidence.from_bytes(unhex(vector["evidence"])), pin)


def check(vector, run):
    if not vector["error"]:
        run(vector)
        return
    with pytest.raises(LightClientError) as caught:
        run(vector)
    assert caught.value.name == vector["error"]


@pytest.mark.parametrize("name", HEADERS)
def test_run_is_judged_by_name(name):
    check(load_json("clique", name), run_header)


@pytest.mark.parametrize("name", CLAIMS)
def test_claim_is_judged_by_name(name):
    check(load_json("clique", name), run_claim)


def test_the_script_makes_exactly_what_is_on_disk():
    made = files()
    assert sorted(made) == NAMES
    for name, text in made.items():
        assert (VECTORS / "clique" / name).read_text(encoding="utf-8") == text
