"""geth 1.13.15, the last one that seals Clique blocks: built once by Go into the cache of `go_build`.

`python -m tests.support.geth_build` builds it if it is not there.
"""

import subprocess
import sys

from tests.support.go_build import BuildFailed, Program, cache_folder, prepare

__all__ = ["MODULE", "VERSION", "BuildFailed", "cache_folder", "cached_geth", "can_have_geth", "geth"]

VERSION = "1.13.15"
MODULE = f"github.com/ethereum/go-ethereum/cmd/geth@v{VERSION}"
LINK = "-ldflags=-checklinkname=0"
"""Linkers of Go 1.23 and later refuse the runtime's private names, which a library of this version uses."""
GETH = Program("geth", VERSION, ("go", "install", LINK, MODULE), MODULE, "about two minutes")


def cached_geth():
    """The binary that was built before, or None."""
    return GETH.cached()


def can_have_geth():
    """Whether there is a binary, or a Go that can build one."""
    return GETH.can_be_had()


def geth(tell=lambda _: None):
    """The binary; built where it is missing, which takes two minutes. Who comes second waits for the first.

    Raises:
        BuildFailed: Go could not build it, or what is there is another version.
    """
    binary = GETH.get(tell)
    said = subprocess.run([binary, "version"], capture_output=True, text=True, check=False).stdout
    if f"Version: {VERSION}-stable" not in said:
        raise BuildFailed(f"{binary} is no geth {VERSION}; remove it.\n{said}")
    return binary


if __name__ == "__main__":
    sys.exit(prepare(GETH, geth))
