"""`python -m relay.web [--home FOLDER] [--host ADDRESS] [--port N]`: serve the hub's HTTP interface."""

from __future__ import annotations

import argparse
import os
import sys

from relay.errors import HubError
from relay.home import Home
from relay.logs import configure_logs
from relay.processes import PRIVATE
from relay.web.server import serve


def main(arguments: list[str] | None = None) -> int:
    """Run the server; returns the exit code: 0, or 2 with one line where it cannot start."""
    parser = argparse.ArgumentParser(prog="python -m relay.web", description="Serve the hub's HTTP interface.")
    parser.add_argument("--home", help="the hub's folder")
    parser.add_argument("--host", default="", help="overrules web_host of the configuration")
    parser.add_argument("--port", type=int, help="overrules web_port of the configuration")
    options = parser.parse_args(arguments)
    configure_logs()
    os.umask(PRIVATE)
    try:
        serve(Home.locate(options.home), options.host, options.port)
    except HubError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
