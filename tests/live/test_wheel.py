"""The wheel that a user installs: holds what the program needs, owns its four top-level packages, and runs."""

from __future__ import annotations

import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    uv = ROOT / ".venv" / ".boot" / "bin" / "uv"
    command = [str(uv) if uv.exists() else "uv", "build", "--wheel", "--quiet", "--out-dir", str(folder), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True)
    (found,) = folder.glob("*.whl")
    return found


def test_it_holds_what_the_program_reads_at_run_time(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    for needed in (
        "adapters/solidity/artifacts/Gateway.json",
        "adapters/solidity/artifacts/CommitteeVerifier.json",
        "relay/store/migrations/env.py",
        "schemas/json/message.json",
        "adapters/cosmos/devnet/module/go.mod",
        "adapters/cosmos/devnet/module/go.sum",
    ):
        assert needed in names
    assert any(name.startswith("relay/store/migrations/versions/") for name in names)


def test_it_has_four_top_level_packages_and_no_tests(wheel):
    tops = {name.split("/")[0] for name in zipfile.ZipFile(wheel).namelist() if not name.startswith("relayhub-")}
    assert tops == {"adapters", "light_clients", "relay", "schemas"}


def test_installed_beside_its_dependencies_it_runs(wheel, tmp_path):
    venv.create(tmp_path / "venv", with_pip=False)
    site = next((tmp_path / "venv" / "lib").glob("python*/site-packages"))
    zipfile.ZipFile(wheel).extractall(site)
    ours = next(path for path in map(Path, sys.path) if path.name == "site-packages")
    program = "import sys; from relay.cli import main; sys.exit(main(['--version']))"
    done = subprocess.run(
        [str(tmp_path / "venv" / "bin" / "python"), "-c", f"import sys; sys.path.append({str(ours)!r}); {program}"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "relayhub" in done.stdout.lower()
