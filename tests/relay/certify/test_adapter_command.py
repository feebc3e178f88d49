"""`relayhub adapter`: who provides adapters, certifying one of a third party, and what a production hub asks for."""

import importlib
import json
import sys

import pytest

from adapters.conformance.scorecard import Result, Scorecard
from relay.certify.certificate import Certificate, certificate_path, issue, load, state_of
from relay.certify.packages import files_hash, provider_of
from relay.cli import main
from relay.config import HubConfig
from relay.errors import BadInput, NotNow
from relay.registry.certificates import check_certificates
from tests.support.filled_hub import FilledHub
from tests.support.installed_package import install

PROJECT = """
[project]
name = "third-party"
version = "{version}"

[project.entry-points."relayhub.adapters"]
{name} = "{name}_ledger:ADAPTER"

[project.entry-points."relayhub.worlds"]
{name} = "{name}_ledger:World"

[tool.hatch.build.targets.wheel]
packages = ["{name}_ledger"]
"""
MODULE = """
from adapters.memory import MemoryFactory
from tests.support.broken_adapters import LosesAnEvent
from tests.support.memory_lane import MemoryLane

BROKEN = {broken}


class Factory(MemoryFactory):
    name = "{name}"

    def open(self, options):
        ledger = super().open(options)
        return LosesAnEvent(ledger, self) if BROKEN else ledger


ADAPTER = Factory()


def World(folder, open_ledger):
    assert folder.is_dir()
    return MemoryLane(open_one=open_ledger)
"""
PASSED = Scorecard(
    tuple(
        Result(name, name, "passed") for name in ("headers.believed", "evidence.believed", "lies.events", "lies.proofs")
    )
)


@pytest.fixture
def third_party(tmp_path, monkeypatch):
    """Installs a package that provides the adapter `name`; forgotten afterwards."""
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.syspath_prepend(site)
    names = []

    def put(name, *, broken=False, version="1.0"):
        source = tmp_path / f"{name}-source"
        (source / f"{name}_ledger").mkdir(parents=True)
        (source / "pyproject.toml").write_text(PROJECT.format(name=name, version=version))
        (source / f"{name}_ledger" / "__init__.py").write_text(MODULE.format(name=name, broken=broken))
        install(source, site)
        names.append(name)
        importlib.invalidate_caches()
        return site / f"{name}_ledger" / "__init__.py"

    yield put
    for name in names:
        sys.modules.pop(f"{name}_ledger", None)


def listed(capsys, home):
    assert main(["adapter", "list", "--json", "--home", str(home)]) == 0
    return {item["name"]: item for item in json.loads(capsys.readouterr().out)}


def test_built_in_adapters_are_certified_and_others_are_not(third_party, tmp_path, capsys):
    third_party("tiny")
    found = listed(capsys, tmp_path)
    assert found["evm"]["certified"]
    assert found["memory"]["package"] == "relayhub"
    assert (found["tiny"]["package"], found["tiny"]["version"]) == ("third-party", "1.0")
    assert (found["tiny"]["certified"], found["tiny"]["why"]) == (False, "no certificate")
    assert main(["adapter", "list", "--home", str(tmp_path)]) == 0
    shown = capsys.readouterr().out
    assert "third-party" in shown
    assert "no certificate" in shown


def test_a_third_party_certifies_its_adapter(third_party, tmp_path, capsys):
    third_party("tiny")
    hub = FilledHub(tmp_path)
    hub.store.close()
    assert main(["adapter", "certify", "tiny", "--home", str(hub.home.folder)]) == 0
    told = capsys.readouterr()
    assert "tiny (third-party 1.0) passed" in told.out
    assert "events.complete" in told.err
    certificate = load(certificate_path(hub.home.folder, "tiny"))
    assert certificate.passed
    assert certificate.files_sha256 == files_hash(provider_of("tiny"))
    assert listed(capsys, hub.home.folder)["tiny"]["certified"]


def test_a_broken_adapter_gets_a_scorecard_that_names_its_fault(third_party, tmp_path, capsys):
    third_party("leaky", broken=True)
    out = tmp_path / "leaky.json"
    assert main(["adapter", "certify", "leaky", "--json", "--out", str(out), "--home", str(tmp_path)]) == 2
    told = json.loads(capsys.readouterr().out)
    assert [check["name"] for check in told["checks"] if check["result"] == "failed"] == ["events.complete"]
    assert told == {**json.loads(out.read_text()), "file": str(out)}
    assert main(["adapter", "certify", "leaky", "--out", str(out), "--home", str(tmp_path)]) == 2
    assert "leaky is not certified: events.complete failed." in capsys.readouterr().out


