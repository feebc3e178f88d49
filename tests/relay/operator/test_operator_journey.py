"""Operators from the hub's offer to the quorum: over memory ledgers with sealed headers and real proofs."""

import subprocess
import sys
import threading

import httpx
import orjson
import pytest
from sqlalchemy import select, update

from adapters.memory import faults_at
from light_clients.crypto.secp256k1 import address_of
from relay.errors import NotNow
from relay.operator import follower
from relay.operator.database import OperatorDatabase, Signed
from relay.operator.hub import HubClient, HubUnreachable
from relay.operator.process import Operator
from relay.store.tables import attestations, claims, operators, refusals
from tests.support.operator_world import NAMES, OperatorWorld, wait_until


@pytest.fixture
def world(tmp_path):
    with OperatorWorld(tmp_path, endpoints=2) as world:
        yield world


def send(world, count=3, source="alpha", destination="beta"):
    for number in range(count):
        world.hub.send(source, destination, b"message %d" % number)
    world.look()


def attested(world, count=1):
    return lambda: world.states().count("attested") >= count


def address(world, name):
    return address_of(world.hub.signers[name])


def signed_rows(world, name):
    database = OperatorDatabase(world.folder / f"operator-{name}" / "operator.db")
    rows = database._connection.execute("SELECT * FROM signed").fetchall()
    database.close()
    return [Signed(*row) for row in rows]


def follower_of(world, operator, chain):
    """The thread that follows a ledger, once it knows the lanes and who verifies there."""
    word = bytes(world.hub.ledgers[chain].word)
    wait_until(lambda: word in operator._followers, "it is started")
    found = operator._followers[word]
    wait_until(lambda: found._view is not None and found._view.chronicles, "it knows the lanes")
    view = found._view
    wait_until(lambda: not view._book.doubted(view.config.word, view.config.gateway), "it knows who verifies")
    return found


def set_faults(world, chain, **switches):
    for url in world.hub.urls[chain]:
        for name, value in switches.items():
            setattr(faults_at(url), name, value)


def test_three_operators_carry_messages_both_ways_to_settled(world):
    for name in ("one", "two", "three"):
        world.start(name)
    for number in range(25):
        world.hub.send("alpha", "beta", b"out %d" % number)
        world.hub.send("beta", "alpha", b"home %d" % number)
    names = list(world.hub.lane_ids)

    def settled():
        world.look()
        return all(world.hub.journey(*lane).settled == 25 for lane in names)

    wait_until(settled, "25 messages settled each way")
    assert "open" not in world.states()


def test_two_of_three_are_enough_and_the_third_catches_up(world):
    world.start("one")
    world.start("two")
    send(world)
    wait_until(attested(world), "two operators complete the claim")
    world.stop("two")
    send(world)
    world.start("three")
    wait_until(attested(world, 2), "the third takes the place of the second")
    assert len(world.signers()) == 3


def test_one_operator_alone_completes_nothing(world):
    world.start("one")
    send(world)
    wait_until(lambda: world.signers() == {address(world, "one")}, "one signs")
    assert world.states() == ["open"]


def own_endpoints(world, chain, count=1):
    """Endpoints of the operator's own, so that the hub's stay honest."""
    ledger = world.hub.urls[chain][0].rpartition("/")[0]
    return [f"{ledger}/own-{number}" for number in range(count)]


@pytest.mark.parametrize("lie", ["events_lie", "truncated"])
def test_an_operator_whose_every_endpoint_lies_signs_nothing(world, lie):
    urls = own_endpoints(world, "alpha")
    operator = world.start("one", chains=[world.chain("alpha", endpoints=urls), world.chain("beta")])
    alpha = follower_of(world, operator, "alpha")
    setattr(faults_at(urls[0]), lie, True)
    send(world)
    send(world, source="beta", destination="alpha")
    wait_until(lambda: len(world.signers()) == 1, "the honest ledger's claim is signed")
    wait_until(lambda: alpha._failures > 1 or operator._desk._refused, "the lies are found out")
    assert {row.lane_id for row in signed_rows(world, "one")} == {bytes(world.hub.lane_ids["beta", "alpha"])}


