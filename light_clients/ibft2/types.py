"""The configuration of IBFT2; its other nouns are those of `bft.types`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from light_clients.bft.types import BftConfiguration, Dialect


@dataclass(frozen=True, slots=True)
class Ibft2Configuration(BftConfiguration):
    """What no header of IBFT2 says; the attributes are those of `BftConfiguration`."""

    dialects: ClassVar[tuple[Dialect, ...]] = (Dialect.BESU_IBFT2,)

    dialect: Dialect = Dialect.BESU_IBFT2
