"""The database is gone: it is made anew from registry.toml and the ledgers, and nothing is executed twice."""

import stat

import pytest
from sqlalchemy import update

from relay.backup import registered
from relay.backup.rebuilding import rebuild
from relay.backup.registered import keep_registry, read_registry, registry_file
from relay.cli import main
from relay.errors import BadInput, NotFound, NotNow
from relay.processes import supervisor_lock
from relay.store.tables import chains, lanes, messages, operators, outcomes, transactions
from relay.store.verifiers import Kind
from tests.support.memory_hub import RECEIVER, REVERTING

OUT, HOME = ("alpha", "beta"), ("beta", "alpha")


def lose(hub):
    """The hub is killed and its database deleted; the rest of the folder stays."""
    hub.context.close()
    for name in ("relayhub.db", "relayhub.db-wal", "relayhub.db-shm"):
        (hub.home.folder / name).unlink(missing_ok=True)


def rebuilt(hub):
    made = rebuild(hub.home, hub.context.config, lambda _: None, hub.now)
    hub.restart()
    for here, peer in (OUT, HOME):
        hub.verifier(here, peer, hub.kind)  # read as the keeper does
    return made


@pytest.mark.parametrize(
    ("kind", "turns"),
    [
        *((Kind.COMMITTEE, turns) for turns in (0, 1, 2, 3, 5)),
        (Kind.LIGHT_CLIENT, 2),
        (Kind.LIGHT_CLIENT, 3),
        (Kind.BOTH, 3),
    ],
)
def test_wherever_messages_stood_they_settle_and_take_effect_once(make_hub, kind, turns):
    hub = make_hub(kind=kind)
    keep_registry(hub.home, hub.context.store)
    for number in range(6):
        hub.send(*OUT, b"out %d" % number, receiver=RECEIVER)
        hub.send(*HOME, b"home %d" % number, receiver=REVERTING)
    for _ in range(turns):
        hub.mine()
        hub.turn()
    lose(hub)
    hub.mine()
    made = rebuilt(hub)
    assert (made.chains, made.lanes, made.unread) == (2, 2, {})
    assert (made.messages, made.outcomes) == (len(hub.rows(messages)), len(hub.rows(outcomes)))
    assert made.messages == 12
    hub.settle_down(rounds=80, hurry=True)
    hub.check()
    assert (hub.journey(*OUT).executed, hub.journey(*OUT).settled) == (6, 6)
    assert (hub.journey(*HOME).failed, hub.journey(*HOME).settled) == (6, 6)
    assert (len(hub.rows(messages)), len(hub.rows(outcomes))) == (12, 12)


def test_what_was_settled_is_read_again_and_costs_no_transaction(hub):
    for number in range(12):
        hub.send(*OUT, b"%d" % number, receiver=RECEIVER)
    hub.settle_down()
    keep_registry(hub.home, hub.context.store)
    before = hub.ledgers["beta"].height
    lose(hub)
    made = rebuilt(hub)
    assert (made.messages, made.outcomes, hub.journey(*OUT).settled) == (12, 12, 12), "read before anything runs"
    hub.settle_down()
    hub.check()
    assert hub.rows(transactions) == []
    assert hub.ledgers["beta"].height >= before


def test_traffic_goes_on_afterwards(hub, monkeypatch):
    monkeypatch.setattr("relay.steps.rivals.SHORTEST_S", 0.0)  # the hub's own moves before look like another relayer's
    keep_registry(hub.home, hub.context.store)
    hub.send(*OUT, b"before", receiver=RECEIVER)
    hub.settle_down()
    lose(hub)
    rebuilt(hub)
    for number in range(5):
        hub.send(*OUT, b"after %d" % number, receiver=RECEIVER)
    hub.settle_down(rounds=80, hurry=True)
    hub.check()
    assert hub.journey(*OUT).executed == 6


def test_a_frozen_ledger_stays_frozen(hub):
    hub.set_chain("alpha", state="frozen")
    with hub.context.store.write() as connection:
        connection.execute(update(lanes).values(state="frozen"))
    keep_registry(hub.home, hub.context.store)
    lose(hub)
    rebuilt(hub)
    assert hub.context.chain("alpha").state == "frozen"
    assert {row.state for row in hub.rows(lanes)} == {"frozen"}


def test_a_ledger_that_does_not_answer_is_read_when_it_does(hub):
    keep_registry(hub.home, hub.context.store)
    hub.send(*OUT, b"x", receiver=RECEIVER)
    hub.mine()
    lose(hub)
    hub.faults("alpha").unreachable = True
    assert list(rebuilt(hub).unread) == ["alpha"]
    hub.faults("alpha").unreachable = False
    hub.settle_down(hurry=True)
    hub.check()
    assert hub.journey(*OUT).executed == 1


