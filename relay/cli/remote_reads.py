"""`relayhub --hub URL receipt | anchors | audit | explain | doctor`: what a hub elsewhere proves, explains and finds."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from relay.cli import audit as local_audit
from relay.cli import doctor as local_doctor
from relay.cli.explain import Language, show_all_codes, show_code
from relay.cli.options import JsonOption
from relay.cli.output import emit, note
from relay.cli.remote_hub import hub
from relay.errors import BadInput

if TYPE_CHECKING:
    from relay.client import HubClient


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (receipt, anchors, audit, explain, doctor):
        app.command(command.__name__)(command)


def receipt(
    identifier: Annotated[str, typer.Argument(metavar="ID", help="A message's id, or the hash of a transaction.")],
    partial: Annotated[bool, typer.Option("--partial", help="Give what there is of one that is not settled.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The receipt is JSON in any case.")] = False,  # noqa: ARG001 - every command that prints has it
) -> None:
    """Print the receipt of a message: what was sent, what became of it, and why either may be believed."""
    from schemas.receipt import Receipt

    with hub() as client:
        made = Receipt.model_validate(client.receipt(identifier, partial=partial))
    if not made.complete:
        note("The receipt is not complete: it proves nothing yet.")
    sys.stdout.write(made.model_dump_json(indent=1) + "\n")


def anchors(as_json: JsonOption = False) -> None:
    """Print the trust anchors of the hub, by which receipts are verified."""
    with hub() as client:
        data = client.get("/v1/evidence/anchors")
    emit(data, data["anchors"], as_json=as_json)
    note("They come from where the receipts come: compare them with what officers and operators say.")


def audit(
    earlier: local_audit.FromOption = None,
    keep: local_audit.KeepOption = None,
    key: local_audit.KeyOption = None,
    witness: local_audit.WitnessOption = None,
    as_json: JsonOption = False,
) -> None:
    """Check every tile, record and checkpoint of the hub's evidence log; exit code 2 where something is wrong."""
    from relay.evidence.checkpoints import parse_log_key, parse_witness_key

    keys = [parse_log_key(each) for each in key or ()]
    witnesses = [parse_witness_key(each) for each in witness or ()]
    with hub() as client:
        local_audit.examine(HubSource(client), keys, earlier or [], keep, witnesses, as_json=as_json)


class HubSource:
    """A log behind a hub's interface, which may ask for a token."""

    name = "the hub's log"

    def __init__(self, client: HubClient) -> None:
        self._client = client

    def fetch(self, path: str, limit: int) -> bytes | None:
        """A file's content; None where there is none.

        Raises:
            TooLarge: it has more than `limit` bytes.
        """
        from relay.evidence.sources import TooLarge

        content = self._client.file(f"/v1/evidence/log/{path}")
        if content is not None and len(content) > limit:
            raise TooLarge
        return content


def explain(
    code: Annotated[str, typer.Argument(metavar="CODE", help="A code that status or trace shows.")] = "",
    language: Annotated[Language, typer.Option("--language", help="The language of the text.")] = Language.EN,
    everything: Annotated[bool, typer.Option("--all", help="List every code.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Explain a code: what it means, whose turn it is, when the hub looks again, what to do."""
    from relay.client import path_part
    from relay.reasons import Explanation

    if bool(code) == everything:
        raise BadInput("Either a code or --all.", "List all: relayhub --hub URL explain --all.")
    with hub() as client:
        if everything:
            show_all_codes([Explanation(**item) for item in client.items("/v1/reasons")], language, as_json=as_json)
        else:
            wanted = code.strip().lower().replace("-", "_").replace(" ", "_")
            show_code(Explanation(**client.get(f"/v1/reasons/{path_part(wanted)}")), language, as_json=as_json)


def doctor(as_json: JsonOption = False) -> None:
    """Check packages, versions, configuration, keys, database, broker, endpoints, clocks and disk of the hub's machine."""
    with hub() as client:
        data = list(client.items("/v1/doctor"))
    local_doctor.show(data, as_json=as_json)
