"""`python -m relay.prepare [--home FOLDER]`: bring a hub's database to this version, then leave; for process managers."""

from __future__ import annotations

import argparse
import os
import sys

from relay.errors import HubError
from relay.home import Home
from relay.processes import PRIVATE
from relay.registry.hub import prepare


def main(arguments: list[str] | None = None) -> int:
    """Bring the tables to this version; returns the exit code: 0, or 2 with one line where that cannot be."""
    parser = argparse.ArgumentParser(prog="python -m relay.prepare", description="Bring the database to this version.")
    parser.add_argument("--home", help="the hub's folder")
    os.umask(PRIVATE)
    try:
        home = Home.locate(parser.parse_args(arguments).home)
        store = prepare(home, home.load())
        version = store.version()
        store.close()
    except HubError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stdout.write(f"tables of version {version}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
