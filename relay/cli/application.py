"""The commands, put together. Each module is one group; whatever is heavy is imported inside a command."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import metadata
from typing import Annotated

import typer

from relay.cli import (
    adapter,
    audit,
    backup,
    chain,
    demo,
    doctor,
    evidence,
    explain,
    hub,
    key,
    lane,
    messages,
    officer,
    operator,
    receipt,
    recover,
    status,
    token,
    witness,
)
from relay.cli.failures import FAILED, INTERRUPTED, report
from relay.errors import BadInput

HELP = (
    "Relay Hub: messages between ledgers, with proofs both ways.\n\n"
    "Most commands work on a hub elsewhere too: relayhub --hub URL --token-file FILE COMMAND (see: relayhub --hub URL --help)."
)

app = typer.Typer(
    name="relayhub",
    help=HELP,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
hub.register(app)
app.add_typer(chain.app, name="chain")
app.add_typer(lane.app, name="lane")
app.add_typer(adapter.app, name="adapter")
app.add_typer(operator.app, name="operator")
app.add_typer(key.app, name="key")
app.add_typer(evidence.app, name="evidence")
app.add_typer(token.app, name="token")
app.add_typer(witness.app, name="witness")
officer.register(app)
recover.register(app)
messages.register(app)
status.register(app)
audit.register(app)
receipt.register(app)
doctor.register(app)
explain.register(app)
backup.register(app)
demo.register(app)


def run(words: list[str]) -> int:
    """Run a command by its words; returns the exit code.

    Raises:
        Exception: whatever the command raises that is no usage error.
    """
    return leave(lambda: app(args=words, prog_name="relayhub", standalone_mode=False), words)


def leave(command: Callable[[], object], words: list[str]) -> int:
    """Run a command; returns the exit code, also of a usage error.

    Raises:
        Exception: whatever the command raises that is no usage error.
    """
    try:
        code = command()
    except typer.Exit as gone:
        return gone.exit_code
    except typer.Abort:
        return INTERRUPTED
    except typer.TyperException as error:
        return _usage(error, words)
    return code if isinstance(code, int) else 0


@app.callback(invoke_without_command=True, help=HELP)
def root(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version and leave.")] = False,
) -> None:
    """Relay Hub: messages between ledgers, with proofs both ways."""
    if version:
        sys.stdout.write(f"relayhub {metadata.version('relayhub')}\n")
        raise typer.Exit
    if context.invoked_subcommand is None:
        sys.stderr.write(context.get_help() + "\n")
        raise typer.Exit(FAILED)


def _usage(error: typer.TyperException, words: list[str]) -> int:
    """Say in one line what is wrong with the words; a group without its command shows its help."""
    text = error.format_message()
    if text.startswith("Usage:"):
        sys.stderr.write(text + "\n")
        return FAILED
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else "relayhub"
    sentence = " ".join(text.split())
    wrong = BadInput(sentence if sentence.endswith((".", "?")) else sentence + ".", f"See: {command} --help.")
    return report(wrong, as_json="--json" in words, home=None)
