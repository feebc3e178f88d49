"""What changed between two states of sections, items and fields, and the sum of several such changes.

A state is `{section: {item: {field: value}}}`. A delta is `{"gone": {section: [item, …]}, "changed": {section: {item: {field:
value}}}}`; who applies it removes what is gone, then sets the fields of what changed, with all fields for an item that is new.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

State = Mapping[str, Mapping[str, Mapping[str, Any]]]
Delta = dict[str, dict[str, Any]]


def difference(old: State, new: State) -> Delta:
    """What turns one state into another."""
    gone: dict[str, Any] = {}
    changed: dict[str, Any] = {}
    for section in old.keys() | new.keys():
        before, after = old.get(section, {}), new.get(section, {})
        left = [item for item in before if item not in after]
        fields = {item: _fields(before.get(item), value) for item, value in after.items() if before.get(item) != value}
        if left:
            gone[section] = left
        if fields:
            changed[section] = fields
    return {"gone": gone, "changed": changed}


def _fields(before: Mapping[str, Any] | None, after: Mapping[str, Any]) -> dict[str, Any]:
    if before is None:
        return dict(after)
    return {name: value for name, value in after.items() if name not in before or before[name] != value}


def total(deltas: Iterable[Delta]) -> Delta:
    """One delta that does what several do one after the other."""
    gone: dict[str, dict[str, None]] = {}
    changed: dict[str, dict[str, dict[str, Any]]] = {}
    for delta in deltas:
        for section, items in delta["gone"].items():
            for item in items:
                changed.get(section, {}).pop(item, None)
                gone.setdefault(section, {})[item] = None
        for section, values in delta["changed"].items():
            mine = changed.setdefault(section, {})
            for item, fields in values.items():
                mine[item] = {**mine.get(item, {}), **fields}
    return {
        "gone": {section: list(items) for section, items in gone.items()},
        "changed": {section: items for section, items in changed.items() if items},
    }


def is_empty(delta: Delta) -> bool:
    """Whether nothing changed."""
    return not delta["gone"] and not delta["changed"]
