"""The Solidity of a document, compiled as it stands there beside the gateway's interfaces, with the checkout's own solc."""

import json
import re
import subprocess
import tempfile
from functools import cache
from pathlib import Path

from adapters.solidity.compile import CONTRACTS, compiler_input, find_compiler
from adapters.solidity.compiled import Contract, _describe

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```solidity\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NAME = re.compile(r"^contract (\w+)", re.MULTILINE)


@cache
def document_contracts(document):
    """Every contract of a document under docs/, by name: its `Contract`."""
    blocks = BLOCK.findall((ROOT / "docs" / document).read_text(encoding="utf-8"))
    sources = {f"{NAME.search(block)[1]}.sol": {"content": block} for block in blocks}
    interfaces = {"Interfaces.sol": {"content": (CONTRACTS / "Interfaces.sol").read_text()}}
    answer = _compile({**compiler_input(), "sources": {**sources, **interfaces}})
    problems = [item["formattedMessage"] for item in answer.get("errors", []) if item["severity"] != "info"]
    assert not problems, "\n".join(problems)
    names = [file.removesuffix(".sol") for file in sources]
    return {name: _contract(name, answer["contracts"][f"{name}.sol"][name]) for name in names}


def _compile(request):
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as output:
        given.write(json.dumps(request).encode())
        given.seek(0)
        subprocess.run(find_compiler(), stdin=given, stdout=output, stderr=subprocess.DEVNULL, check=False, timeout=600)
        output.seek(0)
        text = output.read().decode()
    return json.loads(text[text.index("{") :])


def _contract(name, compiled):
    functions = [_describe(item) for item in compiled["abi"] if item["type"] == "function"]
    return Contract(
        name=name,
        abi=compiled["abi"],
        creation=bytes.fromhex(compiled["evm"]["bytecode"]["object"]),
        runtime=bytes.fromhex(compiled["evm"]["deployedBytecode"]["object"]),
        immutables=(),
        functions={function.name: function for function in functions},
        errors={},
    )