@pytest.mark.parametrize("lie", ["events_lie", "events_reordered", "unreachable", "truncated"])
def test_one_bad_endpoint_of_two_costs_a_little_time(world, lie):
    urls = own_endpoints(world, "alpha", 2)
    setattr(faults_at(urls[0]), lie, True)
    world.start("one", chains=[world.chain("alpha", endpoints=urls), world.chain("beta")])
    send(world)
    wait_until(lambda: len(world.signers()) == 1, "the other endpoint is asked")


def send_home(world):
    world.hub.send("beta", "alpha", b"home")
    world.hub.mine("beta")
    world.hub.work("chain", "beta")
    world.hub.work("lane", world.hub.lane_ids["beta", "alpha"].hex())


def test_a_dead_ledger_holds_up_no_other_and_goes_on_when_it_is_back(world):
    world.start("one")
    world.start("two")
    send(world)
    wait_until(attested(world), "both ledgers are followed")
    world.hub.send("alpha", "beta", b"late")
    world.hub.send("beta", "alpha", b"in time")
    world.look()
    set_faults(world, "alpha", unreachable=True)
    home = bytes(world.hub.lane_ids["beta", "alpha"])

    def state(lane_id):
        with world.hub.context.store.read() as connection:
            return connection.execute(
                select(claims.c.state).where(claims.c.lane_id == lane_id).order_by(claims.c.id.desc()).limit(1)
            ).scalar()

    send_home(world)
    wait_until(lambda: state(home) == "attested", "beta's claims go on")
    set_faults(world, "alpha", unreachable=False)
    wait_until(lambda: "open" not in world.states(), "alpha's claims go on")


def test_a_restarted_operator_goes_on_and_signs_nothing_twice_differently(world):
    world.start("one")
    for _ in range(3):
        send(world)
    wait_until(lambda: len(signed_rows(world, "one")) >= 2, "claims are signed")
    wait_until(lambda: signed_rows(world, "one")[-1].nonce == 9, "all are signed")
    before = {(row.lane_id, row.direction, row.nonce): row.head for row in signed_rows(world, "one")}
    world.stop("one")
    send(world)
    operator = world.start("one")
    wait_until(lambda: signed_rows(world, "one")[-1].nonce == 12, "what came meanwhile is signed")
    after = {(row.lane_id, row.direction, row.nonce): row.head for row in signed_rows(world, "one")}
    assert before.items() <= after.items()
    view = follower_of(world, operator, "alpha")._view
    assert view.chronicles[world.hub.lane_ids["alpha", "beta"], 0].base_nonce == 9


def test_an_operator_that_lost_its_answer_posts_the_same_signature_again(world, monkeypatch):
    posts = []
    post = HubClient.post

    def lossy(self, signed):
        posts.append(list(signed))
        if len(posts) == 1:
            raise HubUnreachable("the answer was lost")
        return post(self, signed)

    monkeypatch.setattr(HubClient, "post", lossy)
    world.start("one")
    send(world)
    wait_until(lambda: len(world.signers()) == 1, "it is posted again")
    assert posts[0] == posts[1]


def test_a_claim_signed_before_a_crash_is_posted_with_the_same_signature(world, monkeypatch):
    def crash(point):
        if point == "operator.before_post":
            raise SystemExit

    monkeypatch.setattr(follower, "crash_point", crash)
    monkeypatch.setattr(threading, "excepthook", lambda _: None)
    world.start("one")
    send(world)
    wait_until(lambda: signed_rows(world, "one"), "it is on the disk")
    assert world.signers() == set()
    (before,) = signed_rows(world, "one")
    monkeypatch.setattr(follower, "crash_point", lambda _: None)
    world.stop("one")
    world.start("one")
    wait_until(world.signers, "it is posted after the restart")
    assert signed_rows(world, "one") == [before]


