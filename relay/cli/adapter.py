"""`relayhub adapter`: which adapters are installed, and certifying those of third parties."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from relay.cli.failures import FAILED
from relay.cli.options import HomeOption, JsonOption
from relay.cli.output import emit, home_of, note

if TYPE_CHECKING:
    from adapters.conformance.scorecard import Result

app = typer.Typer(help="Adapters: list, certify.", no_args_is_help=True, rich_markup_mode=None)


@app.command("list")
def show_all(home: HomeOption = "", as_json: JsonOption = False) -> None:
    """List adapters: who provides them, and whether they are certified."""
    from relay.views.adapters import adapters_of
    from relay.views.tables import table

    data = adapters_of(home_of(home).folder)
    rows = [
        [item["name"], item["package"], item["version"], "yes" if item["certified"] else "no", item["why"]]
        for item in data
    ]
    emit(data, "" if as_json else table(["adapter", "package", "version", "certified", ""], rows), as_json=as_json)


@app.command("certify")
def certify(
    name: Annotated[str, typer.Argument(help="The adapter's name.")],
    out: Annotated[
        str,
        typer.Option("--out", help="Where the certificate goes [default: the hub's folder, else certificate.json]."),
    ] = "",
    home: HomeOption = "",
    as_json: JsonOption = False,
) -> None:
    """Try an adapter on ledgers that its package starts, and keep what came out; exit code 2 where a check failed."""
    from relay.certify.certificate import certificate_path, save
    from relay.certify.run import certify as run

    place = home_of(home)
    known = certificate_path(place.folder, name) if place.config_file.exists() else Path("certificate.json")
    path = Path(out) if out else known
    certificate = run(name, tell=None if as_json else _tell)
    save(certificate, path)
    failed = [check.name for check in certificate.checks if check.result == "failed"]
    counted = sum(check.result == "passed" for check in certificate.checks)
    rest = "; the others have no subject there" if counted < len(certificate.checks) else ""
    verdict = (
        f"{name} ({certificate.package} {certificate.package_version}) passed {counted} of {len(certificate.checks)} "
        f"checks{rest}. The certificate: {path}"
        if certificate.passed
        else f"{name} is not certified: {', '.join(failed)} failed. The findings: {path}"
    )
    emit({**certificate.model_dump(), "file": str(path)}, verdict, as_json=as_json)
    if not certificate.passed:
        raise typer.Exit(FAILED)


def _tell(result: Result) -> None:
    """One line of the table, as soon as it is known."""
    from relay.cli.failures import one_line

    line = f"{result.result:<9}  {result.name:<18}  {result.title:<44}"
    note(f"{line}  {one_line(result.finding)}".rstrip())
