"""The hub that `relayhub --hub URL` means, and what its commands have in common."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from relay.cli.output import emit
from relay.errors import BadInput, NotFound

if TYPE_CHECKING:
    from relay.client import HubClient

Source = Annotated[str, typer.Argument(metavar="A", help="The ledger that sends.")]
Destination = Annotated[str, typer.Argument(metavar="B", help="The ledger that receives.")]
First = Annotated[str, typer.Argument(metavar="A", help="The ledger that sends, or the lane's id (8 digits will do).")]
Second = Annotated[str, typer.Argument(metavar="B", help="The ledger that receives; left out after an id.")]
Channel = Annotated[str, typer.Option("--channel", help="The channel's name.")]
Key = Annotated[str, typer.Option("--key", help="The name of a key at the hub.")]
Name = Annotated[str, typer.Argument(help="The ledger's name there.")]


@dataclass(frozen=True, slots=True)
class Where:
    """The hub that is meant: its URL, the token, and a file of authorities to trust (empty = the usual ones)."""

    url: str
    token: str
    authorities: str


where: ContextVar[Where] = ContextVar("hub")


@contextmanager
def hub() -> Iterator[HubClient]:
    """A client of it."""
    from relay.client import HubClient

    meant = where.get()
    with HubClient(meant.url, meant.token, authorities=meant.authorities) as client:
        yield client


def show_list(path: str, render: Callable[[list[dict[str, Any]]], str], *, as_json: bool) -> None:
    """Print every item of a list."""
    with hub() as client:
        data = list(client.items(path))
    emit(data, "" if as_json else render(data), as_json=as_json)


def columns(data: list[dict[str, Any]], names: tuple[str, ...]) -> str:
    """Items as a table of some of their fields."""
    from relay.views.tables import table

    return table(names, [[item[name] for name in names] for item in data])


def lane_path(client: HubClient, first: str, second: str, channel: str) -> str:
    """The path of the lane that two ledgers and a channel name, or an id.

    Raises:
        NotFound: there is no such lane.
    """
    from relay.client import path_part

    if not second:
        return f"/v1/lanes/{path_part(first.lower())}"
    found = [item for item in client.lanes(source=first, destination=second) if item.channel == channel]
    if not found:
        raise NotFound(f"There is no lane {first} → {second} #{channel}.", "See: relayhub --hub URL lane list.")
    return f"/v1/lanes/{found[0].lane_id}"


def show_change(data: Any, done: str, *, as_json: bool) -> None:
    """Say that it is done, or which proposals wait for another officer."""
    labels = data.get("proposals", ())
    waiting = [f"Proposed {label}; next: relayhub --hub URL approve {label} --key OTHER" for label in labels]
    emit(data, "\n".join(waiting) or done, as_json=as_json)


def client_options_of(file: str) -> dict[str, Any] | None:
    """A file with a light client's options (TOML) or a genesis file (JSON), of this machine; None where none is named.

    Raises:
        BadInput: it cannot be read, or is neither.
    """
    import json
    import tomllib

    if not file:
        return None
    try:
        text = Path(file).read_text(encoding="utf-8")
        found: dict[str, Any] = json.loads(text) if text.lstrip().startswith("{") else tomllib.loads(text)
    except OSError as error:
        raise BadInput(f"The file {file} cannot be read: {error.strerror}.", "Check its name.") from None
    except ValueError:
        raise BadInput(f"The file {file} is neither TOML nor a genesis file.", "Correct the file.") from None
    return found


def chain_change(name: str, what: str, body: dict[str, Any] | None) -> Any:
    """Change a ledger; returns the operation's result."""
    from relay.client import path_part

    with hub() as client:
        return client.change(f"/v1/chains/{path_part(name)}/{what}", body)
