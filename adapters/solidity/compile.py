"""Compile the contracts with the pinned npm solc and write their artifacts.

Run as `python -m adapters.solidity.compile` from a checkout after `npm ci`. The settings make the output reproducible:
no metadata, no bytecode hash; `paris`, because a test scans that no opcode is newer than Istanbul's
(docs/encodings.md, section Solidity).
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

PACKAGE = Path(__file__).resolve().parent
CONTRACTS = PACKAGE / "contracts"
ARTIFACTS = PACKAGE / "artifacts"
COMPILED = {
    "Gateway": "Gateway.sol",
    "CommitteeVerifier": "CommitteeVerifier.sol",
    "QbftVerifier": "QbftVerifier.sol",
    "BothVerifier": "BothVerifier.sol",
    "GatewaySm": "GatewaySm.sol",
    "CommitteeVerifierSm": "CommitteeVerifierSm.sol",
    "Observer": "SelfTest.sol",
    "SelfTest": "SelfTest.sol",
    "Secp256k1": "signatures/Secp256k1.sol",
    "ChainMakerSm2": "signatures/ChainMakerSm2.sol",
    "FiscoSm2": "signatures/FiscoSm2.sol",
    "Sm3": "hashing/Sm3.sol",
    "FiscoSm3": "hashing/FiscoSm3.sol",
    "IGatewayActions": "Interfaces.sol",
    "ICommitteeActions": "Interfaces.sol",
    "ILightClientActions": "Interfaces.sol",
    "Mailbox": "examples/Mailbox.sol",
    "Reverting": "examples/Reverting.sol",
    "Idle": "examples/Idle.sol",
    "Loader": "examples/Loader.sol",
}
OPTIMIZER_RUNS = 1_000
TIMEOUT_S = 600


class CompilationError(RuntimeError):
    """The contracts do not compile, or the compiler is missing; the text says which."""


def compiler_input() -> dict[str, Any]:
    """Return the standard JSON input of every contract under `contracts/`."""
    sources = {
        str(path.relative_to(CONTRACTS)): {"content": path.read_text()} for path in sorted(CONTRACTS.rglob("*.sol"))
    }
    return {
        "language": "Solidity",
        "sources": sources,
        "settings": {
            "evmVersion": "paris",
            "viaIR": True,
            "optimizer": {"enabled": True, "runs": OPTIMIZER_RUNS},
            "metadata": {"appendCBOR": False, "bytecodeHash": "none"},
            "outputSelection": {
                "*": {
                    "*": [
                        "abi",
                        "userdoc",
                        "evm.bytecode.object",
                        "evm.deployedBytecode.object",
                        "evm.deployedBytecode.immutableReferences",
                    ]
                }
            },
        },
    }


def find_compiler() -> list[str]:
    """Return the command of the checkout's own solc, run by the node of the PATH or by the one that `make setup` brought.

    Raises:
        CompilationError: node or the npm package is missing.
    """
    checkout = PACKAGE.parents[1]
    node = shutil.which("node") or shutil.which("node", path=str(checkout / ".venv" / ".boot" / "bin"))
    script = checkout / "node_modules" / "solc" / "solc.js"
    if node is None or not script.is_file():
        raise CompilationError("the pinned solc is missing; run `make setup` in the checkout")
    return [node, str(script), "--standard-json"]


def compile_contracts() -> dict[str, dict[str, Any]]:
    """Compile everything; return one artifact by name as the files under `artifacts/` hold it.

    Raises:
        CompilationError: the compiler is missing or reports an error.
    """
    command = find_compiler()
    # solc.js neither waits for a pipe to fill nor flushes one at its end; files have no such end
    with tempfile.TemporaryFile() as request, tempfile.TemporaryFile() as answer:
        request.write(json.dumps(compiler_input()).encode())
        request.seek(0)
        finished = subprocess.run(
            command, stdin=request, stdout=answer, stderr=subprocess.PIPE, check=False, timeout=TIMEOUT_S
        )
        answer.seek(0)
        text = answer.read().decode()
    try:
        output = json.loads(text[text.index("{") :])
    except ValueError as error:
        raise CompilationError(f"solc answered no JSON: {finished.stderr.decode()[-500:]}") from error
    problems = [problem["formattedMessage"] for problem in output.get("errors", []) if problem["severity"] != "info"]
    if problems:
        raise CompilationError("solc reports:\n" + "\n".join(problems))
    named = {name: output["contracts"][source][name] for name, source in COMPILED.items()}
    for path in sorted((CONTRACTS / "test").glob("*.sol")):
        for name, compiled in output["contracts"][f"test/{path.name}"].items():
            if compiled["evm"]["bytecode"]["object"]:
                named[f"test/{name}"] = compiled
    return {name: _artifact(compiled) for name, compiled in named.items()}


def _artifact(compiled: dict[str, Any]) -> dict[str, Any]:
    evm = compiled["evm"]
    notices = {
        signature: " ".join(" ".join(entry.get("notice", "") for entry in entries).split())
        for signature, entries in compiled.get("userdoc", {}).get("errors", {}).items()
    }
    return {
        "abi": compiled["abi"],
        "errors": notices,
        "bytecode": "0x" + evm["bytecode"]["object"],
        "deployedBytecode": "0x" + evm["deployedBytecode"]["object"],
        "immutableReferences": evm["deployedBytecode"].get("immutableReferences", {}),
    }


def render(artifact: dict[str, Any]) -> str:
    """Write an artifact as the text of its file."""
    return json.dumps(artifact, indent=1, sort_keys=True) + "\n"


def main() -> int:
    """Compile and write every artifact; remove those of contracts that are gone."""
    try:
        artifacts = compile_contracts()
    except CompilationError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    for name, artifact in artifacts.items():
        path = ARTIFACTS / f"{name}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.with_suffix(".new").write_text(render(artifact))
        path.with_suffix(".new").replace(path)
    for path in ARTIFACTS.rglob("*.json"):
        if path.relative_to(ARTIFACTS).with_suffix("").as_posix() not in artifacts:
            path.unlink()
    for name, artifact in artifacts.items():
        sys.stdout.write(f"{name}: {(len(artifact['deployedBytecode']) - 2) // 2} bytes of code\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
