"""TLS with the ledger's own authority: who is believed, who is let in, what is refused before anything is sent."""

import time

import pytest

from adapters.fisco.adapter import FiscoLedger
from adapters.fisco.simulator.tls import NODE_NAME, make_certificates
from adapters.protocol import AdapterOptions, Endpoint, Misconfigured, Unreachable
from tests.support.fisco_lane import open_fisco, start_fisco


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    made = start_fisco(3, tmp_path_factory.mktemp("tls"), tls=True)
    yield made
    made.stop()


@pytest.fixture
def opened(network):
    ledgers = []

    def open_with(**changes):
        extra = {name: value for name, value in (network.options | changes).items() if value is not None}
        options = AdapterOptions((Endpoint(network.endpoints[0]),), timeout_s=5.0, extra=extra)
        ledgers.append(FiscoLedger(options))
        return ledgers[-1]

    yield open_with
    for ledger in ledgers:
        ledger.close()


@pytest.mark.parametrize("name", [NODE_NAME, "any"])
def test_a_node_with_a_certificate_of_the_authority_is_believed(network, opened, name):
    ledger = opened(tls_name=name)
    assert ledger.tip() == network.ledger.height
    assert ledger.identity().development


def test_it_goes_through_the_guard_too(network):
    ledger = open_fisco(network)
    assert str(ledger.identity().chain_id) == "fisco:group0"
    (state,) = ledger.certificates()
    assert state.not_after > time.time() + 30 * 86_400
    ledger.close()


def test_another_authority_another_name_or_none_of_ours_is_no_handshake(opened, tmp_path):
    other = make_certificates(tmp_path / "other")
    for changes, why in (
        ({"tls_roots": other["tls_roots"]}, "not believed"),
        ({"tls_name": "other.name"}, "not believed"),
        ({"tls_name": None}, "not believed"),
        (
            {"tls_certificate": other["tls_certificate"], "tls_key": other["tls_key"]},
            "handshake|cannot be reached|broke",
        ),
        ({"tls_certificate": None, "tls_key": None}, "handshake|cannot be reached|broke"),
        (dict.fromkeys(("tls_roots", "tls_certificate", "tls_key", "tls_name")), "not believed"),
    ):
        with pytest.raises(Unreachable, match=why):
            opened(**changes).tip()


def test_files_that_cannot_be_are_named_before_anything_is_sent(opened, tmp_path, network):
    ended = make_certificates(tmp_path / "ended", client_days=-1)
    for changes, why in (
        ({"tls_roots": str(tmp_path / "nothing")}, "tls_roots"),
        ({"tls_roots": ""}, "tls_roots"),
        ({"tls_certificate": str(tmp_path / "nothing")}, "tls_certificate"),
        ({"tls_certificate": ended["tls_certificate"], "tls_key": ended["tls_key"]}, "no longer valid"),
        ({"tls_key": ended["tls_key"]}, "do not go together"),
    ):
        with pytest.raises(Misconfigured, match=why):
            opened(**changes)
