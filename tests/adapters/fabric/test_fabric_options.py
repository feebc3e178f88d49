"""Options and the network file: what cannot be is said by name."""

import json

import pytest

from adapters.fabric.adapter import FabricLedger
from adapters.protocol import AdapterOptions, Endpoint, Misconfigured

URL = "grpcs://peer0.org1.example:7051"
NETWORK = {
    "channel": "trade",
    "organisations": [{"msp_id": "Org1MSP", "roots": ["ca.pem"]}],
    "peers": [{"url": URL, "msp_id": "Org1MSP", "tls_roots": "tlsca.pem"}],
    "orderers": [{"url": "grpcs://orderer.example:7050", "msp_id": "OrdererMSP", "tls_roots": "tlsca.pem"}],
}


def open_with(folder, described=NETWORK, url=URL, **extra):
    path = folder / "network.json"
    path.write_text(json.dumps(described))
    given = {"network": str(path), "reader": str(folder), **extra}
    return FabricLedger(AdapterOptions((Endpoint(url),), extra=given))


def test_an_adapter_opens_without_asking(tmp_path):
    ledger = open_with(tmp_path)
    assert ledger.endpoint == URL
    assert ledger.leave_endpoint("no reason") is False
    ledger.close()


@pytest.mark.parametrize(
    ("extra", "words"),
    [
        ({"reader": ""}, "reader"),
        ({"unknown": "1"}, "unknown"),
        ({"threshold": "many"}, "threshold"),
        ({"threshold": "2"}, "More organisations"),
        ({"endorsers": "2"}, "More organisations"),
        ({"attesters": "Org9MSP"}, "Org9MSP"),
        ({"tls_key": "key.pem"}, "come together"),
        ({"network": "/nowhere/network.json"}, "cannot be read"),
    ],
)
def test_an_option_that_cannot_be_is_named(tmp_path, extra, words):
    with pytest.raises(Misconfigured, match=words):
        open_with(tmp_path, **extra)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"channel": ""}, "channel"),
        ({"peers": [{"url": "http://peer", "msp_id": "Org1MSP"}]}, "peers.0.url"),
        ({"more": 1}, "more"),
        ({"peers": []}, "is no peer of the network file"),
    ],
)
def test_a_network_file_that_cannot_be_names_the_place(tmp_path, change, words):
    with pytest.raises(Misconfigured, match=words):
        open_with(tmp_path, {**NETWORK, **change})


def test_without_an_endpoint_nothing_opens(tmp_path):
    with pytest.raises(Misconfigured, match="endpoint"):
        FabricLedger(AdapterOptions(()))
    with pytest.raises(Misconfigured, match="is no peer"):
        open_with(tmp_path, url="grpcs://other:1")
