"""A client of a hub's public interface, for applications and for `relayhub --hub URL`.

    with HubClient("http://127.0.0.1:8080", token) as hub:
        (sent,) = hub.send("alpha", "beta", to="mailbox", text="hello")
        print(hub.follow(sent.message_id).outcome)

Changes are asked for with an Idempotency-Key of their own and asked again when the connection breaks: what was asked once is done once.
Source: docs/openapi.json.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx
from pydantic import BaseModel, ConfigDict

from relay.errors import HubError, NotNow
from relay.web.api.models import (
    Adapter,
    Chain,
    HubStatus,
    Incident,
    Item,
    KeyName,
    Lane,
    Message,
    MessageRow,
    NamedWait,
    NewWebhook,
    Operation,
    Operator,
    Webhook,
)

TIMEOUT_S = 30.0
TRIES = 4
LOOK_S = 0.2
WAIT_S = 20.0
PAGE = 500
T = TypeVar("T", bound=Item)


class HubRefused(HubError):
    """The hub answered with a problem.

    Attributes:
        status: HTTP status.
        name: what programs compare, such as `NotFound`.
    """

    def __init__(self, status: int, name: str, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.name = name


class HubUnreachable(HubError):
    """The hub does not answer."""


class Sent(BaseModel):
    """A message that its source gateway took."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    message_id: str
    lane_id: str
    nonce: int
    transaction: str
    height: int


