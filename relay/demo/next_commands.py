"""What to try after `relayhub demo --keep`: each line can be pasted as it stands."""

from __future__ import annotations

import shlex
import shutil
import sys
from pathlib import Path

from relay.demo.world import PAIRS, World, network_pids


def commands(world: World) -> list[str]:
    """Commands to try while the hub and the networks of the demo go on, the ones that end them last."""
    home = str(world.home.folder)
    source, destination = PAIRS[0]
    tries = [
        ["status"],
        ["send", source, destination, "--to", "mailbox", "--text", "你好 👋", "--wait"],
        ["trace", _last_message(world)],
        ["lane", "list"],
        ["chain", "show", destination],
        ["operator", "list"],
        ["lane", "open", "alpha", "gamma", "--both"],
        ["doctor"],
        ["down"],
    ]
    lines = [shlex.join([program(), *words, "--home", home]) for words in tries]
    fronts = [str(network_pids(network)[0]) for network in world.networks.values()]
    return [*lines, shlex.join(["kill", *fronts])]


def program() -> str:
    """How the command is called here: by name where that finds this installation, else by its path."""
    own = Path(sys.executable).parent / "relayhub"
    found = shutil.which("relayhub")
    if found is not None and Path(found).resolve() == own.resolve():
        return "relayhub"
    return str(own.relative_to(Path.cwd()) if own.is_relative_to(Path.cwd()) else own)


def _last_message(world: World) -> str:
    from sqlalchemy import select

    from relay.store.tables import messages

    with world.store.read() as connection:
        found = connection.execute(select(messages.c.message_id).order_by(messages.c.seen_at.desc()).limit(1))
        return "0x" + bytes(found.scalar_one()).hex()
