"""geth 1.13.15, the last one that seals Clique blocks: built once by Go into the cache of `adapters.built_programs`.

`python -m adapters.evm.clique.build` builds it if it is not there.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from adapters.built_programs import BuildFailed, Program, Tell, prepare, silent

VERSION = "1.13.15"
MODULE = f"github.com/ethereum/go-ethereum/cmd/geth@v{VERSION}"
LINK = "-ldflags=-checklinkname=0"
"""Linkers of Go 1.23 and later refuse the runtime's private names, which a library of this version uses."""
GETH = Program("geth", VERSION, ("go", "install", LINK, MODULE), MODULE, "about two minutes")


def geth(tell: Tell = silent) -> Path:
    """The binary; built where it is missing, which takes two minutes. Who comes second waits for the first.

    Args:
        tell: takes lines of progress.

    Raises:
        BuildFailed: there is no Go, it could not build it, or what is there is another version.
    """
    binary = GETH.get(tell)
    said = subprocess.run([binary, "version"], capture_output=True, text=True, check=False).stdout
    if f"Version: {VERSION}-stable" not in said:
        raise BuildFailed(f"{binary} is no geth {VERSION}; remove it.\n{said}")
    return binary


if __name__ == "__main__":
    sys.exit(prepare(GETH, geth))
