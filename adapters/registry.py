"""Adapters by name: those that are built in, and those that other packages register under `relayhub.adapters`.

Only the adapter that is asked for is loaded, so that a broken package that nobody uses breaks nothing. Two providers of
one name are refused, because installing a package must not change who speaks to a ledger.
"""

from __future__ import annotations

from importlib import import_module, metadata

from adapters.guard import GuardedLedger
from adapters.protocol import AdapterFactory, AdapterOptions, Misconfigured

GROUP = "relayhub.adapters"
BUILT_IN = {
    name: f"adapters.{name}:ADAPTER" for name in ("evm", "cosmos", "beacon", "chainmaker", "fisco", "fabric", "memory")
}


def adapter_names() -> list[str]:
    """Names of every adapter that is installed, in order; none is loaded."""
    return sorted({*BUILT_IN, *(point.name for point in metadata.entry_points(group=GROUP))})


def load_adapter(name: str) -> AdapterFactory:
    """Load the adapter of that name.

    Raises:
        Misconfigured: there is none, two packages provide it, it cannot be imported, or it is no adapter.
    """
    targets = {point.value for point in metadata.entry_points(group=GROUP, name=name)}
    if name in BUILT_IN:
        targets.add(BUILT_IN[name])
    if not targets:
        raise Misconfigured(f"There is no adapter named {name!r}; choose one of {', '.join(adapter_names())}.")
    if len(targets) > 1:
        raise Misconfigured(
            f"Two packages provide the adapter {name!r} ({', '.join(sorted(targets))}); uninstall one of them."
        )
    module, _, attribute = targets.pop().partition(":")
    try:
        factory = getattr(import_module(module), attribute)
    except Exception as error:
        raise Misconfigured(f"The adapter {name!r} cannot be loaded from {module} ({error}); reinstall it.") from error
    if not callable(getattr(factory, "open", None)):
        raise Misconfigured(f"What {module}:{attribute} provides as adapter {name!r} has no method open; reinstall it.")
    loaded: AdapterFactory = factory
    return loaded


def open_ledger(adapter_name: str, options: AdapterOptions) -> GuardedLedger:
    """Open a ledger behind the guard; opening asks the network nothing.

    Raises:
        Misconfigured: there is no such adapter, or the options cannot be.
    """
    return GuardedLedger(load_adapter(adapter_name), options)
