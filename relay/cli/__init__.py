"""The command `relayhub`. Each module is one group of commands; whatever is heavy is imported inside them."""

from __future__ import annotations

import sys

import typer

from relay.cli import chain, demo, doctor, hub, key, lane, messages, officer, operator, status
from relay.cli.failures import INTERRUPTED, report
from relay.errors import BadInput

app = typer.Typer(
    name="relayhub",
    help="Relay Hub: messages between ledgers, with proofs both ways.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
hub.register(app)
app.add_typer(chain.app, name="chain")
app.add_typer(lane.app, name="lane")
app.add_typer(operator.app, name="operator")
app.add_typer(key.app, name="key")
officer.register(app)
messages.register(app)
status.register(app)
doctor.register(app)
demo.register(app)


def main(arguments: list[str] | None = None) -> int:
    """Run a command.

    Args:
        arguments: the words after the program's name, else those of this process.

    Returns:
        The exit code: 0 done, 2 refused or failed (one line on standard error says why), 130 interrupted.
    """
    words = sys.argv[1:] if arguments is None else arguments
    try:
        code = app(args=words, prog_name="relayhub", standalone_mode=False)
    except typer.Exit as leave:
        return leave.exit_code
    except (KeyboardInterrupt, typer.Abort):
        return INTERRUPTED
    except BrokenPipeError:
        return 0
    except typer.TyperException as error:
        code = _usage(error, words)
    except Exception as error:  # noqa: BLE001 - the last resort: one line for the person, the trace for a file
        return report(error, as_json="--json" in words, home=_home(words))
    return code if isinstance(code, int) else 0


def _usage(error: typer.TyperException, words: list[str]) -> int:
    text = " ".join(error.format_message().split())
    if not text:  # a group without its command: the help was shown
        return 2
    help_command = " ".join(["relayhub", *words[:1]] if words and not words[0].startswith("-") else ["relayhub"])
    wrong = BadInput(text if text.endswith((".", "?")) else text + ".", f"See: {help_command} --help.")
    return report(wrong, as_json="--json" in words, home=None)


def _home(words: list[str]) -> str | None:
    for position, word in enumerate(words):
        if word == "--home" and position + 1 < len(words):
            return words[position + 1]
        if word.startswith("--home="):
            return word.removeprefix("--home=")
    return None
