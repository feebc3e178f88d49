"""`relayhub recover` as text."""

from __future__ import annotations

import time
from typing import Any


def render(recovery: dict[str, Any]) -> str:
    """Lay out what `Recovery.as_data` returned."""
    incident = recovery["incident"]
    at = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(incident["at"]))
    lines = [
        f"{recovery['chain']} is {recovery['state']}. Frozen {at} UTC: {incident['text']}",
        f"  block {incident['hash_a']}",
        f"  block {incident['hash_b']}",
        f"  both headers, byte for byte: relayhub recover {recovery['chain']} --json",
        "",
    ]
    for lane in recovery["lanes"]:
        lines += _lane_lines(lane)
    lines += [""] if recovery["lanes"] else []
    for number, step in enumerate(recovery["steps"], 1):
        lines.append(f"{number}. [{'x' if step['done'] else ' '}] {step['text']}")
        lines += [f"       {command}" for command in step["commands"]]
    return "\n".join(lines)


def _lane_lines(lane: dict[str, Any]) -> list[str]:
    ends = ", ".join(
        f"{end['chain']}: {end['error'] or ('closed' if end['closed'] else 'paused' if end['paused'] else 'open')}"
        for end in lane["ends"]
    )
    lines = [
        f"{lane['source']} → {lane['destination']} #{lane['channel']} ({ends}); {lane['undelivered']} not delivered"
    ]
    for entry in lane["contradicted"]:
        people = f"from {entry['sender']} to {entry['receiver']}"
        lines.append(f"  {entry['effect']} {entry['nonce']}  {entry['message_id']}  {people}  block {entry['height']}")
    return lines