def test_a_second_head_is_not_signed_whatever_the_proof_says(world):
    """The operator's file says that it signed another head: then it keeps to that, and says so."""
    world.write("one")
    lane_id = bytes(world.hub.lane_ids["alpha", "beta"])
    database = OperatorDatabase(world.folder / "operator-one" / "operator.db")
    other = Signed(lane_id, 0, 3, b"\x66" * 32, b"\x01" * 32, 1, 1, b"\x02" * 32, b"\x03" * 65)
    database.record(b"", [other], [])
    database.close()
    operator = world.start("one")
    send(world)
    wait_until(lambda: operator._desk._refused, "it is refused")
    assert world.signers() == set()
    assert signed_rows(world, "one") == [other]


def test_a_frozen_client_signs_nothing(world):
    operator = world.start("one")
    send(world)
    wait_until(lambda: len(world.signers()) == 1, "it signs")
    alpha = follower_of(world, operator, "alpha")
    world.hub.ledgers["alpha"].reorganise(1)
    world.hub.mine("alpha")
    world.hub.mine("alpha")
    wait_until(lambda: alpha._view.frozen, "two sealed blocks of one height freeze it")
    count = len(signed_rows(world, "one"))
    with world.hub.context.store.write() as connection:
        connection.execute(attestations.delete())
        connection.execute(update(claims).values(state="open", created_at=0))
    wait_until(lambda: operator._desk._refused, "the same claim is now refused")
    assert world.signers() == set()
    assert len(signed_rows(world, "one")) == count


def test_the_hub_restarts_and_operators_find_it_again(world):
    world.start("one")
    send(world)
    wait_until(lambda: len(world.signers()) == 1, "it signs")
    port = world.port
    world.stop_hub()
    send(world)
    world.start_hub(port)
    wait_until(lambda: signed_rows(world, "one")[-1].nonce == 6, "it signs what came meanwhile")


def test_a_hub_that_refuses_is_not_asked_again_at_once(world):
    with world.hub.context.store.write() as connection:
        connection.execute(update(operators).where(operators.c.name == "one").values(state="struck"))
    operator = world.start("one")
    send(world)
    wait_until(lambda: operator._desk._refused, "the hub's refusal is noted")
    with world.hub.context.store.read() as connection:
        assert {row.name for row in connection.execute(select(refusals))} == {"SignerStruck"}


def test_a_changed_configuration_is_taken_up_and_a_broken_one_changes_nothing(world):
    operator = world.start("one", chains=[])
    send(world)
    wait_until(lambda: operator._unrouted, "the claim waits for its lane")
    (world.folder / "operator-one" / "operator.toml").write_text("name = ")
    wait_until(lambda: operator._stamp[1] == len("name = "), "the broken file was read")
    assert operator._config.name == "one"
    world.write("one")
    wait_until(lambda: len(world.signers()) == 1, "with its ledgers it signs")


def test_a_changed_name_or_database_needs_a_restart(world):
    operator = world.start("one")
    world.write("one", database="other.db")
    wait_until(lambda: operator._stamp == follower_stamp(world), "the file was read")
    assert operator._config.database.name == "operator.db"


def follower_stamp(world):
    found = (world.folder / "operator-one" / "operator.toml").stat()
    return (found.st_mtime_ns, found.st_size, found.st_ino)


def test_another_hub_address_is_taken_up(world):
    world.start("one", hub_url="http://127.0.0.1:9")
    send(world)
    world.write("one")
    wait_until(lambda: len(world.signers()) == 1, "it signs at the new address")


def test_a_claim_of_a_ledger_that_is_not_configured_is_refused(world):
    operator = world.start("one", chains=[world.chain("beta")])
    send(world)
    wait_until(lambda: operator._desk._refused, "it is refused")
    assert signed_rows(world, "one") == []


