"""A certification: the package's own world, every check, the scorecard."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

from adapters.conformance.findings import one_line
from adapters.conformance.scorecard import Result, Scorecard, run_checks
from adapters.conformance.steps import World
from adapters.protocol import AdapterOptions, Ledger
from adapters.registry import load_adapter
from relay.certify.certificate import Certificate, issue
from relay.certify.judge import LightClientJudge
from relay.certify.packages import WORLDS, provider_of
from relay.errors import BadInput, NotFound

WorldMaker = Callable[[Path, Callable[[AdapterOptions], Ledger]], World]


def load_world(name: str) -> WorldMaker:
    """What starts two ledgers of an adapter's kind.

    Raises:
        NotFound: no package provides it.
        BadInput: it cannot be loaded, or two packages provide it.
    """
    points = list(metadata.entry_points(group=WORLDS, name=name))
    if not points:
        raise NotFound(
            f"No package provides ledgers to try the adapter {name} on.",
            f"Give its package an entry point {name!r} in the group {WORLDS} (docs/add-a-chain.md).",
        )
    if len({point.value for point in points}) > 1:
        raise BadInput(f"Two packages provide {name!r} in the group {WORLDS}.", "Uninstall one of them.")
    try:
        made: WorldMaker = points[0].load()
    except Exception as error:
        raise BadInput(f"{points[0].value} cannot be loaded ({error}).", "Correct the package.") from error
    return made


def certify(name: str, *, tell: Callable[[Result], None] | None = None) -> Certificate:
    """Try an adapter on its package's world.

    Args:
        name: the adapter's.
        tell: called with each result.

    Returns:
        What came out.

    Raises:
        Misconfigured: there is no such adapter.
        NotFound: its package provides no world.
        BadInput: it is part of the hub, or its world does not start.
    """
    provider = provider_of(name)
    if provider.built_in:
        raise BadInput(f"The adapter {name} is part of the hub.", "Its tests certify it; nothing needs to be done.")
    maker, factory = load_world(name), load_adapter(name)
    with tempfile.TemporaryDirectory(prefix="relayhub-certify-") as folder:
        try:
            world = maker(Path(folder), factory.open)
        except Exception as error:  # the package's own code: whatever it raises is said in a line
            said = one_line(error).rstrip(".")
            raise BadInput(
                f"The world of {name} does not start ({type(error).__name__}: {said}).", "Correct it."
            ) from error
        try:
            scorecard: Scorecard = run_checks(world, factory, LightClientJudge(), tell=tell)
        finally:
            world.close()
    return issue(provider, scorecard)
