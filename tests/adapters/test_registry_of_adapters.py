"""Adapters by name: only what is asked for is loaded, and no name has two providers."""

import sys
import types
from importlib import metadata

import pytest

from adapters import registry
from adapters.guard import GuardedLedger
from adapters.protocol import AdapterOptions, Endpoint, Misconfigured


def provide(monkeypatch, *points):
    found = [metadata.EntryPoint(name, value, registry.GROUP) for name, value in points]

    def entry_points(*, group, name=None):
        assert group == registry.GROUP
        return [point for point in found if name in (None, point.name)]

    monkeypatch.setattr(metadata, "entry_points", entry_points)


def test_the_built_in_adapters_need_no_installation(monkeypatch):
    provide(monkeypatch)
    assert registry.adapter_names() == sorted(registry.BUILT_IN)
    assert registry.load_adapter("evm").name == "evm"


def test_our_own_entry_point_is_no_second_provider(monkeypatch):
    provide(monkeypatch, ("evm", registry.BUILT_IN["evm"]))
    assert registry.load_adapter("evm").name == "evm"


def test_two_providers_of_one_name_are_refused(monkeypatch):
    provide(monkeypatch, ("evm", "stranger.evm:ADAPTER"))
    with pytest.raises(Misconfigured, match="Two packages provide the adapter 'evm'"):
        registry.load_adapter("evm")


def test_an_unknown_name_lists_the_known_ones(monkeypatch):
    provide(monkeypatch, ("river", "stranger:ADAPTER"))
    known = ", ".join(sorted([*registry.BUILT_IN, "river"]))
    with pytest.raises(Misconfigured, match=f"'ewm'; choose one of {known}"):
        registry.open_ledger("ewm", AdapterOptions((Endpoint("x"),)))


def test_only_the_adapter_that_is_asked_for_is_loaded(monkeypatch):
    provide(monkeypatch, ("broken", "no_such_module:ADAPTER"))
    registry.load_adapter("evm")
    with pytest.raises(Misconfigured, match="'broken' cannot be loaded from no_such_module"):
        registry.load_adapter("broken")


def test_what_is_no_adapter_is_refused(monkeypatch):
    module = types.ModuleType("stranger")
    module.ADAPTER = object()
    monkeypatch.setitem(sys.modules, "stranger", module)
    provide(monkeypatch, ("odd", "stranger:ADAPTER"))
    with pytest.raises(Misconfigured, match="has no method open"):
        registry.load_adapter("odd")


def test_a_third_partys_adapter_is_opened_behind_the_guard(monkeypatch):
    class Opened:
        endpoint = "far away"

        def close(self):
            pass

    class Factory:
        name = "far"

        def open(self, options):
            return Opened()

    module = types.ModuleType("far_adapter")
    module.ADAPTER = Factory()
    monkeypatch.setitem(sys.modules, "far_adapter", module)
    provide(monkeypatch, ("far", "far_adapter:ADAPTER"))
    ledger = registry.open_ledger("far", AdapterOptions((Endpoint("x"),)))
    assert isinstance(ledger, GuardedLedger)
    assert ledger.endpoint == "far away"
