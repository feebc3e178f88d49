"""Put the public interface into the application, and describe it."""

from __future__ import annotations

from importlib import metadata
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from relay.web.api import chains, evidence, hub, lanes, messages, officers, operations, reasons, records, webhooks
from relay.web.api.models import ProblemBody

ROUTERS = (
    hub.router,
    chains.router,
    lanes.router,
    messages.router,
    officers.router,
    operations.router,
    webhooks.router,
    evidence.router,
    records.router,
    reasons.router,
)
DESCRIPTION = (
    "Messages between ledgers, with proofs both ways. Every error is problem+json (RFC 9457). Lists come in pages; a change takes "
    "an Idempotency-Key, so that asking twice does it once. Times are Unix seconds, bytes hexadecimal with 0x, coins decimal strings."
)


def include(app: FastAPI) -> None:
    """Add every resource, and `/v1/openapi.json`."""
    for router in ROUTERS:
        app.include_router(router)

    @app.get("/v1/openapi.json", include_in_schema=False)
    def get_description() -> dict[str, Any]:
        return describe(app)


def describe(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI description of the public interface; made once."""
    known: dict[str, Any] | None = getattr(app.state, "openapi", None)
    if known is not None:
        return known
    routes = [route for router in ROUTERS for route in router.routes]
    made = get_openapi(title="Relay Hub", version=metadata.version("relayhub"), description=DESCRIPTION, routes=routes)
    parts = made.setdefault("components", {})
    parts.setdefault("schemas", {})["ProblemBody"] = ProblemBody.model_json_schema()
    for unused in ("HTTPValidationError", "ValidationError"):
        parts["schemas"].pop(unused, None)
    parts["securitySchemes"] = {
        "token": {"type": "http", "scheme": "bearer", "description": "`relayhub token create ROLE NAME` prints one."}
    }
    for methods in made["paths"].values():
        for operation in methods.values():
            for parameter in operation.get("parameters", ()):
                parameter["schema"] = _present(parameter["schema"])
    made["security"] = [{"token": []}]
    app.state.openapi = made
    return made


def _present(schema: dict[str, Any]) -> dict[str, Any]:
    """A parameter that may be left out is no JSON null when it is there."""
    kinds = [kind for kind in schema.get("anyOf", ()) if kind != {"type": "null"}]
    if len(kinds) != 1:
        return schema
    return {**{name: value for name, value in schema.items() if name != "anyOf"}, **kinds[0]}
