"""Credentials in endpoints' URLs, and keys: what any command, log, error or file of the hub shows of them."""

import json
import traceback

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from adapters.protocol import AdapterOptions, Endpoint, Unreachable
from adapters.registry import open_ledger
from relay.cli import main
from relay.keys import KeyStore
from relay.store.tables import chains
from relay.web.status import status
from tests.support.filled_hub import FilledHub

SECRET = "hunter2"
URL = f"http://user:{SECRET}@127.0.0.1:1/v3/{SECRET}0123456789abcdef0123456789?key={SECRET}"


@pytest.fixture
def filled(tmp_path):
    hub = FilledHub(tmp_path)
    hub.chain("alpha", 1, endpoints=[{"url": URL, "operator": "somebody"}])
    hub.chain("beta", 2, endpoints=[{"url": URL, "operator": "somebody"}])
    hub.lane()
    hub.operator("org-1", 7)
    yield hub
    hub.store.close()


@pytest.mark.parametrize(
    "words", [["chain", "list"], ["chain", "show", "alpha"], ["status"], ["lane", "list"], ["doctor"]]
)
@pytest.mark.parametrize("form", [[], ["--json"]])
def test_no_command_shows_credentials(filled, capfd, words, form):
    main([*words, *form, "--home", str(filled.home.folder)])
    shown = "".join(capfd.readouterr())
    assert shown
    assert SECRET not in shown
    assert SECRET not in json.dumps(status(filled.store, "hub", development=True))


def test_an_endpoint_that_fails_is_named_without_them():
    ledger = open_ledger("evm", AdapterOptions((Endpoint(URL),)))
    with pytest.raises(Unreachable) as caught:
        ledger.tip()
    assert "127.0.0.1:1" in str(caught.value)
    assert SECRET not in "".join(traceback.format_exception(caught.value))
    assert SECRET not in repr(ledger.status())
    ledger.close()


def test_an_error_of_the_database_shows_no_row(filled):
    with pytest.raises(IntegrityError) as caught:
        filled.chain("alpha", 3, endpoints=[{"url": URL, "operator": ""}])
    assert SECRET not in "".join(traceback.format_exception(caught.value))
    with filled.store.read() as connection:
        assert SECRET in connection.execute(text(f"SELECT endpoints FROM {chains.name} LIMIT 1")).scalar_one()


@pytest.mark.parametrize("name", ["../up", "a/b", "a\\b", ".hidden", "-rf", "", "x" * 65, "a\0b", "..", "a\nb"])
@pytest.mark.parametrize("command", ["key", "operator", "chain"])
def test_no_name_leads_out_of_its_folder(tmp_path, capsys, name, command):
    hub = FilledHub(tmp_path)
    hub.store.close()
    before = sorted(
        path.relative_to(tmp_path) for path in tmp_path.rglob("*") if not path.name.endswith(("-wal", "-shm"))
    )
    words = {
        "key": ["key", "new", "--", name],
        "operator": ["operator", "add", "--signer", "0x" + "11" * 20, "--organisation", "o", "--", name],
        "chain": ["chain", "add", "--rpc", "http://127.0.0.1:1", "--", name],
    }[command]
    words[2:2] = ["--home", str(hub.home.folder)]
    harmless = command == "operator" and name in ("a\\b", "-rf")
    assert main(words) == (0 if harmless else 2)
    after = sorted(
        path.relative_to(tmp_path) for path in tmp_path.rglob("*") if not path.name.endswith(("-wal", "-shm"))
    )
    assert after == before
    capsys.readouterr()


def test_a_key_is_in_its_file_and_nowhere_else(tmp_path, capfd):
    hub = FilledHub(tmp_path)
    hub.store.close()
    assert main(["key", "new", "mine", "--home", str(hub.home.folder), "--json"]) == 0
    assert main(["key", "list", "--home", str(hub.home.folder), "--json"]) == 0
    private = KeyStore(hub.home.keys).load("mine").private.hex()
    assert private not in "".join(capfd.readouterr())
    others = [path for path in tmp_path.rglob("*") if path.is_file() and path.name != "mine.json"]
    assert not any(
        bytes.fromhex(private) in path.read_bytes() or private.encode() in path.read_bytes() for path in others
    )