class TestFile:
    def test_it_is_private_and_written_only_when_something_changed(self, hub):
        path = registry_file(hub.home)
        assert keep_registry(hub.home, hub.context.store)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        hub.send(*OUT, b"x", receiver=RECEIVER)
        hub.settle_down()
        assert not keep_registry(hub.home, hub.context.store), "messages are no registration"
        with hub.context.store.write() as connection:
            connection.execute(update(lanes).values(trust="both"))
        assert keep_registry(hub.home, hub.context.store)
        path.write_text("= torn")
        assert keep_registry(hub.home, hub.context.store)
        assert not list(hub.home.folder.glob("*.new"))

    def test_trust_is_renewed_each_hour(self, hub, monkeypatch):
        keep_registry(hub.home, hub.context.store)
        hub.mine()
        hub.chain_task()
        assert not keep_registry(hub.home, hub.context.store)
        monkeypatch.setattr(registered, "TRUST_KEPT_S", -1.0)
        assert keep_registry(hub.home, hub.context.store)
        (alpha, _) = read_registry(hub.home)["chains"]
        assert alpha["client_height"] == hub.context.chain("alpha").client_height > 0

    def test_it_reads_back_as_the_rows_it_was_made_of(self, hub):
        hub.set_chain("alpha", gateway_pin={"名": [1, None]}, adapter_options={"a": "ü"})
        keep_registry(hub.home, hub.context.store)
        for table in (chains, lanes, operators):
            rows = {repr(row.name if "name" in row._fields else row.lane_id): row._mapping for row in hub.rows(table)}
            kept = read_registry(hub.home)[table.name]
            assert len(kept) == len(rows)
            for item in kept:
                row = rows[repr(item.get("name", item.get("lane_id")))]
                assert {name: row[name] for name in item} == item

    def test_a_hub_without_ledgers_has_none(self, hub):
        with hub.context.store.write() as connection:
            connection.execute(lanes.delete())
            connection.execute(chains.delete())
        assert not keep_registry(hub.home, hub.context.store)
        assert not registry_file(hub.home).exists()

    def test_every_command_that_opens_the_hub_keeps_it(self, hub, capsys):
        assert main(["lane", "close", "alpha", "nowhere", "--home", str(hub.home.folder)]) == 2
        assert not registry_file(hub.home).exists()
        assert main(["approve", "--home", str(hub.home.folder)]) == 0
        assert registry_file(hub.home).exists()
        capsys.readouterr()


class TestRefused:
    @pytest.fixture
    def lost(self, hub):
        keep_registry(hub.home, hub.context.store)
        lose(hub)
        return hub

    def test_without_the_file(self, lost):
        registry_file(lost.home).unlink()
        with pytest.raises(NotFound, match=r"registry\.toml"):
            rebuild(lost.home, lost.context.config, print)

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "= torn",
            "x = 1",
            "[registry]\nchains = 7",
            "[registry]\nnothing = []",
            "[[registry.chains]]\nname = 'a'",
        ],
    )
    def test_with_one_that_cannot_be_used(self, lost, text):
        registry_file(lost.home).write_text(text)
        with pytest.raises(BadInput, match="another copy"):
            rebuild(lost.home, lost.context.config, print)

        assert not (lost.home.folder / "relayhub.db").exists(), "nothing is made before everything is known to be right"

    def test_without_a_key(self, lost):
        (lost.home.keys / "relayer-beta.json").unlink()
        with pytest.raises(NotFound, match="relayer-beta"):
            rebuild(lost.home, lost.context.config, print)

    def test_while_the_hub_runs(self, lost):
        with supervisor_lock(lost.home), pytest.raises(NotNow, match="The hub runs"):
            rebuild(lost.home, lost.context.config, print)

    def test_where_there_is_a_database(self, hub):
        keep_registry(hub.home, hub.context.store)
        with pytest.raises(NotNow, match="has 2 ledgers already"):
            rebuild(hub.home, hub.context.config, print)


def test_trust_that_has_expired_is_told_and_not_renewed(hub):
    keep_registry(hub.home, hub.context.store)
    hub.send(*OUT, b"x", receiver=RECEIVER)
    hub.mine()
    lose(hub)
    hub.clock_offset_s = 400 * 86_400
    made = rebuilt(hub)
    assert set(made.unread) == {"alpha", "beta"}
    assert all("trusting period" in reason for reason in made.unread.values()), made.unread
    assert made.messages == 0
