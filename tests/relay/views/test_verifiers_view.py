"""What verifies at the ends of lanes, and how light clients on ledgers stand: in the status, the trace and the doctor."""

import pytest

from relay.doctor import examine
from relay.store.tables import verifiers, waits
from relay.views.status import hub_status
from relay.views.status_text import render
from relay.views.trace import trace
from relay.views.trace_text import render as render_trace
from relay.views.verifiers import describe_verifier
from tests.support.filled_hub import NOW, FilledHub, message_id

COMMITTEE, CLIENT, BOTH = b"\x06" * 20, b"\x0c" * 20, b"\x0b" * 20


@pytest.fixture
def hub(tmp_path):
    hub = FilledHub(tmp_path)
    hub.chain("alpha", 1)
    hub.chain("beta", 2)
    hub.add(verifiers, chain="alpha", address=COMMITTEE, kind="committee", committee=COMMITTEE)
    hub.add(verifiers, chain="beta", address=BOTH, kind="both", peer="alpha", committee=COMMITTEE, light_client=CLIENT)
    hub.lane(final=1, trust="committee", destination_verifier=BOTH)
    hub.message(1)
    yield hub
    hub.store.close()


@pytest.fixture
def client(hub):
    """A light client of alpha, which stands at 10, on beta."""

    def add(**values):
        known = {
            "chain": "beta",
            "address": CLIENT,
            "kind": "light-client",
            "peer": "alpha",
            "light_client": CLIENT,
            "client_height": 7,
            "client_time": int(NOW) - 40,
            "expires_at": int(NOW) + 3_600,
            "trusting_period_s": 3_640,
        }
        hub.add(verifiers, **{**known, **values})
        return hub

    return add


def test_how_a_light_client_stands(client):
    (found,) = hub_status(client().home, NOW)["light_clients"]
    assert (found["peer"], found["chain"], found["address"]) == ("alpha", "beta", "0x" + CLIENT.hex())
    assert (found["height"], found["behind"], found["age_s"], found["expires_in_s"]) == (7, 3, 40.0, 3_600)
    assert (found["frozen"], found["lanes"]) == (False, 1)


@pytest.mark.parametrize(
    ("values", "state"),
    [
        ({}, "active"),
        ({"frozen": True}, "FROZEN"),
        ({"expires_at": int(NOW)}, "EXPIRED"),
        ({"peer": ""}, "unknown ledger"),
    ],
)
def test_the_table_of_light_clients(client, values, state):
    text = render(hub_status(client(**values).home, NOW), NOW)
    assert "LIGHT CLIENT" in text
    (line,) = [line for line in text.splitlines() if line.endswith("0x" + CLIENT.hex())]
    assert state in line


def test_without_light_clients_there_is_no_table(hub):
    data = hub_status(hub.home, NOW)
    assert data["light_clients"] == []
    assert "LIGHT CLIENT" not in render(data, NOW)


def test_a_light_client_that_no_lane_uses(client):
    (found,) = hub_status(client(address=b"\x0d" * 20, light_client=b"\x0d" * 20).home, NOW)["light_clients"]
    assert found["lanes"] == 0


def test_a_lane_names_what_verifies_at_each_end(client):
    (lane,) = hub_status(client().home, NOW)["lanes"]
    out, back = lane["verifiers"]
    assert (out["judges"], out["chain"], out["kind"]) == ("messages", "beta", "both")
    assert (out["committee"], out["light_client"]) == ("0x" + COMMITTEE.hex(), "0x" + CLIENT.hex())
    assert (back["judges"], back["chain"], back["kind"]) == ("outcomes", "alpha", "committee")
    assert "light_client" not in back


def test_a_verifier_that_was_not_read(hub):
    hub.lane(lane_id=b"\xab" * 32, channel="other", destination_verifier=b"\x0e" * 20)
    found = next(lane for lane in hub_status(hub.home, NOW)["lanes"] if lane["channel"] == "other")["verifiers"][0]
    assert (found["kind"], found["address"]) == ("unknown", "0x" + "0e" * 20)
    assert describe_verifier(found) == (
        f"messages judged on beta by the contract 0x{'0e' * 20}, which the hub has not read yet"
    )


def test_a_wait_of_a_light_client_is_its_ledgers(client):
    hub = client()
    hub.add(
        waits, kind="client", id=f"{CLIENT.hex()[:16]}@beta", code="light_client_frozen", party="officers", text="Pin.",
        since=NOW - 9, next_at=NOW + 9,
    )  # fmt: skip
    data = hub_status(hub.home, NOW)
    assert [(chain["name"], len(chain["waits"])) for chain in data["chains"]] == [("alpha", 0), ("beta", 1)]
    assert "ledger beta: light_client_frozen, for officers" in render(data, NOW)
    (told,) = trace(hub.home, message_id(1).hex())
    assert [wait["code"] for wait in told["waits"]] == ["light_client_frozen"]


def test_a_trace_names_the_verifiers(client):
    told = trace(client().home, message_id(1).hex())
    text = render_trace(told, NOW)
    assert f"messages judged on beta by the light client 0x{CLIENT.hex()} and the committee 0x{COMMITTEE.hex()}" in text
    assert f"outcomes judged on alpha by the committee 0x{COMMITTEE.hex()}" in text


@pytest.mark.parametrize(
    ("values", "text"),
    [({"frozen": True, "expires_at": 9_000_000_000}, "is frozen"), ({"expires_at": 5}, "has expired")],
)
def test_the_doctor_names_a_light_client_that_believes_nobody(client, values, text):
    (found,) = [item for item in examine(client(**values).home) if item.check == "verifiers" and not item.ok]
    assert found.text == f"the light client of alpha on beta {text}"
    assert f"--chain beta --verifier 0x{CLIENT.hex()}" in found.next_step


def test_the_doctor_tells_the_trust_of_the_lanes(client):
    found = [item.text for item in examine(client(expires_at=9_000_000_000).home) if item.check == "verifiers"]
    assert found == ["trust of the lanes: alpha → beta committee", "the light client of alpha on beta is at height 7"]
