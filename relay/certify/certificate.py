"""What is kept of a certification, `certificate.json`, and whether it still holds.

A certificate is no signature: whoever can write into the hub's folder is believed. It says which files were tried, so that
neither another version nor a changed file passes under it.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from adapters.conformance.scorecard import FAILED, PASSED, Scorecard
from relay.certify.packages import Provider, files_hash, provider_of
from relay.errors import BadInput

FOLDER = "certificates"
REQUIRED = ("headers.believed", "evidence.believed", "lies.events", "lies.proofs")
"""Checks that a production lane needs passed: without a light client's belief nothing was proved."""


class CheckRecord(BaseModel):
    """One check: its name, what it asks for, what came out, and the first failure in one line."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    title: str
    result: Literal["passed", "failed", "not here", "not tried"]
    finding: str = ""
    seconds: float = 0.0


class Certificate(BaseModel):
    """What came out of a certification, and of what.

    Attributes:
        adapter: the adapter's name.
        package: the distribution that provides it.
        package_version: of that distribution.
        files_sha256: hash of its installed files (`relay.certify.packages.files_hash`), hex.
        hub_version: of the hub that tried it.
        certified_at: date and time, UTC, ISO 8601.
        passed: whether no check failed.
        checks: each check in order.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    adapter: str
    package: str
    package_version: str
    files_sha256: str
    hub_version: str
    certified_at: str
    passed: bool
    checks: tuple[CheckRecord, ...]

    def refusal(self, provider: Provider) -> str:
        """Why this certificate does not hold for a package as it is installed now, or empty where it does."""
        if (self.adapter, self.package) != (provider.name, provider.package):
            return f"is of the adapter {self.adapter} of {self.package}"
        if self.package_version != provider.version:
            return f"is of version {self.package_version}, and {provider.version} is installed"
        if self.files_sha256 != files_hash(provider):
            return "is of other files than those that are installed"
        if self.hub_version != hub_version():
            return f"was made by version {self.hub_version} of the hub, and this is {hub_version()}"
        failed = [check.name for check in self.checks if check.result == FAILED]
        if failed or not self.passed:
            return f"says that {', '.join(failed) or 'it'} failed"
        passed = {check.name for check in self.checks if check.result == PASSED}
        missing = [name for name in REQUIRED if name not in passed]
        return f"does not say that {', '.join(missing)} passed" if missing else ""


def hub_version() -> str:
    """This hub's version."""
    return provider_of("memory").version


def issue(provider: Provider, scorecard: Scorecard, *, now: datetime | None = None) -> Certificate:
    """Write down what came out of a certification."""
    moment = (now or datetime.now(UTC)).astimezone(UTC)
    return Certificate(
        adapter=provider.name,
        package=provider.package,
        package_version=provider.version,
        files_sha256=files_hash(provider),
        hub_version=hub_version(),
        certified_at=moment.isoformat(timespec="seconds"),
        passed=scorecard.passed,
        checks=tuple(
            CheckRecord.model_validate(
                {
                    "name": item.name,
                    "title": item.title,
                    "result": item.result,
                    "finding": item.finding,
                    "seconds": item.seconds,
                }
            )
            for item in scorecard.results
        ),
    )


def save(certificate: Certificate, path: Path) -> None:
    """Write a certificate in one step."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".new")
    temporary.write_text(json.dumps(certificate.model_dump(), ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    temporary.replace(path)


def load(path: Path) -> Certificate | None:
    """Read a certificate; None where there is none.

    Raises:
        BadInput: the file is none.
    """
    try:
        return Certificate.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValidationError) as error:
        raise BadInput(f"{path} is no certificate.", "Make a new one: relayhub adapter certify NAME.") from error


def certificate_path(home: Path, adapter: str) -> Path:
    """Where a hub keeps the certificate of an adapter."""
    return home / FOLDER / f"{adapter}.json"


def state_of(provider: Provider, home: Path) -> tuple[bool, str]:
    """Whether an adapter is certified for the hub in a folder, and why, or why not, in words."""
    if provider.built_in:
        return True, "part of the hub, certified by its tests"
    try:
        certificate = load(certificate_path(home, provider.name))
    except BadInput:
        return False, "its certificate cannot be read"
    if certificate is None:
        return False, "no certificate"
    refusal = certificate.refusal(provider)
    return (False, f"its certificate {refusal}") if refusal else (True, f"certified at {certificate.certified_at}")
