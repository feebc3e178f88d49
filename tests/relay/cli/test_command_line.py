"""The command line without processes: bad input is one line and exit code 2, --json everywhere, instant where it must be."""

import json
import subprocess
import sys

import pytest

from relay.cli import main
from relay.cli.application import app
from relay.cli.failures import describe, one_line, report, write_trace
from relay.home import Home
from relay.keys import KeyStore
from relay.processes import Process, record
from relay.registry.hub import ensure_hub, prepare
from relay.store import engine
from relay.store.tables import chains
from tests.support.fake_rpc import FakeRpc
from tests.support.filled_hub import FilledHub, message_id


@pytest.fixture
def home(tmp_path):
    """A development hub without ledgers, not running."""
    home = Home(tmp_path / "hub")
    config, _ = ensure_hub(home)
    prepare(home, config).close()
    return home


@pytest.fixture
def filled(tmp_path):
    hub = FilledHub(tmp_path)
    hub.chain("alpha", 1)
    hub.chain("beta", 2)
    hub.lane(final=1)
    hub.message(1)
    hub.operator("org-1", 1)
    yield hub
    hub.store.close()


@pytest.fixture
def failing(home, capsys):
    """Run a command that must fail; returns its one line on standard error."""

    def run(*words):
        assert main([*words, "--home", str(home.folder)]) == 2
        captured = capsys.readouterr()
        assert captured.out == ""
        lines = captured.err.strip().split("\n")
        assert len(lines) == 1, captured.err
        assert "Traceback" not in captured.err
        return lines[0]

    return run


BAD = {
    "unknown ledger": (["chain", "show", "nowhere"], "NotFound: There is no ledger named 'nowhere'"),
    "unknown ledger, retire": (["chain", "retire", "nowhere"], "NotFound: There is no ledger named 'nowhere'"),
    "lane between unknown ledgers": (["lane", "open", "here", "there"], "NotFound: There is no ledger named 'here'"),
    "unknown lane": (["lane", "close", "here", "there"], "NotFound: There is no lane here → there #default"),
    "a lane by nothing": (["lane", "allow", "here", "--sender", "0x11"], "BadInput: 'here' names no lane"),
    "send over an unknown lane": (["send", "a", "b", "--to", "mailbox", "--text", "x"], "NotFound: There is no lane a → b"),
    "send with an unknown key": (["send", "a", "b", "--to", "mailbox", "--text", "x", "--key", "none"], "NotFound: There is no key none"),
    "send two payloads": (["send", "a", "b", "--to", "mailbox", "--text", "x", "--hex", "00"], "BadInput: A message has one payload"),
    "send no payload": (["send", "a", "b", "--to", "mailbox"], "BadInput: A message has one payload"),
    "send a file that is not there": (["send", "a", "b", "--to", "mailbox", "--file", "none"], "BadInput: The file none cannot be read"),
    "send odd digits": (["send", "a", "b", "--to", "mailbox", "--hex", "abc"], "BadInput: The payload cannot be encoded"),
    "unknown operator": (["operator", "strike", "nobody"], "NotFound: There is no operator named 'nobody'"),
    "operator without an address": (["operator", "add", "x", "--signer", "0x12", "--organisation", "o"], "BadInput: '0x12' is no address"),
    "operator that is there": (["operator", "add", "org-1", "--signer", "0x" + "11" * 20, "--organisation", "o"], "Duplicate: There is an operator named org-1"),
    "trace of no id": (["trace", "hello"], "BadInput: 'hello' is no id"),
    "trace of an unknown id": (["trace", "0x" + "ab" * 32], "NotFound: No message or transaction"),
    "key that is there": (["key", "new", "sender"], "Duplicate: The key sender exists already"),
    "key that is no file name": (["key", "new", "a/b"], "BadInput: The key name 'a/b' cannot be a file name"),
    "a name not in NFC": (["key", "new", "cle\u0301"], "BadInput: key name"),
    "a proposal of no form": (["approve", "x", "--key", "officer-1"], "BadInput: 'x' names no proposal"),
    "an approval without a key": (["approve", "x/gateway/1"], "BadInput: An officer signs an approval"),
    "execute of an unknown ledger": (["execute", "x/gateway/1", "--key", "officer-1"], "NotFound: There is no ledger named 'x'"),
    "propose on an unknown ledger": (["propose", "resume", "--chain", "x", "--key", "officer-1"], "NotFound: There is no ledger"),
    "pause of an unknown ledger": (["pause", "x"], "NotFound: There is no ledger named 'x'"),
    "resume of an unknown lane": (["resume", "x", "y"], "NotFound: There is no lane x → y"),
    "dead endpoint": (["chain", "add", "x", "--rpc", "http://127.0.0.1:1"], "BadInput: "),
    "endpoint of no form": (["chain", "add", "x", "--rpc", "nonsense://"], "Misconfigured: 'nonsense://' is no endpoint"),
    "unknown adapter": (["chain", "add", "x", "--rpc", "http://127.0.0.1:1", "--adapter", "quantum"], "Misconfigured: There is no adapter named 'quantum'"),
    "gateway of no form": (["chain", "add", "x", "--rpc", "http://127.0.0.1:1", "--gateway", "0x1"], "BadInput: '0x1' is no address"),
    "name of two lines": (["chain", "add", "a\nb", "--rpc", "http://127.0.0.1:1"], "BadInput: ledger name"),
    "unknown option": (["status", "--colour"], "BadInput: No such option: --colour"),
    "unknown command": (["chain", "destroy"], "BadInput: No such command 'destroy'"),
    "a number out of range": (["lane", "open", "a", "b", "--batch-limit", "0"], "BadInput: Invalid value for '--batch-limit'"),
    "down without a hub running": (["down"], "NotNow: No hub is running"),
    "up under another name": (["up", "--name", "other"], "BadInput: The hub here is named 'development'"),
    "up for production": (["up", "--production", "--name", "development"], "BadInput: The hub here is a development hub"),
}  # fmt: skip


