"""The public interface over a filled database, without a socket: as the owner, with tokens of each role, or as nobody."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import httpx

from relay.client import HubClient
from relay.tokens import Role, create
from relay.web.access import owner_token_file
from relay.web.application import create_app
from relay.web.limits import Rates
from tests.support.filled_hub import NOW, FilledHub

PLENTY = Rates(per_token=1e6, per_address=1e6)


class Bridge(httpx.BaseTransport):
    """Lets a blocking client speak to an application in this process."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self._loop = asyncio.new_event_loop()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer one request."""
        return self._loop.run_until_complete(self._ask(request))

    async def _ask(self, request: httpx.Request) -> httpx.Response:
        transport = httpx.ASGITransport(self._app, raise_app_exceptions=False)
        asked = httpx.Request(request.method, request.url, headers=request.headers, content=request.read())
        answer = await transport.handle_async_request(asked)
        return httpx.Response(answer.status_code, headers=answer.headers, content=await answer.aread())

    def close(self) -> None:
        """End the loop."""
        self._loop.close()


class ApiWorld:
    """A hub of two ledgers and a lane with three messages, and its interface."""

    def __init__(self, folder: Path, *, rates: Rates = PLENTY, open_reading: bool = True) -> None:
        self.now = NOW
        self.hub = FilledHub(folder)
        self.hub.chain("alpha", 1)
        self.hub.chain("beta", 2)
        self.hub.lane(final=3, delivered=2, settled=1, executed=1, failed=1)
        for nonce in (1, 2, 3):
            self.hub.message(nonce, sent_at=NOW - 40 + nonce)
        self.hub.outcome(1)
        self.hub.outcome(2, 2)
        self.hub.home.run.mkdir(parents=True, exist_ok=True)
        self.app = create_app(
            self.hub.store,
            "hub",
            development=True,
            clock=lambda: self.now,
            home=self.hub.home,
            open_reading=open_reading,
            rates=rates,
        )
        self.app.state.access.let_owner_in(self.hub.home)
        self.bridge = Bridge(self.app)

    def owner(self) -> str:
        """The owner's token."""
        return owner_token_file(self.hub.home).read_text().strip()

    def token(self, role: str, **options: Any) -> str:
        """A new token."""
        return create(self.hub.store, Role(role), f"the {role}", now=self.now, **options).text

    def ask(self, method: str, path: str, token: str = "", **arguments: Any) -> httpx.Response:
        """One request."""
        headers = {**({"authorization": f"Bearer {token}"} if token else {}), **arguments.pop("headers", {})}
        with httpx.Client(transport=Shared(self.bridge), base_url="http://hub") as client:
            return client.request(method, path, headers=headers, **arguments)

    def get(self, path: str, token: str = "", **query: Any) -> httpx.Response:
        """One GET."""
        return self.ask("GET", path, token, params=query or None)

    def client(self, token: str = "") -> HubClient:
        """The typed client."""
        return HubClient("http://hub", token, transport=Shared(self.bridge))

    def done(self, answer: httpx.Response) -> dict[str, Any]:
        """Wait for an operation."""
        assert answer.status_code == 202, answer.text
        while True:
            now = self.get(f"/v1/operations/{answer.json()['id']}", self.owner(), wait=20).json()
            if now["state"] != "running":
                return dict(now)

    def close(self) -> None:
        """Release everything."""
        self.app.state.changes.close()
        self.bridge.close()
        self.hub.store.close()


class Shared(httpx.BaseTransport):
    """A transport that stays open when its client closes."""

    def __init__(self, inner: Bridge) -> None:
        self._inner = inner

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer one request."""
        return self._inner.handle_request(request)


def problem(answer: httpx.Response, status: int) -> str:
    """Check that an answer is a problem in one sentence or two; returns its name."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body["status"] == status
    assert body["detail"].endswith((".", ")"))
    assert "\n" not in body["detail"]
    return str(body["title"])
