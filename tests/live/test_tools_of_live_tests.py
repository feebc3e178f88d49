"""What live tests need is built once, whoever asks, and where it cannot be had the tests are named as not run."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from adapters.built_programs import BuildFailed, cache_folder
from adapters.evm.clique.build import GETH, MODULE, VERSION, geth

ROOT = Path(__file__).parents[2]
NODE = "#!/bin/sh\necho 'Version: {}-stable'\n"


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty cache, and a folder that alone is on the PATH."""
    programs = tmp_path / "programs"
    programs.mkdir()
    for needed in ("sh", "cat", "chmod", "sleep"):
        (programs / needed).symlink_to(f"/bin/{needed}")
    monkeypatch.setenv("RELAYHUB_TEST_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", str(programs))
    return programs


def go(programs, *, version=VERSION, exit_code=0):
    """A Go that builds a program which only says its version, slowly, and counts how often."""
    node = NODE.format(version)
    script = (
        f'#!/bin/sh\necho built >> {programs}/count\nsleep 0.2\necho "no such module: $3"\n'
        f"[ {exit_code} = 0 ] || exit {exit_code}\ncat > $GOBIN/geth <<END\n{node}END\nchmod +x $GOBIN/geth\n"
    )
    (programs / "go").write_text(script)
    (programs / "go").chmod(0o755)


def built(programs):
    return (programs / "count").read_text().count("built")


def test_without_go_and_without_a_binary_there_is_none(cache):
    assert not GETH.can_be_had()
    go(cache)
    assert GETH.can_be_had()


def test_without_go_the_error_says_what_to_install(cache):
    with pytest.raises(BuildFailed, match="go is missing; install Go") as caught:
        geth()
    assert "\n" not in str(caught.value)


def test_a_binary_that_was_built_needs_no_go(cache):
    go(cache)
    binary = geth()
    (cache / "go").unlink()
    assert GETH.can_be_had()
    assert geth() == binary
    assert built(cache) == 1


def test_two_who_ask_at_once_build_it_once(cache):
    go(cache)
    told = []
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: geth(told.append), range(4)))
    assert len(set(found)) == 1
    assert built(cache) == 1
    assert any("built in" in line for line in told)


def test_a_build_that_fails_says_what_go_said_and_leaves_nothing(cache):
    go(cache, exit_code=1)
    with pytest.raises(BuildFailed, match=f"no such module: {MODULE}"):
        geth()
    assert GETH.cached() is None
    assert [path.name for path in cache_folder().glob("*/half-*")] == []


def test_another_version_is_refused(cache):
    go(cache, version="1.13.14")
    with pytest.raises(BuildFailed, match="remove it"):
        geth()


def test_tests_that_cannot_run_are_named(tmp_path):
    live = ROOT / "tests" / "live"
    names = {path.name: program for program in ("a geth", "an evmd") for path in live.glob(f"test_{program[-4:]}*.py")}
    assert {name[:9] for name in names} == {"test_geth", "test_evmd"}
    environment = {**os.environ, "PATH": str(tmp_path), "RELAYHUB_TEST_CACHE": str(tmp_path)}
    words = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", "tests/live"]
    done = subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    for name, program in names.items():
        assert f"not run: {name}: neither Go nor {program}" in done.stdout
        assert f"{name}::" not in done.stdout
