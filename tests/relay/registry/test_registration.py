"""Registering a ledger: what it asks, what it refuses, and that nothing is half-registered."""

import tomllib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from sqlalchemy import event, func, select

from adapters.guard import GuardedLedger
from adapters.protocol import Misconfigured
from light_clients.families import client_named
from relay.errors import BadInput, Duplicate, HubError, NotFound, NotNow
from relay.registry.chains import all_chains, chain_named, endpoints_of, open_chain, retire_chain
from relay.registry.gateways import Contract
from relay.registry.operators import DEVELOPMENT_OPERATORS, add_operator
from relay.store.tables import chains, committees
from schemas.primitives import ChainId
from tests.support.fake_rpc import FakeRpc

pytestmark = pytest.mark.live


def assert_nothing_written(hub):
    with hub.store.read() as connection:
        assert connection.execute(select(func.count()).select_from(chains)).scalar() == 0
        assert connection.execute(select(func.count()).select_from(committees)).scalar() == 0


def refused(hub, error, match, *arguments, **fields):
    with pytest.raises(error, match=match) as caught:
        hub.add(*arguments, **fields)
    assert_nothing_written(hub)
    return caught.value


@pytest.fixture(scope="module")
def registered(linked):
    return chain_named(linked.store, "alpha")


def test_the_node_is_asked_what_it_is(registered, sealed):
    assert registered.chain_id == "eip155:52001"
    assert bytes(registered.chain_word) == ChainId("eip155:52001").word(registered.first_block)
    assert registered.development
    assert registered.consensus == "qbft"
    assert registered.endpoints == [{"url": sealed.url, "operator": ""}]


def test_the_light_client_starts_at_the_pinned_block(registered):
    state = client_named("qbft").state_from_bytes(registered.client_state)
    assert (state.height, bytes(state.block_hash)) == (registered.pinned_height, bytes(registered.pinned_hash))
    assert registered.observed_height == registered.client_height == registered.pinned_height


def test_the_contracts_are_the_hubs(linked, registered):
    ledger = open_chain(registered)
    gateway = Contract(ledger, "Gateway", bytes(registered.gateway))
    officers = {"0x" + linked.keys.load(f"officer-{number}").address.hex() for number in (1, 2, 3)}
    assert gateway.ask("chainWord") == bytes(registered.chain_word)
    assert set(gateway.ask("officers")) == officers
    assert gateway.ask("guardian") == "0x" + linked.keys.load("guardian").address.hex()
    assert gateway.ask("delaySeconds") == 0
    assert Contract(ledger, "Mailbox", bytes(registered.mailbox)).ask("gateway") == "0x" + registered.gateway.hex()
    ledger.close()


def test_the_committee_is_written_down_as_the_contract_has_it(linked, registered):
    with linked.store.read() as connection:
        row = connection.execute(select(committees).where(committees.c.chain == "alpha")).one()
    assert (row.epoch, row.threshold, row.state, len(row.signers)) == (1, 2, "current", 3)


def test_operators_learn_of_the_ledger(linked, registered):
    for name in DEVELOPMENT_OPERATORS:
        content = tomllib.loads((linked.home.operators / name / "operator.toml").read_text())
        entry = next(item for item in content["chains"] if item["name"] == "alpha")
        assert entry["gateway"] == "0x" + registered.gateway.hex()
        assert entry["pinned_hash"] == "0x" + registered.pinned_hash.hex()
        assert content["name"] == name


def test_what_was_done_is_told(linked):
    told = "\n".join(linked.told)
    assert "production hub needs --pin" in told
    assert "2 of 3 organisations" in told
    assert "a message without proof is refused" in told


def test_a_second_ledger_of_that_name(linked, other):
    with pytest.raises(Duplicate, match="named 'alpha' already"):
        linked.add("alpha", other.url)
    assert len(all_chains(linked.store)) == 2


def test_the_same_ledger_under_another_name(linked, sealed):
    with pytest.raises(Duplicate, match="already as 'alpha'"):
        linked.add("again", sealed.url)
    assert len(all_chains(linked.store)) == 2


def test_contracts_that_are_there_are_used(hub, registered, sealed):
    row = hub.add("北京", sealed.url, gateway=bytes(registered.gateway), verifier=bytes(registered.verifier))
    assert (row.name, row.gateway, row.verifier) == ("北京", registered.gateway, registered.verifier)


