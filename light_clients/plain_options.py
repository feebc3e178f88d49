"""Options of a light client that are numbers, texts and switches, as a person writes them in TOML or JSON.

What is not said has its default; what is unknown is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import Any, TypeVar

from light_clients.errors import ConfigurationInvalid

ConfigurationT = TypeVar("ConfigurationT")
_KINDS = {int: "a whole number", str: "a text", bool: "true or false"}


def read_plain(configuration_type: type[ConfigurationT], options: Mapping[str, Any]) -> ConfigurationT:
    """Makes a configuration whose fields are numbers, texts and switches.

    Args:
        configuration_type: A dataclass.
        options: By the names of its fields.

    Raises:
        ConfigurationInvalid: An option is unknown, missing, not of its kind, or out of its range; the message names it.
    """
    kinds = {field.name: _kind(field.type) for field in fields(configuration_type)}  # type: ignore[arg-type]
    for name, value in options.items():
        if name not in kinds:
            raise ConfigurationInvalid(f"There is no option {name!r}; the options are {', '.join(kinds)}.")
        if type(value) is not kinds[name]:
            raise ConfigurationInvalid(f"The option {name} is {_KINDS[kinds[name]]}.", found=str(value)[:80])
    for field in fields(configuration_type):  # type: ignore[arg-type]
        if field.default is MISSING and field.name not in options:
            raise ConfigurationInvalid(f"The option {field.name} is missing.")
    return configuration_type(**options)


def write_plain(configuration: Any) -> dict[str, Any]:
    """The options of a configuration: what differs from the defaults; `read_plain` makes the same one out of them."""
    values = {field.name: (getattr(configuration, field.name), field.default) for field in fields(configuration)}
    return {name: value for name, (value, default) in values.items() if value != default}


def _kind(annotation: Any) -> type:
    return {"int": int, "str": str, "bool": bool}[annotation if isinstance(annotation, str) else annotation.__name__]
