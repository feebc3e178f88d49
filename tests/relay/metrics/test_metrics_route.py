"""`GET /metrics` over HTTP: who may ask, what it is called, and what is said where the database cannot be read."""

import asyncio

import httpx
import pytest

from relay.metrics.names import METRICS
from relay.tokens import Role, create
from relay.web.application import create_app
from tests.support.filled_hub import NOW
from tests.support.told_metrics import Told, filled_hub


@pytest.fixture
def hub(tmp_path):
    hub = filled_hub(tmp_path)
    hub.home.run.mkdir(exist_ok=True)
    yield hub
    hub.store.close()


def get(hub, **headers):
    async def ask():
        app = create_app(hub.store, "hub", development=True, home=hub.home, clock=lambda: NOW)
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1", timeout=120) as client:
            return await client.get("/metrics", headers=headers)

    return asyncio.run(ask())


def test_a_hub_without_tokens_answers_everybody(hub):
    hub.chain("beta", 2)
    answer = get(hub)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    told = Told(answer.content)
    assert len(told.families) == len(METRICS)
    assert told.get("relayhub_ledger_tip_height", ledger="beta") == 12


@pytest.mark.parametrize("role", list(Role))
def test_a_hub_with_tokens_answers_whoever_has_one(hub, role):
    token = create(hub.store, role, "prometheus", now=NOW)
    assert get(hub).status_code == 401
    assert get(hub, authorization="Bearer rht_wrong").status_code == 401
    assert get(hub, authorization=f"Bearer {token.text}").status_code == 200


def test_a_database_that_is_gone_is_an_error_that_prometheus_sees(hub, monkeypatch):
    from relay.metrics import exposition

    def gone(_url):
        from relay.errors import BadInput

        raise BadInput("The database cannot be read: disk I/O error.", "Run `relayhub doctor`.")

    monkeypatch.setattr(exposition, "Reader", gone)
    answer = get(hub)
    assert answer.status_code == 503
    assert "disk I/O error" in answer.json()["detail"]
