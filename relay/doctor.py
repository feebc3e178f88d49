"""What commonly goes wrong, looked at one by one: packages, configuration, keys, database, broker, endpoints, clocks, disk."""

from __future__ import annotations

import shutil
import stat
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from importlib import metadata
from typing import Any

from relay.config import HubConfig
from relay.errors import HubError
from relay.home import Home
from relay.keys import KeyStore

PACKAGES = ("relay", "adapters", "light_clients", "schemas")
DISTRIBUTION = "relayhub"
DISK_FREE_BYTES = 500_000_000
CLOCK_DRIFT_S = 15
BLOCK_AGE_S = 60


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found, and what to do next where it is not well, or soon will not be (a warning)."""

    check: str
    ok: bool
    text: str
    next_step: str = ""
    warning: bool = False


def examine(home: Home) -> list[Finding]:
    """Run every check; a check that itself fails is a finding, never an end."""
    findings = [_python(), *_packages(), _disk(home)]
    try:
        config = home.load()
    except HubError as error:
        return [*findings, Finding("configuration", ok=False, text=error.message, next_step=error.next_step)]
    findings.append(Finding("configuration", ok=True, text=f"{home.config_file}, hub {config.name!r}"))
    for name, check in (
        ("keys", lambda: _keys(home)),
        ("database", lambda: _database(home, config)),
        ("broker", lambda: _broker(home, config)),
        ("processes", lambda: _processes(home)),
        ("ledgers", lambda: _ledgers(home, config)),
        ("verifiers", lambda: _verifiers(home)),
    ):
        findings += _guarded(name, check)
    return findings


def as_data(finding: Finding) -> dict[str, Any]:
    """A finding ready for JSON."""
    names = ("check", "ok", "warning", "text", "next_step")
    return {name: getattr(finding, name) for name in names}


def _guarded(name: str, check: Callable[[], Iterator[Finding]]) -> list[Finding]:
    found: list[Finding] = []
    try:
        found.extend(check())
    except HubError as error:
        found.append(Finding(name, ok=False, text=error.message, next_step=error.next_step))
    except Exception as error:  # noqa: BLE001 - the doctor reports whatever it meets
        found.append(Finding(name, ok=False, text=f"{type(error).__name__}: {str(error).splitlines()[:1]}"))
    return found


def _python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    return Finding("python", ok=sys.version_info >= (3, 11), text=f"{version}", next_step="")


def _packages() -> list[Finding]:
    """One distribution, ours, must own each of the four top-level packages: another one would overwrite files."""
    owners = metadata.packages_distributions()
    findings = []
    for package in PACKAGES:
        found = sorted(set(owners.get(package, [])))
        ok = found == [DISTRIBUTION] or not found  # not found: run from a checkout without installation
        text = f"{package} is owned by {', '.join(found) or 'this checkout'}"
        findings.append(
            Finding("packages", ok=ok, text=text, next_step="" if ok else "Install relayhub alone in an environment.")
        )
    return findings


def _disk(home: Home) -> Finding:
    folder = next(path for path in (home.folder, *home.folder.parents) if path.exists())
    free = shutil.disk_usage(folder).free
    ok = free > DISK_FREE_BYTES
    return Finding(
        "disk", ok=ok, text=f"{free // 1_000_000} MB free at {folder}", next_step="" if ok else "Free some space."
    )


def _keys(home: Home) -> Iterator[Finding]:
    store = KeyStore(home.keys)
    if home.keys.is_dir():
        mode = stat.S_IMODE(home.keys.stat().st_mode)
        ok = not mode & 0o077
        step = "" if ok else f"Run: chmod 700 {home.keys}."
        yield Finding("keys", ok=ok, text=f"{len(store.names())} keys in {home.keys}, mode {mode:o}", next_step=step)
    for name in store.names():
        try:
            store.load(name)
        except HubError as error:
            yield Finding("keys", ok=False, text=error.message, next_step=error.next_step)


def _database(home: Home, config: HubConfig) -> Iterator[Finding]:
    from relay.store import Store
    from relay.store.engine import ping
    from relay.store.migrations import HEAD

    store = Store(home.database_url(config))
    try:
        ping(store)
        version = store.version()
    finally:
        store.close()
    ok = version == HEAD
    step = "" if ok else "Run: relayhub up."
    yield Finding(
        "database", ok=ok, text=f"answers; tables of version {version or 'none'} ({HEAD} is wanted)", next_step=step
    )


def _broker(home: Home, config: HubConfig) -> Iterator[Finding]:
    from kombu.connection import Connection

    from relay.supervisor import accepts

    if not config.broker and not accepts(home.socket):
        yield Finding("broker", ok=True, text="embedded, not running (relayhub up starts it)")
        return
    with Connection(home.broker_url(config), connect_timeout=3) as connection:  # type: ignore[no-untyped-call]
        connection.ensure_connection(max_retries=1, timeout=3)
    yield Finding("broker", ok=True, text="answers")


def _processes(home: Home) -> Iterator[Finding]:
    from relay.processes import is_running, recorded

    if not is_running(home):
        yield Finding("processes", ok=True, text="the hub does not run")
        return
    for process in recorded(home)[1]:
        if process.restarts or not process.alive:
            text = f"{process.role} was started {process.restarts + 1} times {process.note}".strip()
            yield Finding(
                "processes", ok=process.alive, text=text, next_step=f"See {home.run / (process.role + '.log')}."
            )
    yield Finding("processes", ok=True, text="the hub runs")


def _ledgers(home: Home, config: HubConfig) -> Iterator[Finding]:
    """Each endpoint of each ledger: does it answer, is it that ledger, and is its newest block of now?"""
    from adapters.protocol import AdapterError, AdapterOptions, Endpoint
    from adapters.registry import open_ledger
    from light_clients.families import client_named
    from relay.clients import adapter_options
    from relay.registry.chains import all_chains
    from relay.store import Store

    store = Store(home.database_url(config))
    rows = [row for row in all_chains(store) if row.state != "retired"]
    store.close()
    for row in rows:
        expires_at = client_named(row.consensus).state_from_bytes(row.client_state).expires_at
        if 0 < expires_at <= time.time():
            yield Finding(
                "ledgers", ok=False, text=f"{row.name}: the light client has expired", next_step="Register it anew."
            )
        told = adapter_options(row, config)
        certificates: dict[tuple[str, int], dict[str, Any]] = {}
        for item in row.endpoints:
            options = AdapterOptions(
                (Endpoint(item["url"]),), row.chain_id, bytes(row.first_block), timeout_s=5, extra=told
            )
            try:
                ledger = open_ledger(row.adapter, options)
            except AdapterError as error:
                yield Finding("ledgers", ok=False, text=f"{row.name}: {error}", next_step="Correct its options.")
                break
            try:
                tip = ledger.tip()
            except AdapterError as error:
                yield Finding("ledgers", ok=False, text=f"{row.name}: {error}", next_step="Look at the node.")
            else:
                yield Finding("ledgers", ok=True, text=f"{row.name}: {ledger.endpoint} is at height {tip}")
            with suppress(AdapterError):  # what cannot be read was said above
                certificates |= {
                    (state.name, state.not_after): {"name": state.name, "not_after": state.not_after}
                    for state in ledger.certificates()
                }
            ledger.close()
        yield from _certificates(row.name, list(certificates.values()))
        drift = row.client_time - time.time()
        if drift > CLOCK_DRIFT_S:
            text = f"{row.name}: its blocks are {drift:.0f} s ahead of this machine's clock"
            yield Finding("clocks", ok=False, text=text, next_step="Set the clocks right (NTP).")


def _certificates(chain: str, certificates: list[dict[str, Any]]) -> Iterator[Finding]:
    """Each certificate of a ledger that has ended, or ends within 30 days (a warning)."""
    from relay.certificate_ends import NEXT_STEP, alarms_of

    for alarm in alarms_of(certificates, time.time()):
        yield Finding(
            "certificates",
            ok=not alarm.ended,
            text=f"{chain}: {alarm.text}",
            next_step=NEXT_STEP,
            warning=not alarm.ended,
        )


def _verifiers(home: Home) -> Iterator[Finding]:
    """The trust level of each lane, and each light client on a ledger: does it still believe anybody?"""
    from relay.views.status import hub_status
    from relay.views.status_text import lane_name

    data = hub_status(home)
    levels = [f"{lane_name(lane)} {lane['trust']}" for lane in data["lanes"] if lane["state"] == "active"]
    if levels:
        yield Finding("verifiers", ok=True, text=f"trust of the lanes: {', '.join(levels)}")
    for client in data["light_clients"]:
        where = f"the light client of {client['peer']} on {client['chain']}"
        wrong = "is frozen" if client["frozen"] else "has expired" if client["expires_in_s"] <= 0 else ""
        step = (
            f"Pin validators: relayhub propose pin-validators --chain {client['chain']} --verifier {client['address']}."
        )
        text = f"{where} {wrong or 'is at height ' + str(client['height'])}"
        yield Finding("verifiers", ok=not wrong, text=text, next_step=step if wrong else "")
