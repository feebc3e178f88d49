"""`relayhub --hub URL`: what the commands print on a hub elsewhere, and how they refuse."""

import json

import httpx
import pytest
import typer

from relay import client, hub_calls, sending
from relay.cli import application, main, remote
from relay.cli.remote_hub import client_options_of
from relay.cli.remote_local import LOCAL
from relay.errors import BadInput, HubError, NotFound, NotNow
from relay.keys import KeyStore
from relay.web.api import acts
from schemas.payloads import decode_payload
from tests.support.api_world import ApiWorld, Shared
from tests.support.filled_hub import LANE, message_id

URL = "http://hub"


@pytest.fixture
def world(tmp_path, monkeypatch):
    world = ApiWorld(tmp_path / "world")
    made = client.HubClient.__init__

    def connected(self, url, token="", **options):
        made(self, url, token, **options | {"transport": Shared(world.bridge)})

    monkeypatch.setattr(client.HubClient, "__init__", connected)
    monkeypatch.delenv("RELAYHUB_TOKEN_FILE", raising=False)
    monkeypatch.setenv("RELAYHUB_HOME", str(world.hub.home.folder))
    yield world
    world.close()


@pytest.fixture
def token_file(world, tmp_path):
    path = tmp_path / "token"
    path.write_text(world.owner() + "\n")
    path.chmod(0o600)
    return str(path)


def told(capsys, *words):
    assert main(list(words)) == 0, capsys.readouterr().err
    return capsys.readouterr().out


@pytest.mark.parametrize(
    "words",
    [
        ("chain", "list"),
        ("chain", "show", "alpha"),
        ("lane", "list"),
        ("operator", "list"),
        ("key", "list"),
        ("adapter", "list"),
        ("trace", message_id(1).hex()),
        ("explain", "--all"),
        ("explain", "operators-silent"),
        ("approve",),
        ("evidence", "list"),
    ],
)
def test_json_is_what_the_command_prints_locally(world, capsys, words):
    far = json.loads(told(capsys, "--hub", URL, *words, "--json"))
    near = json.loads(told(capsys, *words, "--json"))
    times = {"tip_age_s", "client_expires_in_s", "oldest_age_s", "silent", "runway_days"}

    def timeless(value):
        if isinstance(value, dict):
            return {name: timeless(item) for name, item in value.items() if name not in times}
        return [timeless(item) for item in value] if isinstance(value, list) else value

    assert timeless(far) == timeless(near)


def test_text_is_for_people(world, capsys):
    for words in (("status",), ("chain", "list"), ("lane", "list"), ("operator", "list"), ("adapter", "list")):
        assert told(capsys, "--hub", URL, *words).strip()


def test_a_change_says_in_one_line_why_it_is_refused(world, token_file, capsys):
    assert main(["--hub", URL, "--token-file", token_file, "chain", "retire", "alpha"]) == 2
    assert capsys.readouterr().err.startswith("NotNow: The lane alpha → beta #default is active.")


def test_without_a_token_nothing_is_changed(world, capsys):
    assert main(["--hub", URL, "pause", "alpha", "beta"]) == 2
    assert capsys.readouterr().err.startswith("TokenMissing: ")


def test_the_token_file_may_be_named_by_the_environment(world, token_file, capsys, monkeypatch):
    monkeypatch.setenv("RELAYHUB_TOKEN_FILE", token_file)
    world.token("auditor")
    assert json.loads(told(capsys, f"--hub={URL}", "chain", "list", "--json"))[0]["name"] == "alpha"


def commands(app, name=""):
    """Every command with its group, as a person types it."""
    group = typer.main.get_command(app)
    return {
        f"{name} {word}".strip()
        for name, found in [("", group), *group.commands.items()]
        for word in getattr(found, "commands", {})
        if not hasattr(found.commands[word], "commands")
    }


def test_each_command_is_remote_or_local_with_a_reason():
    here, far = commands(application.app), commands(remote.app)
    assert far <= here
    assert here - far == set(LOCAL)
    assert all(reason[0].islower() and not reason.endswith(".") for reason in LOCAL.values())


def test_help_tells_of_hubs_elsewhere(capsys):
    assert "--hub URL" in told(capsys, "--help")


@pytest.mark.parametrize("command", sorted(LOCAL))
def test_what_works_on_the_hubs_machine_only_says_why(command):
    with pytest.raises(NotNow) as refused:
        remote.run(["--hub", URL, *command.split(), "x"])
    assert refused.value.message == f"`{command}` takes no --hub: {LOCAL[command]}."


@pytest.mark.parametrize("words", [["--hub"], ["--hub", "hub.example", "status"], ["--token-file", "x", "status"]])
def test_a_hub_that_is_no_url_is_refused(words):
    with pytest.raises(HubError):
        remote.run(words)


def test_a_token_that_others_may_read_is_refused(tmp_path):
    path = tmp_path / "token"
    path.write_text("rht_x")
    path.chmod(0o640)
    with pytest.raises(BadInput):
        remote.read_token(str(path))
    path.chmod(0o600)
    assert remote.read_token(str(path)) == "rht_x"
    path.write_bytes(b"\xff")
    with pytest.raises(BadInput):
        remote.read_token(str(path))
    path.write_text("")
    with pytest.raises(BadInput):
        remote.read_token(str(path))
    with pytest.raises(NotFound):
        remote.read_token(str(tmp_path / "none"))
    assert remote.read_token("") == ""


