"""The command `relayhub`.

`status` is looked at again and again, so its two options are read here and nothing heavy is loaded for it; every other
command goes through `relay.cli.application`.
"""

from __future__ import annotations

import os
import sys

from relay.cli.failures import INTERRUPTED, report
from relay.processes import PRIVATE


def main(arguments: list[str] | None = None) -> int:
    """Run a command.

    Args:
        arguments: the words after the program's name, else those of this process.

    Returns:
        The exit code: 0 done, 2 refused or failed (one line on standard error says why), 130 interrupted.
    """
    words = sys.argv[1:] if arguments is None else arguments
    os.umask(PRIVATE)
    try:
        if words[:1] == ["status"] and _is_plain(words[1:]):
            from relay.cli.output import show_status

            show_status(_home(words) or "", as_json="--json" in words)
            return 0
        from relay.cli import application, remote

        return application.leave(lambda: remote.run(words), words) if remote.wants(words) else application.run(words)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        sys.stderr.close()  # whoever read our output has left; say nothing when Python flushes
        return 0
    except Exception as error:  # noqa: BLE001 - the last resort: one line for the person, the trace for a file
        return report(error, as_json="--json" in words, home=_home(words))


def _is_plain(words: list[str]) -> bool:
    """Whether these are only `--json` and `--home FOLDER`."""
    rest = [word for word in words if word != "--json" and not word.startswith("--home=")]
    return not rest or (len(rest) == 2 and rest[0] == "--home" and not rest[1].startswith("-"))


def _home(words: list[str]) -> str | None:
    for position, word in enumerate(words):
        if word == "--home" and position + 1 < len(words):
            return words[position + 1]
        if word.startswith("--home="):
            return word.removeprefix("--home=")
    return None
