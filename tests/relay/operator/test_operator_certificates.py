"""A certificate is refused at a simulated ChainMaker network, over TLS: the operator says so, and is well again with a good file."""

import threading
import time
import tomllib
from contextlib import contextmanager
from pathlib import Path

import pytest
import tomli_w

from adapters.chainmaker.keys import P256
from adapters.chainmaker.simulator import ChainMakerNetwork
from adapters.chainmaker.simulator.authority import authority, issue, new_key
from adapters.chainmaker.simulator.material import write_pair
from relay.cli import main
from relay.operator.process import Operator
from relay.operator.standing import CERTIFICATE
from relay.statements import WELL
from relay.views.status import hub_status
from relay.views.status_text import render
from tests.support.bare_hub import BareHub
from tests.support.operator_world import wait_until
from tests.support.served_hub import ServedHub

OPERATOR = "org-2"


class Member:
    """The organisation whose client the operator is, and the files in which it has its certificates.

    Args:
        network: the ledger.
        number: the organisation's place in it.
    """

    def __init__(self, network, number):
        self.organisation = network.nodes[number].organisation
        self.options = network.options(number)

    def put(self, kind, *, issuer=None, **wrong):
        """Put a new certificate in the place of the one that signs (`member`) or speaks TLS (`tls`); returns it."""
        usage, unit, root = ("tls", "ChainMaker", "tls_root") if kind == "tls" else ("sign", "client", "root")
        issuer = issuer or getattr(self.organisation, root)
        issued = issue(issuer, new_key(P256), self.organisation.name, unit, "renewed", usage=usage, **wrong)
        write_pair(Path(self.options[f"{kind}_certificate"]).with_suffix(""), issued)
        return issued


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    with ChainMakerNetwork(tmp_path_factory.mktemp("network"), block_interval_s=0.25) as running:
        yield running


@pytest.fixture(scope="module")
def member(network):
    return Member(network, 1)


@pytest.fixture(scope="module")
def home(tmp_path_factory, network, member):
    """The folder of a hub that serves; an operator of it has an organisation's own certificates."""
    folder = tmp_path_factory.mktemp("hub")
    (folder / "client.toml").write_text("trusting_period_s = 4294967295\n")
    hub = BareHub(folder)
    client = {"consensus": "chainmaker", "client_options": str(folder / "client.toml")}
    hub.add("trade", network.endpoints[0], adapter="chainmaker", options=network.options(), **client)
    file = file_of(hub.home)
    settings = tomllib.loads(file.read_text())
    settings["chains"][0]["adapter_options"] = member.options
    file.write_text(tomli_w.dumps(settings))
    served = ServedHub(hub.store, hub.config.web_port)
    yield hub.home
    served.stop()
    hub.store.close()


def file_of(home):
    return home.operators / OPERATOR / "operator.toml"


@contextmanager
def at_work(home):
    """The operator in a thread, from its first word on."""
    operator, began = Operator(file_of(home)), time.time()
    thread = threading.Thread(target=operator.run)
    thread.start()
    try:
        wait_until(lambda: any(item["heard_at"] > began for item in said(home)), "it says how it stands")
        yield
    finally:
        operator.stop()
        thread.join()


def said(home):
    (row,) = [row for row in hub_status(home)["operators"] if row["name"] == OPERATOR]
    return row["says"]


def says(home, code):
    return [(item["chain"], item["code"]) for item in said(home)] == [("trade", code)]


def alarms(home):
    return [alarm for alarm in hub_status(home)["alarms"] if alarm["code"] == CERTIFICATE]


def told_until_mended(home, mend):
    """The operator says that a certificate is refused and the hub shows it; it is over as soon as good files are there."""
    wait_until(lambda: says(home, CERTIFICATE), "it says that the certificate is refused")
    (alarm,), shown = alarms(home), render(hub_status(home), time.time())
    assert "grpcs" not in str(said(home)), "where an operator's node is, is told to nobody"
    mend()
    wait_until(lambda: says(home, WELL), "it is well again by itself")
    assert alarms(home) == []
    assert (alarm["subject"], alarm["name"], alarm["party"]) == ("operator", OPERATOR, f"operator {OPERATOR}")
    assert alarm["text"].startswith("It says that its certificate for trade is refused")
    assert f"operator {OPERATOR}: {CERTIFICATE}, for operator {OPERATOR}. {alarm['text']}" in shown


def waits(logged):
    return [entry["text"] for entry in logged if entry["event"] == "ledger_waits"]


def over(_, member):
    member.put("member", years=-0.1)


def revoked(network, member):
    network.revoke(member.put("member"), member.organisation)


def of_another_authority(_, member):
    member.put("member", issuer=authority(P256, member.organisation.name))


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (over, "client1.sign.crt ended at"),
        (revoked, "The chain has revoked or frozen the certificate client1.sign.crt"),
        (of_another_authority, "The chain does not take the member client1.sign.crt"),
    ],
)
def test_a_member_whose_certificate_is_refused_says_so_until_a_good_one_is_there(
    home, network, member, logged, spoil, why
):
    with at_work(home):
        wait_until(lambda: says(home, WELL), "it says that it is well")
        spoil(network, member)
        told_until_mended(home, lambda: member.put("member"))
    assert why in waits(logged)[0]


@contextmanager
def spoiled(home, spoil, *, at_start):
    """An operator at work whose certificates are spoiled before it begins, or while it is well."""
    if at_start:
        spoil()
    with at_work(home):
        if not at_start:
            wait_until(lambda: says(home, WELL), "it says that it is well")
            spoil()
        yield


@pytest.mark.parametrize("at_start", [True, False])
def test_a_tls_certificate_that_a_node_refuses_is_told_until_a_good_one_is_there(home, member, logged, at_start):
    stranger = authority(P256, member.organisation.name)
    with spoiled(home, lambda: member.put("tls", issuer=stranger), at_start=at_start):
        told_until_mended(home, lambda: member.put("tls"))
    assert any("does not take our TLS certificate client1.tls.crt" in text for text in waits(logged))


@pytest.mark.parametrize("at_start", [True, False])
def test_a_node_whose_tls_certificate_is_over_is_told_until_it_has_a_good_one(home, network, logged, at_start):
    def restart(tls=""):
        network.stop_node(0)
        network.start_node(0, tls=tls)

    with spoiled(home, lambda: restart("expired"), at_start=at_start):
        told_until_mended(home, restart)
    assert any("or its authority's, is over; its operator has to renew it" in text for text in waits(logged))


def test_the_reason_says_whose_turn_it_is(capsys):
    assert main(["explain", CERTIFICATE]) == 0
    told = capsys.readouterr().out
    assert "that operator's organisation, with whoever issues its certificates" in told
    assert "puts a renewed certificate in the place of the old one" in told