def test_what_is_no_hub_is_told_so(monkeypatch):
    monkeypatch.setattr(hub_calls, "LOOK_S", 0)

    def page(_):
        return httpx.Response(200, html="<p>welcome</p>")

    def nobody(_):
        raise httpx.ConnectError("refused")

    for answer in (page, nobody):
        with client.HubClient(URL, transport=httpx.MockTransport(answer)) as hub, pytest.raises(client.HubUnreachable):
            hub.status()


def test_lanes_are_found_by_their_ends(world, token_file, capsys):
    assert main(["--hub", URL, "--token-file", token_file, "lane", "close", "beta", "alpha"]) == 2
    assert capsys.readouterr().err.startswith("NotFound: There is no lane beta → alpha")
    assert LANE.hex() in told(capsys, "--hub", URL, "lane", "list", "--json")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("recover", "alpha"), "NotNow: The ledger alpha is active and was never frozen."),
        (("recover", "alpha", "--pin", "x"), "BadInput: "),
        (("lane", "limit", "alpha", "beta"), "BadInput: "),
        (("lane", "allow", "aaaaaaaa"), "BadInput: "),
        (("lane", "deny", "alpha", "beta"), "NotFound: There is no key officer-1"),
        (("lane", "close", "alpha", "gamma"), "NotFound: There is no lane alpha → gamma"),
        (("operator", "strike", "nobody"), "NotFound: "),
        (("propose", "unknown", "--chain", "alpha", "--key", "ana"), "NotFound: "),
        (("execute", "alpha/gateway/1", "--key", "ana"), "NotFound: "),
        (("receipt", "0x" + "ee" * 32), "NotFound: "),
        (("anchors",), "NotFound: "),
        (("chain", "announce", "alpha", "none.toml"), "BadInput: The file none.toml cannot be read"),
        (("explain", "waiting_for_nobody"), "NotFound: There is no code"),
    ],
)
def test_the_hub_says_in_one_line_why_not(world, token_file, capsys, words, said):
    assert main(["--hub", URL, "--token-file", token_file, *words]) == 2
    assert capsys.readouterr().err.startswith(said)


def test_what_a_file_of_this_machine_says_goes_to_the_hub(tmp_path):
    for name, text in (
        ("options.toml", 'consensus = "qbft"\n[a]\nb = 1'),
        ("genesis.json", '{"config": {"qbft": {}}}'),
    ):
        (tmp_path / name).write_text(text)
    assert client_options_of(str(tmp_path / "options.toml")) == {"consensus": "qbft", "a": {"b": 1}}
    assert client_options_of(str(tmp_path / "genesis.json")) == {"config": {"qbft": {}}}
    assert client_options_of("") is None
    (tmp_path / "neither").write_text("{")
    with pytest.raises(BadInput):
        client_options_of(str(tmp_path / "neither"))


def test_the_doctor_is_for_officers_and_auditors(world, token_file, capsys, tmp_path):
    main(["--hub", URL, "--token-file", token_file, "doctor", "--json"])
    found = {item["check"]: item["ok"] for item in json.loads(capsys.readouterr().out)}
    assert found["configuration"]
    assert "ledgers" in found
    other = tmp_path / "other"
    other.write_text(world.token("application"))
    other.chmod(0o600)
    assert main(["--hub", URL, "--token-file", str(other), "doctor"]) == 2
    assert capsys.readouterr().err.startswith("RoleMissing: ")


def test_a_lane_is_opened_there_as_here(world, token_file, capsys, monkeypatch):
    asked = []
    monkeypatch.setattr(acts, "open_lane", lambda _, body: asked.append(body) or [])
    caps = ("--max-payload", "1", "--max-gas", "2", "--max-callback-gas", "3", "--window", "4", "--window-limit", "5")
    given = ("--verifier", "alpha=0x" + "1a" * 20, "--trusting-period", "600", "--batch-limit", "7", "--key", "ana")
    words = ("lane", "open", "alpha", "beta", "--channel", "发票", "--both", "--trust", "light-client", *caps, *given)
    assert json.loads(told(capsys, "--hub", URL, "--token-file", token_file, *words, "--json")) == []
    (body,) = asked
    assert (body.source, body.destination, body.channel, body.both) == ("alpha", "beta", "发票", True)
    assert (body.trust, body.verifiers, body.trusting_period_s) == ("light-client", ["alpha=0x" + "1a" * 20], 600)
    assert (body.max_payload, body.max_gas, body.max_callback_gas) == (1, 2, 3)
    assert (body.window_s, body.window_limit, body.batch_limit, body.key) == (4, 5, 7, "ana")


def test_a_records_id_is_sent_there_as_here(world, token_file, capsys, monkeypatch):
    letters = []
    sent = sending.Sent(b"\x1a" * 32, b"\x2b" * 32, 1, b"\x3c" * 32, 4)
    monkeypatch.setattr(sending, "send", lambda *given: letters.append(given[3]) or [sent])
    KeyStore(world.hub.home.keys).load_or_new("sender")
    words = ("send", "alpha", "beta", "--to", "mailbox", "--record", "0x" + "5a" * 32, "--json")
    (there,) = json.loads(told(capsys, "--hub", URL, "--token-file", token_file, *words))
    (here,) = json.loads(told(capsys, *words))
    assert there["message_id"] == here["message_id"]
    payloads = [decode_payload(letter.payload) for letter in letters]
    assert [payload.kind for payload in payloads] == ["document"] * 2
    assert {bytes(payload.record) for payload in payloads} == {b"\x5a" * 32}
