"""The command `python -m adapters.evm.devnet`: one development network in the foreground."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from adapters.evm.devnet.errors import DevelopmentNetworkError
from adapters.evm.devnet.header import Form
from adapters.evm.devnet.server import ServerOptions, serve
from adapters.evm.devnet.validators import EPOCH_LENGTH


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command.

    Args:
        arguments: The command line without the program, or None for the process's own.

    Returns:
        The exit status: 0 after a stop, 2 when it could not start or go on.
    """
    given = _parser().parse_args(arguments)
    try:
        if given.directory is None:
            with tempfile.TemporaryDirectory(prefix="relayhub-devnet-") as directory:
                _run(given, Path(directory), keep=False)
        else:
            _run(given, given.directory, keep=True)
    except (DevelopmentNetworkError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201 - this is the command's output
        return 2
    return 0


def _run(given: argparse.Namespace, directory: Path, *, keep: bool) -> None:
    options = ServerOptions(
        chain_id=given.chain_id,
        directory=directory,
        port=given.port,
        block_time_s=given.block_time,
        hardfork=given.hardfork,
        validators=given.validators,
        epoch_length=given.epoch_length,
        form=given.consensus,
        unlisted_from=given.unlisted_from,
        plain=given.plain,
        keep=keep,
    )

    def announce(status: dict[str, Any]) -> None:
        kind = "plain, nothing is sealed" if given.plain else f"{given.validators} {given.consensus.upper()} validators"
        text = f"development network eip155:{given.chain_id} at {status['url']} ({kind}); Ctrl-C stops it"
        print(json.dumps(status) if given.json else text, flush=True)  # noqa: T201 - this is the command's output

    asyncio.run(serve(options, announce, watch_input=given.until_input_ends))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m adapters.evm.devnet",
        description="A local development network: anvil behind a front that seals its blocks as Besu does.",
    )
    parser.add_argument("--chain-id", type=int, required=True, help="EIP-155 chain id")
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1 (default: a free one)")
    parser.add_argument("--block-time", type=float, default=1.0, help="seconds between blocks, 0 on demand (default 1)")
    parser.add_argument("--hardfork", default="london", help="EVM rules, such as berlin or london (default london)")
    parser.add_argument("--validators", type=_positive, default=4, help="validators at the start (default 4)")
    parser.add_argument("--epoch-length", type=_positive, default=EPOCH_LENGTH, help="blocks in a vote epoch")
    parser.add_argument("--directory", type=Path, help="keep keys, headers and state here over a restart")
    parser.add_argument(
        "--consensus", type=Form, choices=list(Form), default=Form.QBFT, help="whose headers are sealed (default qbft)"
    )
    parser.add_argument(
        "--unlisted-from", type=_positive, help="the first header without validators, as where a contract selects them"
    )
    parser.add_argument("--plain", action="store_true", help="serve anvil unsealed")
    parser.add_argument("--until-input-ends", action="store_true", help="stop when standard input ends")
    parser.add_argument("--json", action="store_true", help="announce the network as one line of JSON")
    return parser


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("give a number of at least 1")
    return value


if __name__ == "__main__":
    sys.exit(main())
