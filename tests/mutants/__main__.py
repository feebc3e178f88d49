"""`make mutants`: mutmut on the judges of the light clients, each family with its own narrow tests; writes docs/mutants.md.

python -m tests.mutants                 all families: hours
python -m tests.mutants qbft clique     only these; the others' last results are kept
python -m tests.mutants --report        write the document again without running anything

mutmut rewrites the tree that it stands in, so each family runs in a copy of its own below build/mutants, with a configuration
of its own: which files are changed, and which tests have to notice. The configuration in pyproject.toml is their common part.
A survivor is explained in tests/mutants/explained.toml, by its file and its changed line.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
WORK = ROOT / "build" / "mutants"
RESULTS = Path(__file__).with_name("results.json")
EXPLAINED = Path(__file__).with_name("explained.toml")
DOCUMENT = ROOT / "docs" / "mutants.md"
MUTMUT = Path(sys.executable).with_name("mutmut")
SURVIVED, NO_TESTS = 0, 33
BAR = 3.0
"""Per cent of the mutants of all families that may survive."""

FILES = {
    "bft": ("bft/client.py", "bft/checks.py", "qbft/verify.py", "ibft2/verify.py", "ibft/verify.py"),
    "clique": ("clique/verify.py", "clique/chain.py"),
    "cometbft": ("cometbft/verify.py",),
    "beacon": ("beacon/verify.py",),
    "chainmaker": ("chainmaker/verify.py",),
    "fisco": ("fisco/verify.py",),
    "fabric": ("fabric/verify.py",),
    "development": ("development/verify.py",),
}
TESTS = {
    "bft": ("bft", "qbft", "ibft2", "ibft", "test_refusals.py"),
    "clique": ("clique", "test_refusals.py"),
}
"""Folders of tests below tests/light_clients; by default the family's own."""


@dataclass
class Result:
    """What became of the mutants of one family.

    Attributes:
        total: all of them.
        survivors: of each that nobody noticed, its file and its changed line.
    """

    total: int
    survivors: list[tuple[str, str, str]] = field(default_factory=list)


def main(arguments: Sequence[str]) -> int:
    """Run the named families, write the document; 1 where too many survive or one is not explained."""
    named = [name for name in arguments if name in FILES]
    unknown = [name for name in arguments if name not in FILES and name != "--report"]
    if unknown:
        print(f"No family named {', '.join(unknown)}; there are {', '.join(FILES)}.")
        return 2
    if "--report" not in arguments:
        for name in named or FILES:
            result = run(name)
            results = {**_kept(), name: result}  # another run may have ended meanwhile
            RESULTS.write_text(json.dumps({key: asdict(results[key]) for key in sorted(results)}, indent=1) + "\n")
            print(f"{name}: {result.total} mutants, {len(result.survivors)} survive", flush=True)
    results = _kept()
    text, good = report(results, tomllib.loads(EXPLAINED.read_text()) if EXPLAINED.exists() else {})
    DOCUMENT.write_text(text)
    return 0 if good else 1


def _kept() -> dict[str, Result]:
    """The last result of every family that was run."""
    if not RESULTS.exists():
        return {}
    return {name: Result(**told) for name, told in json.loads(RESULTS.read_text()).items()}


def run(name: str) -> Result:
    """mutmut in a copy of the tree."""
    tree = WORK / name
    shutil.rmtree(tree, ignore_errors=True)
    tree.mkdir(parents=True)
    ignored = shutil.ignore_patterns("__pycache__", ".hypothesis")
    for folder in ("light_clients", "schemas", "tests"):
        shutil.copytree(ROOT / folder, tree / folder, ignore=ignored)
    (tree / "pyproject.toml").write_text(_configuration(name))
    environment = {**os.environ, "PYTHONHASHSEED": "0", "HYPOTHESIS_PROFILE": "dev"}
    subprocess.run(
        ["nice", "-n", "15", str(MUTMUT), "run", "--max-children", "1"], cwd=tree, env=environment, check=False
    )
    result = Result(0)
    for file in FILES[name]:
        told = json.loads((tree / "mutants" / "light_clients" / f"{file}.meta").read_text())["exit_code_by_key"]
        result.total += len(told)
        for mutant, code in told.items():
            if code in (SURVIVED, NO_TESTS, None):
                result.survivors.append((file, *_changed_lines(tree, mutant)))
    return result


def report(results: dict[str, Result], explained: dict[str, dict[str, str]]) -> tuple[str, bool]:
    """The document, and whether all is as it should be.

    Args:
        results: by family.
        explained: by file, then by changed line: why nothing can notice it, or why that does no harm.
    """
    total = sum(result.total for result in results.values())
    alive = sum(len(result.survivors) for result in results.values())
    share = 100 * alive / total if total else 0.0
    lines = [
        "# Mutants",
        "",
        "What `make mutants` found: mutmut changes the judges of the light clients line by line, and the family's own tests have to",
        "notice. It runs for hours and outside of CI; this page is its last result. Aim: fewer than 3 % survive, each explained.",
        "",
        "| family | files | mutants | survive | % |",
        "| --- | --- | ---: | ---: | ---: |",
    ]
    for name, result in results.items():
        part = 100 * len(result.survivors) / max(1, result.total)
        lines.append(f"| {name} | {', '.join(FILES[name])} | {result.total:,} | {len(result.survivors)} | {part:.1f} |")
    lines += [f"| all | | {total:,} | {alive} | {share:.1f} |", "", "## Survivors", ""]
    missing = 0
    for result in results.values():
        for file, old, new in result.survivors:
            why = explained.get(file, {}).get(new)
            missing += why is None
            lines += [f"- `{file}`: `{old}` → `{new}`", f"  {why or 'Not explained yet.'}"]
    if not alive:
        lines.append("None.")
    return "\n".join(lines).rstrip("\n") + "\n", share < BAR and not missing


def _configuration(name: str) -> str:
    """pyproject.toml of a copy: the common part of ours, and what the family says."""
    ours = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["mutmut"]
    tests = [f"tests/light_clients/{part}" for part in TESTS.get(name, (name,))]
    settings = {
        **ours,
        "only_mutate": [f"light_clients/{file}" for file in FILES[name]],
        "pytest_add_cli_args_test_selection": tests,
    }
    return "\n".join(
        [
            "[tool.pytest.ini_options]",
            'addopts = "--strict-markers --import-mode=importlib -q -x -p no:cacheprovider"',
            'pythonpath = ["."]',
            "[tool.mutmut]",
            *(f"{key} = {json.dumps(value)}" for key, value in settings.items()),
            "",
        ]
    )


def _changed_lines(tree: Path, mutant: str) -> tuple[str, str]:
    """What stood there, and what the mutant has in its place."""
    shown = subprocess.run([str(MUTMUT), "show", mutant], cwd=tree, capture_output=True, text=True, check=True).stdout
    body = [line for line in shown.splitlines() if line[:1] in "+-" and not line.startswith(("+++", "---"))]
    old, new = ("; ".join(line[1:].strip() for line in body if line[0] == sign) for sign in "-+")
    return old, new


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