def test_a_lane_that_nobody_opened_is_refused_after_a_while(world, monkeypatch):
    monkeypatch.setattr("relay.operator.process.LANE_PATIENCE_S", 0.0)
    operator = world.start("one", chains=[])
    send(world)
    wait_until(lambda: operator._desk._refused, "it is refused")


def test_a_second_operator_on_one_database_is_refused(world):
    world.start("one")
    with pytest.raises(NotNow):
        Operator(world.write("one"))


@pytest.mark.parametrize("problem", ["no file", "no toml", "no key", "open key", "damaged key", "no database"])
def test_a_start_that_cannot_be_is_one_line_and_exit_code_2(world, problem):
    file = world.write("two")
    key = file.with_name("signer.json")
    match problem:
        case "no file":
            file.unlink()
        case "no toml":
            file.write_text("name = [")
        case "no key":
            key.unlink()
        case "open key":
            key.chmod(0o644)
        case "damaged key":
            key.write_text("{}")
        case "no database":
            file.with_name("operator.db").mkdir()
    command = [sys.executable, "-m", "relay.operator", "--config", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 1
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (500, b"{}"),
        (200, b"{"),
        (200, b"[]"),
        (200, b"{}"),
        (200, b'{"claims": 1}'),
        (302, b""),
        (200, b"x" * 5_000_000),
    ],
)
def test_a_hub_that_answers_otherwise_is_asked_again_later(status, body):
    client = HubClient("http://hub", b"\x01" * 20)
    client._client = httpx.Client(
        base_url="http://hub", transport=httpx.MockTransport(lambda _: httpx.Response(status, content=body))
    )
    with pytest.raises(HubUnreachable):
        client.claims(0, 0)
    client.close()


def test_attestations_are_posted_in_batches_and_verdicts_stay_in_order(world):
    sizes = []

    def answer(request):
        items = orjson.loads(request.content)
        sizes.append(len(items))
        return httpx.Response(200, json={"verdicts": [{"result": item["claim"]["nonce"]} for item in items]})

    client = HubClient("http://hub", b"\x01" * 20)
    client._client = httpx.Client(base_url="http://hub", transport=httpx.MockTransport(answer))
    rows = [Signed(b"\x01" * 32, 0, nonce, b"", b"", 1, 1, b"", b"") for nonce in range(600)]
    assert [verdict["result"] for verdict in client.post(rows)] == [str(nonce) for nonce in range(600)]
    assert sizes == [250, 250, 100]
    client.close()


def test_every_ledger_has_a_thread_of_its_own(world):
    operator = world.start("one")
    wait_until(lambda: len(operator._followers) == len(NAMES), "they run")
    assert len({thread.ident for thread in operator._followers.values()}) == len(NAMES)


@pytest.mark.parametrize("silent", [(0,), (0, 1)])
def test_entries_that_an_endpoint_withheld_are_read_at_another(tmp_path, monkeypatch, silent):
    """On ledgers that prove no state: nothing but the hub's claim shows that there are more."""
    monkeypatch.setattr("relay.observer.proves_state", lambda _: False)
    for module in ("relay.steps.look", "relay.operator.view"):
        monkeypatch.setattr(f"{module}.ETHEREUM_FAMILIES", ())
    monkeypatch.setattr("relay.steps.silence.ASK_EVERY_S", 0.0)
    monkeypatch.setattr("relay.operator.view.READ_MORE_EVERY_S", 0.5)
    with OperatorWorld(tmp_path, endpoints=3) as world:
        for name in ("one", "two", "three"):
            world.start(name)
        send(world, 1)
        wait_until(attested(world), "the first claim is attested")
        for endpoint in silent:
            world.hub.faults("alpha", endpoint).events_withheld = True
        send(world, 1)

        def both():
            world.look()
            return world.hub.journey("alpha", "beta").settled == 2

        wait_until(both, "the second message is settled")
