"""The file with the light client's options: TOML, a genesis file, and what is wrong with it."""

import json
import re

import pytest

from light_clients import ibft2, qbft
from relay.clients import client_configuration
from relay.errors import BadInput
from relay.registry import client_options
from relay.registry.client_options import ClientOptions, read_client_options
from tests.relay.registry.test_trust import identity
from tests.support.shared_vectors import shared
from tests.support.vectors import VECTORS


def written(folder, text):
    path = folder / "options"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_no_file_says_nothing():
    assert read_client_options("") == ClientOptions()


def test_options_in_toml(tmp_path):
    said = read_client_options(written(tmp_path, 'consensus = "ibft2"\nepoch_length = 7\n'))
    assert (said.consensus, said.options) == ("ibft2", {"epoch_length": 7})
    assert read_client_options(written(tmp_path, "")) == ClientOptions()


@pytest.mark.parametrize(
    ("path", "consensus", "configuration"),
    [
        ("besu_bft/lacnet/genesis-mainnet.json", "ibft2", ibft2.Ibft2Configuration(epoch_length=150_000)),
        ("besu_bft/elc_e2e_chains/chain1/network/genesis.json", "qbft", qbft.QbftConfiguration()),
    ],
)
def test_a_genesis_file(path, consensus, configuration):
    said = read_client_options(str(shared(path)))
    assert said.consensus == consensus
    assert client_configuration(consensus, said.options, identity()) == configuration


def test_the_example_of_the_document(tmp_path):
    document = (VECTORS.parents[1] / "docs" / "light-clients.md").read_text(encoding="utf-8")
    example, of_clique = re.findall(r"```toml\n(.*?)```", document, re.DOTALL)
    said = read_client_options(written(tmp_path, example))
    configuration = client_configuration(said.consensus, said.options, identity())
    assert said.consensus == "qbft"
    assert [len(part) for part in (configuration.overrides, configuration.selections, configuration.votes)] == [1, 1, 1]
    said = read_client_options(written(tmp_path, of_clique))
    assert said.consensus == "clique"
    assert client_configuration("clique", said.options, identity()).confirmations == 6


BAD = {
    "no TOML": ("neither TOML nor a genesis file", "epoch_length"),
    "no JSON": ("neither TOML nor a genesis file", "{"),
    "a deep file": ("neither TOML nor a genesis file", '{"config":' + "[" * 100_000),
    "consensus is a number": ("consensus is a name", "consensus = 7"),
    "a genesis of nobody": ("has one of qbft", json.dumps({"config": {}})),
}


@pytest.mark.parametrize("name", BAD)
def test_files_that_say_nothing_to_follow(name, tmp_path):
    match, text = BAD[name]
    with pytest.raises(BadInput, match=match):
        read_client_options(written(tmp_path, text))


def test_files_that_cannot_be_read(tmp_path, monkeypatch):
    with pytest.raises(BadInput, match="cannot be read"):
        read_client_options(str(tmp_path / "missing"))
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BadInput, match="cannot be read"):
        read_client_options(str(tmp_path / "binary"))
    monkeypatch.setattr(client_options, "MAXIMUM_FILE_SIZE", 3)
    with pytest.raises(BadInput, match="larger than any genesis file"):
        read_client_options(written(tmp_path, "1234"))