def test_options_that_the_pin_needs_are_registered_with_the_ledger(hub, registered, sealed, monkeypatch):
    installed = GuardedLedger.installed
    needed = {"attesters": "Org1MSP,Org2MSP"}
    monkeypatch.setattr(GuardedLedger, "installed", lambda *given: replace(installed(*given), options=needed))
    row = hub.add("trade", sealed.url, gateway=bytes(registered.gateway), verifier=bytes(registered.verifier))
    assert row.adapter_options == needed


def test_coins_that_one_endpoint_saw_are_waited_for_at_the_others(hub, sealed, monkeypatch):
    """Endpoints that lag outvote the one that handed the coins out."""
    wallet, looks = GuardedLedger.wallet, []

    def lagging(ledger, account):
        looks.append(account)
        told = wallet(ledger, account)
        return replace(told, balance=0) if len(looks) < 4 else told

    monkeypatch.setattr(GuardedLedger, "wallet", lagging)
    assert hub.add("late", sealed.url).name == "late"


def test_a_contract_that_is_no_gateway(hub, registered, sealed):
    refused(
        hub,
        BadInput,
        "is no Gateway",
        "a",
        sealed.url,
        gateway=bytes(registered.mailbox),
        verifier=bytes(registered.verifier),
    )


def test_a_contract_that_is_no_verifier(hub, registered, sealed):
    refused(
        hub, BadInput, "is no CommitteeVerifier", "a", sealed.url,
        gateway=bytes(registered.gateway), verifier=bytes(registered.mailbox),
    )  # fmt: skip


def test_an_address_without_code(hub, sealed):
    refused(hub, NotFound, "no contract at", "a", sealed.url, gateway=b"\x09" * 20, verifier=b"\x09" * 20)


def test_a_gateway_without_its_verifier(hub, sealed):
    refused(hub, BadInput, "belong together", "a", sealed.url, gateway=b"\x09" * 20)


def test_a_dead_endpoint(hub):
    refused(hub, BadInput, "Check --rpc|does not answer|refused|reach", "a", "http://127.0.0.1:1")


@pytest.mark.parametrize(
    "answer", [b"<html>hello</html>", b"", b"[]", {"jsonrpc": "2.0", "id": 1, "result": "yes"}, (404, {}, b"not here")]
)
def test_an_endpoint_that_is_no_evm(hub, answer):
    with FakeRpc(lambda _requests: answer) as server:
        error = refused(hub, BadInput, None, "a", server.url)
    assert "\n" not in error.message


def test_no_endpoint(hub):
    refused(hub, BadInput, "needs an endpoint", "a")


def test_an_endpoint_of_no_protocol(hub):
    refused(hub, (BadInput, Misconfigured), None, "a", "gopher://127.0.0.1")


@pytest.mark.parametrize("wrong", ["1", "eip155:1", "cosmos:52001"])
def test_the_wrong_chain_id(hub, sealed, wrong):
    refused(hub, BadInput, "is eip155:52001, not", "a", sealed.url, chain_id=wrong)


def test_endpoints_of_two_ledgers(hub, sealed, other):
    refused(hub, BadInput, "different ledgers", "a", sealed.url, other.url)


@pytest.mark.parametrize("pin", ["5", "x:0x" + "11" * 32, "5:0x1234", "05:0x" + "11" * 32, "5:0x" + "00" * 32])
def test_pins_of_no_form(hub, sealed, pin):
    refused(hub, BadInput, None, "a", sealed.url, pin=pin)


def test_a_pin_of_another_block(hub, sealed):
    refused(hub, BadInput, "not the pinned one", "a", sealed.url, pin="1:0x" + "11" * 32)


def test_a_pin_of_this_ledger(hub, registered, sealed):
    sealed.mine(1)
    row = hub.add(
        "a", sealed.url, pin=f"{registered.pinned_height}:0x{registered.pinned_hash.hex()}",
        gateway=bytes(registered.gateway), verifier=bytes(registered.verifier),
    )  # fmt: skip
    assert row.pinned_height == registered.pinned_height
    assert any("pinned block" in line for line in hub.told)


def test_an_unknown_light_client(hub, sealed):
    refused(hub, BadInput, "no light client 'proof-of-hope'", "a", sealed.url, consensus="proof-of-hope")


