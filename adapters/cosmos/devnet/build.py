"""evmd 0.3.2 (cosmos/evm: an EVM on CometBFT), built once by Go into the cache of `adapters.built_programs`.

`python -m adapters.cosmos.devnet.build` builds it if it is not there: about five minutes and 2.2 GB of memory. The module in
`module/` repeats what the program's own go.mod replaces, which `go install` would not take.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from adapters.built_programs import BuildFailed, Program, Tell, prepare, silent

VERSION = "0.3.2"
PACKAGE = "github.com/cosmos/evm/cmd/evmd"
MODULE = Path(__file__).parent / "module"
EVMD = Program(
    "evmd",
    VERSION,
    ("go", "build", "-mod=mod", "-trimpath", "-ldflags=-s -w", "-o", "evmd", PACKAGE),
    f"{PACKAGE} {VERSION}",
    "about five minutes",
    (MODULE / "go.mod", MODULE / "go.sum"),
)


def evmd(tell: Tell = silent) -> Path:
    """The binary, built where it is missing.

    Raises:
        BuildFailed: Go could not build it, or what is there is no evmd.
    """
    binary = EVMD.get(tell)
    said = subprocess.run([binary, "--help"], capture_output=True, text=True, check=False).stdout
    if "exemplary Cosmos EVM app" not in said:
        raise BuildFailed(f"{binary} is no evmd; remove it.\n{said[-1000:]}")
    return binary


if __name__ == "__main__":
    sys.exit(prepare(EVMD, evmd))
