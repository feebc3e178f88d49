"""The command `python -m relay.operator --config operator.toml`."""

from __future__ import annotations

import argparse
import gc
import os
import signal
import sys
from pathlib import Path

from relay.errors import HubError

GARBAGE_THRESHOLDS = (50_000, 20, 100)
"""A look makes tens of thousands of small objects and no cycles: the collector's usual 700 costs a third of its time."""


def main(arguments: list[str] | None = None) -> int:
    """Run an operator until SIGTERM or SIGINT.

    Args:
        arguments: the command line, else the process's own.

    Returns:
        The exit code: 0, or 2 with one line on standard error where it cannot start.
    """
    parser = argparse.ArgumentParser(prog="python -m relay.operator", description="Run an operator.")
    parser.add_argument("--config", required=True, type=Path, help="the operator's operator.toml")
    options = parser.parse_args(arguments)

    from relay.logs import configure_logs
    from relay.operator.process import Operator
    from relay.processes import PRIVATE

    configure_logs()
    os.umask(PRIVATE)
    gc.freeze()
    gc.set_threshold(*GARBAGE_THRESHOLDS)
    try:
        operator = Operator(options.config)
    except HubError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: operator.stop())
    operator.run()
    return 0