class HubClient:
    """A hub elsewhere.

    Args:
        url: where its interface listens, `https://host:port`.
        token: `rht_…`; empty where the hub serves everyone.
        timeout_s: seconds for one answer.
        authorities: a file of certificates (PEM) of authorities to trust in place of the usual ones; empty = the usual ones.
        transport: another transport, for tests.
    """

    def __init__(
        self,
        url: str,
        token: str = "",
        *,
        timeout_s: float = TIMEOUT_S,
        authorities: str = "",
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        headers = {"authorization": f"Bearer {token}"} if token else {}
        trust: Any = _trust(authorities) if authorities else True
        self._http = httpx.Client(
            base_url=url, headers=headers, timeout=timeout_s, verify=trust, transport=transport, follow_redirects=False
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the connections back."""
        self._http.close()

    # What stands where

    def status(self) -> HubStatus:
        """The whole state."""
        return HubStatus.model_validate(self.get("/v1/status"))

    def chains(self) -> Iterator[Chain]:
        """Registered ledgers, by name."""
        return self._all(Chain, "/v1/chains")

    def chain(self, name: str) -> Chain:
        """A ledger."""
        return Chain.model_validate(self.get(f"/v1/chains/{path_part(name)}"))

    def lanes(self, **filters: str) -> Iterator[Lane]:
        """Lanes; filters: source, destination, state."""
        return self._all(Lane, "/v1/lanes", filters)

    def lane(self, lane: str) -> Lane:
        """A lane by its id, or 8 digits and more of it."""
        return Lane.model_validate(self.get(f"/v1/lanes/{path_part(lane)}"))

    def messages(self, **filters: str | float) -> Iterator[MessageRow]:
        """Messages; filters: lane, state, outcome, sender, since, until."""
        return self._all(MessageRow, "/v1/messages", filters)

    def trace(self, identifier: str) -> list[Message]:
        """Journeys of messages by any id or transaction hash, or a prefix of one."""
        return list(self._all(Message, f"/v1/messages/{path_part(identifier)}"))

    def operators(self) -> Iterator[Operator]:
        """Operators."""
        return self._all(Operator, "/v1/operators")

    def waits(self) -> Iterator[NamedWait]:
        """What waits, why and for whom."""
        return self._all(NamedWait, "/v1/waits")

    def incidents(self) -> Iterator[Incident]:
        """Freezes and what led to them."""
        return self._all(Incident, "/v1/incidents")

    def keys(self) -> Iterator[KeyName]:
        """Names and addresses of the hub's local keys."""
        return self._all(KeyName, "/v1/keys")

    def adapters(self) -> Iterator[Adapter]:
        """Installed adapters."""
        return self._all(Adapter, "/v1/adapters")

    # What changes something

    def send(
        self,
        source: str,
        destination: str,
        *,
        to: str,
        text: str | None = None,
        patience_s: float = 300.0,
        **options: Any,
    ) -> list[Sent]:
        """Send a message from a local key of the hub.

        Args:
            source: the ledger that sends.
            destination: the ledger that receives.
            to: the receiver: `0x…`, or `mailbox`.
            text: a text; or give `hex` or `call`.
            patience_s: seconds to wait until the source has it in a block.
            **options: hex, call, channel, expires_in_s, gas_limit, callback_gas, key, count.
        """
        body = {"source": source, "destination": destination, "to": to, "text": text, **options}
        given = {name: value for name, value in body.items() if value is not None}
        return [Sent.model_validate(item) for item in self.change("/v1/messages", given, patience_s)]

    def follow(self, message_id: str, patience_s: float = 300.0) -> Message:
        """Wait until a message is settled.

        Raises:
            NotNow: it is not in time; the error says what it waits for.
        """
        deadline = time.monotonic() + patience_s
        found: list[Message] = []
        while True:
            try:
                found = self.trace(message_id)
            except HubRefused as error:
                if error.status != httpx.codes.NOT_FOUND:
                    raise
            if found and found[0].stage == "settled":
                return found[0]
            if time.monotonic() >= deadline:
                break
            time.sleep(LOOK_S)
        waits = "; ".join(f"{wait.code} for {wait.party}" for wait in (found[0].waits if found else []))
        stage = found[0].stage if found else "sent, not seen by the hub"
        raise NotNow(
            f"After {patience_s:.0f} s the message is {stage}; it waits for {waits or 'nothing that is known'}.",
            f"Look again: relayhub trace {message_id[:14]}.",
        )

    def change(self, path: str, body: Mapping[str, Any] | None = None, patience_s: float = 300.0) -> Any:
        """Ask for a change, wait until it is done, and return its result.

        Args:
            path: of the interface, such as `/v1/lanes`.
            body: the fields; None where it takes none.
            patience_s: seconds to wait.

        Raises:
            HubRefused: it was refused, or failed.
            NotNow: it runs still.
        """
        asked = Operation.model_validate(self.post(path, body))
        deadline = time.monotonic() + patience_s
        while asked.state == "running":
            left_s = deadline - time.monotonic()
            if left_s <= 0:
                raise NotNow(
                    f"After {patience_s:.0f} s {asked.kind} runs still.", f"Look again: GET /v1/operations/{asked.id}."
                )
            wait = f"{min(left_s, WAIT_S):.1f}"
            asked = Operation.model_validate(self.get(f"/v1/operations/{asked.id}", {"wait": wait}))
        if asked.error is not None:
            raise HubRefused(httpx.codes.CONFLICT, asked.error.name, asked.error.text)
        return asked.result

    def add_webhook(self, url: str, **filters: str) -> NewWebhook:
        """Be told of messages at an URL; filters: lane_id, sender. The answer has the secret, this once."""
        return NewWebhook.model_validate(self.post("/v1/webhooks", {"url": url, **filters}))

    def webhooks(self) -> Iterator[Webhook]:
        """Own webhooks."""
        return self._all(Webhook, "/v1/webhooks")

    def remove_webhook(self, identifier: str) -> None:
        """Be told no more."""
        self._ask("DELETE", f"/v1/webhooks/{path_part(identifier)}", headers=_once())

    # The two verbs

    def get(self, path: str, query: Mapping[str, str | float] | None = None) -> Any:
        """Read one answer.

        Raises:
            HubRefused: the hub says no.
            HubUnreachable: it does not answer.
        """
        return self._ask("GET", path, params=dict(query or {}))

    def post(self, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """Ask for a change, again with the same Idempotency-Key where the connection breaks.

        Raises:
            HubRefused: the hub says no.
            HubUnreachable: it does not answer.
        """
        return self._ask("POST", path, json=None if body is None else dict(body), headers=_once())

    def items(self, path: str, query: Mapping[str, str | float] | None = None) -> Iterator[dict[str, Any]]:
        """Every item of a list, page by page."""
        asked: dict[str, str | float] = {**(query or {}), "limit": PAGE}
        while True:
            page = self.get(path, asked)
            yield from page["items"]
            if page["next_cursor"] is None:
                return
            asked["cursor"] = page["next_cursor"]

    def _all(self, model: type[T], path: str, query: Mapping[str, str | float] | None = None) -> Iterator[T]:
        return (model.model_validate(item) for item in self.items(path, query))

    def _ask(self, method: str, path: str, **arguments: Any) -> Any:
        for attempt in range(1, TRIES + 1):
            try:
                answer = self._http.request(method, path, **arguments)
            except (httpx.TransportError, httpx.InvalidURL) as error:
                if attempt == TRIES or not isinstance(error, httpx.TransportError):
                    raise HubUnreachable(
                        f"The hub at {self._http.base_url} does not answer: {error or type(error).__name__}.",
                        "Check the URL and whether it runs.",
                    ) from None
                time.sleep(LOOK_S * attempt)
                continue
            if answer.status_code == httpx.codes.TOO_MANY_REQUESTS and attempt < TRIES:
                time.sleep(min(float(answer.headers.get("retry-after", "1")), WAIT_S))
                continue
            return _content(answer)
        raise AssertionError("unreachable")


def _content(answer: httpx.Response) -> Any:
    try:
        content = answer.json()
    except ValueError:
        content = None
    if answer.is_success and content is not None:
        return content
    if isinstance(content, dict) and "detail" in content:
        raise HubRefused(answer.status_code, str(content.get("title", "Refused")), str(content["detail"]))
    raise HubUnreachable(
        f"{answer.url.host} answered {answer.status_code} and is no hub, or something stands between.", "Check the URL."
    )


def _once() -> dict[str, str]:
    return {"idempotency-key": secrets.token_hex(16)}


def path_part(text: str) -> str:
    """A part of a path."""
    from urllib.parse import quote

    return quote(text, safe="")


def _trust(authorities: str) -> Any:
    import ssl

    return ssl.create_default_context(cafile=authorities)
