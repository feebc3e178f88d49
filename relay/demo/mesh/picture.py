"""A picture of the mesh: the ledgers on a circle, a line for each lane, its trust level and suite, and what it carried."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from pathlib import Path

from relay.demo.balance import LaneBalance
from relay.demo.mesh.world import MeshWorld

WIDTH, HEIGHT = 1240, 860
CENTRE, RADIUS = (620, 440), 300
BOX = (280, 62)
COLOURS = ("#2f6fb7", "#b7632f", "#2f9a6b", "#8a4fb0", "#b02f5c", "#6b7f1d", "#1d7f86", "#77521f")


def draw(world: MeshWorld, balances: Sequence[LaneBalance]) -> Path:
    """Draw the mesh into the hub's folder.

    Args:
        world: the ledgers.
        balances: what became of the messages of each lane.

    Returns:
        The path of an SVG file.
    """
    path = world.home.folder / "mesh.svg"
    path.write_text(picture(world, balances), encoding="utf-8")
    return path


def picture(world: MeshWorld, balances: Sequence[LaneBalance]) -> str:
    """The mesh as SVG."""
    names = list(world.ledgers)
    places = {name: _place(index, len(names)) for index, name in enumerate(names)}
    colours = dict(zip(names, COLOURS * 2, strict=False))
    rows = [f"{escape(item.source)} → {escape(item.destination)}: {item.equation()}" for item in balances]
    lanes = "\n".join(_lane(places, colours, item) for item in balances)
    boxes = "\n".join(
        _box(places[name], colours[name], ledger.kind.title, f"{ledger.kind.suite}")
        for name, ledger in world.ledgers.items()
    )
    total = sum(item.sent for item in balances)
    title = (
        f"{len(names)} ledgers, {len(balances)} lanes, {total} messages: trust level committee, suite evm on every lane"
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" role="img">\n'
        f"<title>{escape(title)}</title>\n<desc>{'; '.join(rows)}</desc>\n"
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>\n'
        f'<text x="{WIDTH / 2}" y="38" text-anchor="middle" font-size="20" fill="#222222">{escape(title)}</text>\n'
        f"{lanes}\n{boxes}\n</svg>\n"
    )


def _place(index: int, count: int) -> tuple[float, float]:
    angle = 2 * math.pi * index / count - math.pi / 2
    return CENTRE[0] + 1.45 * RADIUS * math.cos(angle), CENTRE[1] + 1.1 * RADIUS * math.sin(angle)


def _lane(places: dict[str, tuple[float, float]], colours: dict[str, str], item: LaneBalance) -> str:
    """A lane as a bent line in the colour of its source; the way back bends to the other side."""
    (x1, y1), (x2, y2) = places[item.source], places[item.destination]
    length = math.hypot(x2 - x1, y2 - y1)
    bend = 0.06 * length
    middle = ((x1 + x2) / 2 - bend * (y2 - y1) / length, (y1 + y2) / 2 + bend * (x2 - x1) / length)
    style = "" if item.conserved else ' stroke-dasharray="6 4"'
    told = escape(f"{item.source} → {item.destination}: {item.equation()}")
    return (
        f'<path d="M{x1:.0f} {y1:.0f} Q{middle[0]:.0f} {middle[1]:.0f} {x2:.0f} {y2:.0f}" fill="none" '
        f'stroke="{colours[item.source]}" stroke-opacity="0.55" stroke-width="2"{style}><title>{told}</title></path>'
    )


def _box(place: tuple[float, float], colour: str, title: str, suite: str) -> str:
    x, y = place[0] - BOX[0] / 2, place[1] - BOX[1] / 2
    words, _, note = title.partition(" (")
    note = f"({note}" if note else ""
    return (
        f'<rect x="{x:.0f}" y="{y:.0f}" width="{BOX[0]}" height="{BOX[1]}" rx="8" fill="#ffffff" stroke="{colour}" stroke-width="2.5"/>\n'
        f'<text text-anchor="middle" x="{place[0]:.0f}" y="{y + 20:.0f}" font-size="13" fill="#222222">{escape(words)}</text>\n'
        f'<text text-anchor="middle" x="{place[0]:.0f}" y="{y + 37:.0f}" font-size="11" fill="#555555">{escape(note)}</text>\n'
        f'<text text-anchor="middle" x="{place[0]:.0f}" y="{y + 53:.0f}" font-size="11" fill="{colour}">{escape(suite)}</text>'
    )
