"""The page's files, read once and served from memory: nothing outside the folder can be asked for."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable

import orjson
from fastapi import Request
from fastapi.responses import Response

from relay.reasons import LANGUAGES, all_codes, explain

KINDS = {
    "css": "text/css; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "json": "application/json",
    "svg": "image/svg+xml",
    "LICENSE": "text/plain; charset=utf-8",
}
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}


@dataclass(frozen=True, slots=True)
class Asset:
    """A file: its bytes, media type and entity tag."""

    content: bytes
    kind: str
    tag: str


def load() -> dict[str, Asset]:
    """Every file under `static/`, by its path there; and `reasons.json`, made of the catalogue of codes."""
    return dict(_files(resources.files("relay.web.page") / "static", "")) | {"reasons.json": _reasons()}


def _reasons() -> Asset:
    """What each code of `relay.reasons` means, a sentence in each language: the page tells waits by it."""
    told = {code: {language: explain(code).said(language)[0] for language in LANGUAGES} for code in all_codes()}
    return _asset(orjson.dumps(told), KINDS["json"])


def _files(folder: Traversable, before: str) -> list[tuple[str, Asset]]:
    found = []
    for item in folder.iterdir():
        if item.is_dir():
            found += _files(item, f"{before}{item.name}/")
        elif (kind := KINDS.get(item.name.rpartition(".")[2])) is not None:
            found.append((before + item.name, _asset(item.read_bytes(), kind)))
    return found


def _asset(content: bytes, kind: str) -> Asset:
    return Asset(content, kind, f'"{hashlib.sha256(content).hexdigest()[:32]}"')


def answer(asset: Asset, request: Request) -> Response:
    """The file, or 304 where the browser has it; it asks each time, so that an upgrade shows at once."""
    headers = {**HEADERS, "etag": asset.tag, "cache-control": "no-cache"}
    if request.headers.get("if-none-match") == asset.tag:
        return Response(status_code=304, headers=headers)
    return Response(asset.content, headers=headers, media_type=asset.kind)
