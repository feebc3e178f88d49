"""The three calls by which an operator and the hub speak: pull claims, post attestations, say how it stands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import httpx
import orjson
from pydantic import TypeAdapter

from relay.operator.database import Signed
from schemas.primitives import hex0x
from schemas.statement import Statement

TIMEOUT_S = 10.0
BATCH = 250
STATEMENTS_BATCH = 50
ANSWER_MAX_BYTES = 4_000_000

_STATEMENT = TypeAdapter(Statement)


class HubUnreachable(Exception):
    """The hub does not answer, or not as it should; the operator asks again."""


class HubClient:
    """The hub as an operator sees it; connections are kept open and shared by the threads.

    Args:
        url: where the hub's interface is.
        signer: the operator's account.
    """

    def __init__(self, url: str, signer: bytes) -> None:
        self.url = url.rstrip("/")
        self._signer = hex0x(signer)
        self._client = httpx.Client(base_url=self.url, timeout=TIMEOUT_S, trust_env=False)

    def claims(self, after: int, wait_s: float) -> list[Any]:
        """Pull open claims above a cursor, waiting for them up to `wait_s` seconds.

        Raises:
            HubUnreachable: there is no proper answer.
        """
        query = {"after": str(after), "wait": f"{wait_s:g}", "signer": self._signer}
        return self._list(self._ask("GET", "/v1/claims", params=query, timeout=TIMEOUT_S + wait_s), "claims")

    def post(self, signed: Sequence[Signed]) -> list[Any]:
        """Post attestations; one verdict for each.

        Raises:
            HubUnreachable: there is no proper answer.
        """
        verdicts: list[Any] = []
        for start in range(0, len(signed), BATCH):
            items = [self._attestation(item) for item in signed[start : start + BATCH]]
            answer = self._ask("POST", "/v1/attestations", content=orjson.dumps(items))
            verdicts += self._list(answer, "verdicts")
        return verdicts

    def say(self, statements: Sequence[Statement]) -> list[Any]:
        """Say how the operator stands; one verdict for each statement.

        Raises:
            HubUnreachable: there is no proper answer.
        """
        verdicts: list[Any] = []
        for start in range(0, len(statements), STATEMENTS_BATCH):
            items = [_STATEMENT.dump_python(item, mode="json") for item in statements[start : start + STATEMENTS_BATCH]]
            headers = {"content-type": "application/json"}
            answer = self._ask("POST", "/v1/statements", content=orjson.dumps(items), headers=headers)
            verdicts += self._list(answer, "verdicts")
        return verdicts

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _attestation(self, signed: Signed) -> dict[str, Any]:
        claim = {
            "lane_id": hex0x(signed.lane_id),
            "direction": signed.direction,
            "nonce": str(signed.nonce),
            "head": hex0x(signed.head),
            "height": str(signed.height),
            "block_hash": hex0x(signed.block_hash),
        }
        signature = hex0x(signed.signature)
        return {"claim": claim, "epoch": str(signed.epoch), "signer": self._signer, "signature": signature}

    def _ask(self, method: str, path: str, **arguments: Any) -> Any:
        try:
            with self._client.stream(method, path, **arguments) as answer:
                body = bytearray()
                for chunk in answer.iter_bytes():
                    body += chunk
                    if len(body) > ANSWER_MAX_BYTES:
                        raise HubUnreachable(f"{self.url} answers more than {ANSWER_MAX_BYTES} bytes.")
            if answer.status_code != httpx.codes.OK:
                raise HubUnreachable(f"{self.url} answers with status {answer.status_code}.")
            return orjson.loads(body)
        except (httpx.HTTPError, httpx.InvalidURL, orjson.JSONDecodeError) as error:
            raise HubUnreachable(f"{self.url} does not answer properly ({type(error).__name__}).") from error

    def _list(self, answer: Any, name: str) -> list[Any]:
        items = answer.get(name) if isinstance(answer, dict) else None
        if not isinstance(items, list):
            raise HubUnreachable(f"{self.url} answers without {name}.")
        return items