@pytest.mark.parametrize(("words", "begins"), BAD.values(), ids=BAD.keys())
def test_bad_input_is_one_line(failing, words, begins):
    assert failing(*words).startswith(begins)


def test_nothing_is_half_registered(failing, home):
    for words, _ in BAD.values():
        if words[:2] == ["chain", "add"]:
            failing(*words)
    from relay.store import Store

    store = Store(home.database_url(home.load()))
    with store.read() as connection:
        assert connection.execute(chains.select()).all() == []
    store.close()


def test_an_endpoint_that_is_no_evm(failing):
    with FakeRpc(lambda _requests: b"<html>\x1b[2J</html>") as server:
        line = failing("chain", "add", "x", "--rpc", server.url)
    assert "\x1b" not in line


@pytest.mark.parametrize(
    "words",
    [["status"], ["trace", "aabbcc"], ["chain", "list"], ["send", "a", "b", "--to", "x", "--text", "x"], ["down"]],
)
def test_a_hub_that_is_not_there_is_not_made(tmp_path, capsys, words):
    assert main([*words, "--home", str(tmp_path / "none")]) == 2
    assert capsys.readouterr().err.startswith("No")
    assert not (tmp_path / "none").exists()


def test_a_configuration_with_a_wrong_setting(failing, home):
    home.config_file.write_text('name = "hub"\nworkers = 0\n')
    line = failing("lane", "open", "a", "b")
    assert "workers" in line
    home.config_file.write_text('name = "hub"\ncolour = 1\n')
    assert "colour" in failing("lane", "open", "a", "b")


def test_a_key_file_that_others_may_read(failing, home):
    KeyStore(home.keys).path("sender").chmod(0o644)
    assert failing("send", "a", "b", "--to", "mailbox", "--text", "x") .startswith("BadInput: The key file")  # fmt: skip


def test_a_database_that_is_damaged(failing, home):
    for path in home.folder.glob("relayhub.db*"):
        path.write_bytes(b"damaged " * 1000)
    assert "database" in failing("status").lower()
    assert "database" in failing("lane", "open", "a", "b").lower()


def test_a_full_disk(failing, home, monkeypatch):
    real = engine._prepare_sqlite

    def full(connection, item):
        real(connection, item)
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count={pages}")

    monkeypatch.setattr(engine, "_prepare_sqlite", full)
    names = ["x" * 60 + f"{number:03}" for number in range(60)]
    for name in names:
        code = main(["operator", "add", name, "--signer", "0x" + name[-3:].rjust(40, "1"), "--organisation", "o" * 60, "--home", str(home.folder)])  # fmt: skip
        if code:
            return
    raise AssertionError("the disk never filled")


def test_a_bug_is_one_line_and_its_trace_a_file(failing, home, monkeypatch):
    def broken(*_arguments, **_named):
        raise KeyError("something\nunforeseen")

    monkeypatch.setattr("relay.registry.opening.open_lanes", broken)
    line = failing("lane", "open", "a", "b")
    assert line.startswith("Unexpected: KeyError")
    assert "Traceback" in (home.run / "relayhub-errors.log").read_text()


def test_a_trace_goes_to_the_temporary_folder_where_there_is_no_hub(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path))
    assert write_trace(ValueError("x"), str(tmp_path / "none")).parent == tmp_path


def test_a_failure_as_json(home, capsys):
    assert main(["chain", "show", "nowhere", "--json", "--home", str(home.folder)]) == 2
    error = json.loads(capsys.readouterr().err)
    assert error["error"] == "NotFound"
    assert error["next_step"].startswith("Add it")


def test_a_system_error_names_the_file(capsys):
    missing = FileNotFoundError(2, "No such file or directory", "/nonexistent/file")
    assert report(missing, as_json=False, home=None) == 2
    assert capsys.readouterr().err.startswith("System: No such file or directory (/nonexistent/file).")