def test_what_cannot_be_certified_is_said_in_a_line(third_party, tmp_path, capsys):
    module = third_party("tiny")
    for name, expected in [("evm", "part of the hub"), ("nothing", "There is no adapter named 'nothing'")]:
        assert main(["adapter", "certify", name, "--home", str(tmp_path)]) == 2
        assert expected in capsys.readouterr().err
    points = next(module.parents[1].glob("*.dist-info")) / "entry_points.txt"
    points.write_text(points.read_text().partition("[relayhub.worlds]")[0])
    importlib.invalidate_caches()
    assert main(["adapter", "certify", "tiny", "--home", str(tmp_path)]) == 2
    assert "No package provides ledgers to try the adapter tiny on." in capsys.readouterr().err
    points.write_text(points.read_text() + "[relayhub.worlds]\ntiny = tiny_ledger:Nothing\n")
    importlib.invalidate_caches()
    assert main(["adapter", "certify", "tiny", "--home", str(tmp_path)]) == 2
    assert "tiny_ledger:Nothing cannot be loaded" in capsys.readouterr().err
    module.write_text(module.read_text() + "\n\ndef Nothing(*_):\n    raise KeyError('no node')\n")
    sys.modules.pop("tiny_ledger")
    assert main(["adapter", "certify", "tiny", "--home", str(tmp_path)]) == 2
    assert "The world of tiny does not start (KeyError: 'no node')." in capsys.readouterr().err


def test_a_certificate_is_of_these_files_and_this_version(third_party, tmp_path):
    module = third_party("tiny")
    provider = provider_of("tiny")
    certificate = issue(provider, PASSED)
    assert certificate.refusal(provider) == ""
    for changes, expected in [
        ({"adapter": "other"}, "is of the adapter other"),
        ({"package_version": "0.9"}, "is of version 0.9"),
        ({"hub_version": "0.0"}, "version 0.0 of the hub"),
        ({"checks": certificate.checks[1:]}, "does not say that headers.believed passed"),
        ({"passed": False}, "says that it failed"),
    ]:
        assert expected in certificate.model_copy(update=changes).refusal(provider)
    module.write_text(module.read_text() + "# changed\n")
    assert certificate.refusal(provider) == "is of other files than those that are installed"


def test_what_a_python_interpreter_writes_does_not_count(third_party):
    module = third_party("tiny")
    provider = provider_of("tiny")
    before = files_hash(provider)
    (module.parent / "__pycache__").mkdir(exist_ok=True)
    (module.parent / "__pycache__" / "x.pyc").write_bytes(b"x")
    assert files_hash(provider) == before
    (module.parent / "more.py").write_text("")
    assert files_hash(provider) != before


@pytest.fixture
def hub(tmp_path):
    hub = FilledHub(tmp_path)
    hub.chain("alpha", 1)
    hub.chain("beta", 2, adapter="tiny")
    yield hub
    hub.store.close()


def test_a_production_lane_needs_a_certificate(third_party, hub):
    third_party("tiny")
    folder, ledgers = hub.home.folder, ("alpha", "beta")
    production = HubConfig(name="hub")
    with pytest.raises(
        NotNow, match=r"The adapter tiny \(third-party 1.0\) is not certified: no certificate\. Run: relay"
    ):
        check_certificates(production, hub.store, folder, ledgers)
    check_certificates(production, hub.store, folder, ("alpha", "alpha"))
    check_certificates(HubConfig(name="hub", development=True), hub.store, folder, ledgers)
    check_certificates(HubConfig(name="hub", require_certificates=False), hub.store, folder, ledgers)
    path = certificate_path(folder, "tiny")
    path.parent.mkdir()
    path.write_text(issue(provider_of("tiny"), PASSED).model_dump_json())
    check_certificates(production, hub.store, folder, ledgers)
    path.write_text(
        issue(provider_of("tiny"), Scorecard((*PASSED.results, Result("x", "x", "failed")))).model_dump_json()
    )
    with pytest.raises(NotNow, match="its certificate says that x failed"):
        check_certificates(production, hub.store, folder, ledgers)
    path.write_text("{}")
    assert state_of(provider_of("tiny"), folder) == (False, "its certificate cannot be read")
    with pytest.raises(BadInput, match="is no certificate"):
        load(path)


def test_lane_open_on_a_production_hub_says_so_in_a_line(third_party, hub, capsys):
    third_party("tiny")
    hub.home.save(HubConfig(name="hub"))
    assert main(["lane", "open", "alpha", "beta", "--home", str(hub.home.folder)]) == 2
    told = capsys.readouterr().err
    assert told.startswith("NotNow: The adapter tiny (third-party 1.0) is not certified: no certificate.")
    assert told.count("\n") == 1


def test_a_certificate_keeps_each_check(third_party):
    third_party("tiny")
    made = issue(provider_of("tiny"), PASSED)
    assert Certificate.model_validate_json(made.model_dump_json()) == made
    assert [check.name for check in made.checks] == [item.name for item in PASSED.results]