def test_an_unknown_adapter(hub, sealed):
    refused(hub, Misconfigured, "no adapter named", "a", sealed.url, adapter="quantum")


@pytest.mark.parametrize("name", ["", "a\nb", "cle\u0301", "x" * 57, "a/b", " a"])
def test_names_that_are_refused(hub, sealed, name):
    refused(hub, BadInput, None, name, sealed.url)


def test_a_bare_node_joins_a_development_hub_and_says_so(hub, plain):
    row = hub.add("bare", plain.url)
    assert row.consensus == "development"
    assert any("NO VERIFIABLE CONSENSUS" in line for line in hub.told)


def test_a_bare_node_does_not_join_a_production_hub(production, plain):
    block = plain.rpc("eth_getBlockByNumber", "0x0", False)
    pin = f"0:{block['hash']}"
    refused(production, BadInput, "No light client can judge", "bare", plain.url, pin=pin)
    refused(production, BadInput, "without verifiable consensus", "bare", plain.url, pin=pin, consensus="development")


def test_a_production_hub_needs_a_pin(production, sealed):
    refused(production, BadInput, "starts from a pinned block", "a", sealed.url)


def test_a_production_hub_needs_officers_and_operators(production, registered, sealed):
    pin = f"{registered.pinned_height}:0x{registered.pinned_hash.hex()}"
    refused(production, BadInput, "three officers and a guardian", "a", sealed.url, pin=pin)
    officers = tuple(bytes([number]) * 20 for number in (1, 2, 3))
    refused(
        production,
        NotNow,
        "operators of 2 organisations",
        "a",
        sealed.url,
        pin=pin,
        officers=officers,
        guardian=b"\x04" * 20,
    )
    add_operator(production.store, "one", b"\x01" * 20, "house")
    add_operator(production.store, "two", b"\x02" * 20, "house")
    refused(production, NotNow, "there are 1", "a", sealed.url, pin=pin, officers=officers, guardian=b"\x04" * 20)


def test_a_production_account_without_coins(production, registered, sealed):
    pin = f"{registered.pinned_height}:0x{registered.pinned_hash.hex()}"
    for number in (1, 2):
        add_operator(production.store, f"op-{number}", bytes([number]) * 20, f"house-{number}")
    officers = tuple(bytes([number]) * 20 for number in (1, 2, 3))
    refused(
        production, HubError, "needs", "a", sealed.url, pin=pin, officers=officers, guardian=b"\x04" * 20
    )  # fmt: skip


def test_a_full_disk_leaves_nothing_and_names_the_contracts(hub, sealed, registered):
    with hub.store.read() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
    hub.store.close()

    @event.listens_for(hub.store.engine, "connect")
    def fill(connection, _record):
        connection.execute(f"PRAGMA max_page_count={pages}")

    with pytest.raises(BadInput, match="full"):
        hub.add(
            "a",
            f"{sealed.url}/?{'long' * 1000}",
            gateway=bytes(registered.gateway),
            verifier=bytes(registered.verifier),
        )
    assert_nothing_written(hub)
    assert any("--gateway 0x" in line for line in hub.told)


def test_retire_needs_a_known_ledger(hub):
    with pytest.raises(NotFound, match="known: none yet"):
        retire_chain(hub.home, hub.config, hub.store, "nowhere")


def test_a_retired_ledger_is_followed_no_more(hub, registered, sealed):
    hub.add("a", sealed.url, gateway=bytes(registered.gateway), verifier=bytes(registered.verifier))
    retire_chain(hub.home, hub.config, hub.store, "a")
    assert chain_named(hub.store, "a").state == "retired"
    content = tomllib.loads((hub.home.operators / "org-1" / "operator.toml").read_text())
    assert content["chains"] == []


def test_endpoints_as_a_command_line_gives_them():
    assert endpoints_of(["a, b", "c", " ,"]) == ("a", "b", "c")


def test_two_ledgers_registered_at_once_are_both_told_to_operators(hub, sealed, other):
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda item: hub.add(*item), [("a", sealed.url), ("b", other.url)]))
    content = tomllib.loads((hub.home.operators / "org-1" / "operator.toml").read_text())
    assert [item["name"] for item in content["chains"]] == ["a", "b"]
