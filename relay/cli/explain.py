"""`relayhub explain`: what a code means, whose turn it is, and what to do."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from relay.cli.options import JsonOption
from relay.cli.output import emit
from relay.errors import BadInput

if TYPE_CHECKING:
    from relay.reasons import Explanation


class Language(StrEnum):
    """A language of the catalogue."""

    EN = "en"
    ZH = "zh"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("explain")(explain)


def explain(
    code: Annotated[str, typer.Argument(metavar="CODE", help="A code that status or trace shows.")] = "",
    language: Annotated[Language, typer.Option("--language", help="The language of the text.")] = Language.EN,
    everything: Annotated[bool, typer.Option("--all", help="List every code.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Explain a code: what it means, whose turn it is, when the hub looks again, what to do."""
    from relay import reasons

    if everything:
        if code:
            raise BadInput("Either a code or --all, not both.", "See: relayhub explain --help.")
        show_all_codes([reasons.explain(item) for item in reasons.all_codes()], language, as_json=as_json)
        return
    if not code:
        raise BadInput("Which code?", "Name one that relayhub status shows, or list all: relayhub explain --all.")
    show_code(reasons.explain(code), language, as_json=as_json)


def show_all_codes(known: list[Explanation], language: Language, *, as_json: bool) -> None:
    """Print a table of codes."""
    from relay.views.tables import table

    headings = ("CODE", "KIND", "WHOSE TURN", "WHAT IT IS")
    rows = [(item.code, item.kind, item.said(language)[1], item.said(language)[0]) for item in known]
    emit([item.as_data() for item in known], table(headings, rows), as_json=as_json)


def show_code(found: Explanation, language: Language, *, as_json: bool) -> None:
    """Print what one code means."""
    emit(found.as_data(), _text(found, language), as_json=as_json)


def _text(found: Explanation, language: Language) -> str:
    from relay.reasons import LABELS
    from relay.views.tables import table

    sentence, *said = found.said(language)
    first, *rest = zip(LABELS[language], said, strict=True)
    return f"{found.code} ({found.kind})\n{sentence}\n\n{table(first, rest)}"
