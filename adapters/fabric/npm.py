"""The chaincode with its npm packages, put into the user's cache: the packages once for each lock file, the sources as they are.

The lock file pins every package by the hash of its content and names no registry; npm's own configuration does.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from adapters.protocol import Misconfigured

CHAINCODE = Path(__file__).resolve().parent / "chaincode"
LOCKED = ("package.json", "package-lock.json")
SOURCES = ("index.js", "abi.json", "README.md", "lib", "applications", "test", "tools")
NPM_CI = ("ci", "--ignore-scripts", "--omit=dev", "--no-audit", "--no-fund", "--loglevel=error")
TIMEOUT_S = 600


def find_node() -> str:
    """The path of node: of the PATH, or the one that `make setup` brought.

    Raises:
        Misconfigured: there is none.
    """
    return _find("node")


def chaincode_folder(cache: Path | None = None) -> Path:
    """A folder in which `node index.js` starts the chaincode; made at the first call, found at the next.

    Args:
        cache: where to put it, else `relayhub/chaincode` in the user's cache.

    Raises:
        Misconfigured: npm is missing, or does not install the packages.
    """
    root = cache or Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "relayhub" / "chaincode"
    packages = root / _digest([CHAINCODE / name for name in LOCKED])
    if not (packages / "node_modules").is_dir():
        _install(packages)
    sources = packages / _digest([CHAINCODE / name for name in (*LOCKED, *SOURCES)])
    if not sources.is_dir():
        _copy(sources)
    return sources


def _find(program: str) -> str:
    boot = CHAINCODE.parents[2] / ".venv" / ".boot" / "bin"
    found = shutil.which(program) or shutil.which(program, path=str(boot))
    if found is None:
        raise Misconfigured(f"{program} is missing; install Node.js 18 or newer, or run `make setup`.")
    return found


def _digest(paths: list[Path]) -> str:
    content = hashlib.sha256()
    for path in paths:
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if file.is_file():
                content.update(f"{file.relative_to(CHAINCODE)}\0{file.stat().st_size}\0".encode())
                content.update(file.read_bytes())
    return content.hexdigest()[:16]


def _install(packages: Path) -> None:
    packages.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=packages.parent) as folder:
        for name in LOCKED:
            shutil.copy(CHAINCODE / name, folder)
        npm = _find("npm")
        environment = {**os.environ, "PATH": f"{Path(npm).parent}{os.pathsep}{os.environ.get('PATH', '')}"}
        finished = subprocess.run(
            [npm, *NPM_CI], cwd=folder, env=environment, capture_output=True, check=False, timeout=TIMEOUT_S
        )
        if finished.returncode:
            raise Misconfigured(f"npm does not install the chaincode's packages: {finished.stderr.decode()[-500:]}")
        made = Path(folder, "made")
        made.mkdir()
        for name in (*LOCKED, "node_modules"):
            Path(folder, name).rename(made / name)
        _publish(made, packages)


def _copy(sources: Path) -> None:
    with tempfile.TemporaryDirectory(dir=sources.parent) as folder:
        made = Path(folder, "made")
        made.mkdir()
        for name in (*LOCKED, *SOURCES):
            origin = CHAINCODE / name
            if origin.is_dir():
                shutil.copytree(origin, made / name)
            else:
                shutil.copy(origin, made / name)
        _publish(made, sources)


def _publish(made: Path, place: Path) -> None:
    """Put a finished folder into its place at once; another process may have been quicker with the same content."""
    try:
        made.rename(place)
    except OSError:
        if not place.is_dir():
            raise