def test_answers_from_elsewhere_cannot_play_with_the_terminal():
    assert one_line("a\nb\x1b[2J\tc") == "a b?[2J c"


def test_light_client_errors_keep_their_names():
    from light_clients.errors import SignatureLength

    name, message, _next = describe(SignatureLength("Too short."), None)
    assert (name, message) == ("SignatureLength", "Too short.")


READS = [["status"], ["chain", "list"], ["chain", "show", "alpha"], ["lane", "list"], ["operator", "list"], ["key", "list"],
         ["trace", message_id(1).hex()], ["approve"]]  # fmt: skip


@pytest.mark.parametrize("words", READS, ids=lambda words: " ".join(words[:2]))
def test_what_is_shown_is_also_json(filled, capsys, words):
    home = ["--home", str(filled.home.folder)]
    assert main([*words, *home]) == 0
    assert capsys.readouterr().out.strip()
    assert main([*words, "--json", *home]) == 0
    json.loads(capsys.readouterr().out)


def test_every_command_has_json_home_and_a_sentence():
    exceptions = {("operator", "run"), ("verify",), ("explain",)}  # receipts and codes need no hub
    exceptions |= {
        ("witness", name) for name in ("init", "run", "cosign", "show")
    }  # nor does a witness, which has a folder of its own
    seen = 0
    groups = [(group.name, group.typer_instance) for group in app.registered_groups]
    commands = [((info.name,), info) for info in app.registered_commands]
    commands += [((name, info.name), info) for name, group in groups for info in group.registered_commands]
    for path, info in commands:
        seen += 1
        assert info.callback.__doc__, path
        if path not in exceptions:
            assert {"home", "as_json"} <= set(info.callback.__annotations__), path
    assert seen >= 28


@pytest.mark.parametrize(
    "name",
    ["up", "down", "chain", "lane", "operator", "key", "propose", "approve", "execute", "send", "status", "trace", "pause",
     "resume", "doctor", "demo"],
)  # fmt: skip
def test_the_commands_of_the_issue(capsys, name):
    assert main(["--help"]) == 0
    assert f"  {name} " in capsys.readouterr().out


def test_keys_in_other_scripts(home, capsys):
    assert main(["key", "new", "北京", "--home", str(home.folder)]) == 0
    assert main(["key", "list", "--json", "--home", str(home.folder)]) == 0
    captured = capsys.readouterr()
    assert "北京" in captured.out
    assert KeyStore(home.keys).load("北京").private.hex() not in captured.out + captured.err


def test_a_damaged_key_is_listed_with_its_trouble(home, capsys):
    KeyStore(home.keys).path("sender").write_text("{")
    assert main(["key", "list", "--home", str(home.folder)]) == 0
    assert "damaged" in capsys.readouterr().out


def test_a_second_up_says_that_it_runs(home, capsys):
    from relay.processes import supervisor_lock

    with supervisor_lock(home):
        record(home, [Process("supervisor", 1, 1.0)], ready=True)
        assert main(["up", "--home", str(home.folder)]) == 0
    assert "is running already" in capsys.readouterr().out


def test_no_command_shows_help_and_fails(capsys):
    assert main([]) == 2
    assert "Commands:" in capsys.readouterr().err
    assert main(["lane"]) == 2
    assert "open" in capsys.readouterr().err


def test_version(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("relayhub ")


@pytest.mark.parametrize("words", [["--help"], ["status"]])
def test_help_and_status_load_nothing_heavy(filled, words):
    heavy = ("web3", "celery", "alembic", "sqlalchemy", "pydantic", "rich", "eth_abi", "httpx")
    code = (
        "import sys; from relay.cli import main; code = main(sys.argv[1:]); "
        f"loaded = [name for name in {heavy!r} if name in sys.modules]; assert not loaded, loaded; sys.exit(code)"
    )
    arguments = words + (["--home", str(filled.home.folder)] if words == ["status"] else [])
    subprocess.run([sys.executable, "-c", code, *arguments], check=True, stdout=subprocess.DEVNULL)


def test_doctor_finds_what_is_wrong(home, capsys):
    arguments = ["doctor", "--json", "--home", str(home.folder)]
    main(arguments)
    found = {item["check"]: item for item in json.loads(capsys.readouterr().out)}
    assert {"python", "packages", "disk", "configuration", "keys", "database", "broker", "processes"} <= set(found)
    assert found["keys"]["ok"]
    KeyStore(home.keys).path("sender").chmod(0o644)
    assert main(arguments) == 2
    assert any(item["check"] == "keys" and not item["ok"] for item in json.loads(capsys.readouterr().out))


def test_doctor_without_a_hub(tmp_path, capsys):
    assert main(["doctor", "--home", str(tmp_path / "none")]) == 2
    assert "There is no hub" in capsys.readouterr().out


def test_doctor_names_a_ledger_that_does_not_answer(filled, capsys):
    assert main(["doctor", "--home", str(filled.home.folder)]) == 2
    assert "ledgers" in capsys.readouterr().out
