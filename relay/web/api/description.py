"""`python -m relay.web.api.description > docs/openapi.json`: the description of the public interface."""

from __future__ import annotations

import json
import sys
from typing import Any

from fastapi import FastAPI

from relay.web.api.routes import describe, include


def description() -> dict[str, Any]:
    """The OpenAPI description, made without a hub."""
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    include(app)
    return describe(app)


def text() -> str:
    """The same as the file that is kept."""
    return json.dumps(description(), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.stdout.write(text())
