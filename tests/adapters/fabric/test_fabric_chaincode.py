"""The Fabric gateway's chaincode: its own tests on node, and how it is packed."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from adapters.fabric import npm
from adapters.fabric.npm import CHAINCODE, chaincode_folder, find_node
from adapters.protocol import Misconfigured

CHECKOUT = Path(__file__).resolve().parents[3]
HOST = re.compile(r"https?://")
TESTS = sorted(path.name for path in (CHAINCODE / "test").glob("test_*.js"))


@pytest.fixture(scope="module")
def folder():
    return chaincode_folder()


@pytest.mark.parametrize("name", TESTS)
def test_on_node(folder, name):
    environment = {
        **os.environ,
        "GOLDEN_VECTORS": (CHECKOUT / "tests" / "vectors" / "golden").as_uri() + "/",
        "GATEWAY_ARTIFACTS": (CHECKOUT / "adapters" / "solidity" / "artifacts").as_uri() + "/",
    }
    command = [find_node(), "--test", "--test-reporter=tap", f"test/{name}"]
    finished = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=900
    )
    assert finished.returncode == 0, finished.stdout[-20_000:] + finished.stderr[-2_000:]
    counts = {
        key: int(value)
        for key, value in re.findall(r"^# (tests|pass|skipped|todo) (\d+)$", finished.stdout, re.MULTILINE)
    }
    assert counts["tests"] == counts["pass"] > 0
    assert counts["skipped"] == counts["todo"] == 0


def test_there_are_tests():
    assert len(TESTS) >= 9


def test_the_lock_pins_every_package_and_names_no_registry():
    lock = json.loads((CHAINCODE / "package-lock.json").read_text())
    declared = json.loads((CHAINCODE / "package.json").read_text())["dependencies"]
    assert lock["packages"][""]["dependencies"] == declared
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in declared.values())
    packages = [entry for path, entry in lock["packages"].items() if path]
    assert len(packages) > 50
    assert all(entry["integrity"].startswith("sha512-") and "resolved" not in entry for entry in packages)
    assert not HOST.search((CHAINCODE / "package-lock.json").read_text())


def test_the_sources_are_small_and_name_no_host():
    sources = [path for path in CHAINCODE.rglob("*.js") if "node_modules" not in path.parts]
    assert len(sources) > 30
    for path in sources:
        text = path.read_text()
        assert not HOST.search(text), path
        if "test" not in path.relative_to(CHAINCODE).parts:
            assert text.count("\n") <= 300, path


def test_packages_are_installed_once_and_sources_are_copied_as_they_are(folder):
    assert chaincode_folder() == folder
    assert (folder / "lib" / "gateway.js").read_bytes() == (CHAINCODE / "lib" / "gateway.js").read_bytes()
    assert (folder.parent / "node_modules" / "fabric-shim").is_dir()
    assert not (folder / "node_modules").exists()


def test_other_sources_come_to_another_folder(folder, tmp_path, monkeypatch):
    copy = tmp_path / "chaincode"
    shutil.copytree(CHAINCODE, copy, ignore=shutil.ignore_patterns("node_modules"))
    (copy / "applications" / "index.js").write_text("export const APPLICATIONS = [];\n")
    monkeypatch.setattr(npm, "CHAINCODE", copy)
    other = chaincode_folder()
    try:
        assert other != folder
        assert other.parent == folder.parent
    finally:
        shutil.rmtree(other)


def test_without_node_it_says_what_to_install(monkeypatch):
    monkeypatch.setattr(npm.shutil, "which", lambda *_, **__: None)
    with pytest.raises(Misconfigured, match=r"node is missing; install Node.js"):
        find_node()


def test_packages_that_cannot_be_installed_say_so(tmp_path, monkeypatch):
    copy = tmp_path / "chaincode"
    shutil.copytree(CHAINCODE, copy, ignore=shutil.ignore_patterns("node_modules"))
    (copy / "package-lock.json").write_text("{}\n")
    monkeypatch.setattr(npm, "CHAINCODE", copy)
    with pytest.raises(Misconfigured, match="npm does not install the chaincode's packages"):
        chaincode_folder(tmp_path / "cache")
