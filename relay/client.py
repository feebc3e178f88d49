"""A client of a hub's public interface, for applications and for `relayhub --hub URL`.

    with HubClient("http://127.0.0.1:8080", token) as hub:
        (sent,) = hub.send("alpha", "beta", to="mailbox", text="hello")
        print(hub.follow(sent.message_id).outcome)

Changes are asked for with an Idempotency-Key of their own and asked again when the connection breaks: what was asked once is done once.
Source: docs/openapi.json.
"""

from __future__ import annotations

import base64
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

import httpx
from pydantic import BaseModel, ConfigDict

from relay.errors import NotNow
from relay.hub_calls import LOOK_S, HubCalls, HubRefused, HubUnreachable, path_part
from relay.web.api.evidence_models import RecordRow
from relay.web.api.models import (
    Adapter,
    Alarm,
    Chain,
    HubStatus,
    Incident,
    KeyName,
    Lane,
    Message,
    MessageRow,
    NamedWait,
    Operator,
)
from relay.web.api.webhook_models import NewWebhook, Webhook

__all__ = ["HubClient", "HubRefused", "HubUnreachable", "Sent", "path_part"]


class Sent(BaseModel):
    """A message that its source gateway took."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    message_id: str
    lane_id: str
    nonce: int
    transaction: str
    height: int


class HubClient(HubCalls):
    """A hub elsewhere; the arguments are those of `HubCalls`."""

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

    def alarms(self) -> Iterator[Alarm]:
        """What somebody has to do something about, freezes first; `/v1/reasons/{code}` explains each code."""
        return self._all(Alarm, "/v1/alarms")

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
            text: a text; or give `hex`, `call` or `record`.
            patience_s: seconds to wait until the source has it in a block.
            **options: hex, call, record, channel, expires_in_s, gas_limit, callback_gas, key, count.
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

    def add_webhook(self, url: str, **filters: str) -> NewWebhook:
        """Be told of messages at an URL; filters: lane_id, sender. The answer has the secret, this once."""
        return NewWebhook.model_validate(self.post("/v1/webhooks", {"url": url, **filters}))

    def webhooks(self) -> Iterator[Webhook]:
        """Own webhooks."""
        return self._all(Webhook, "/v1/webhooks")

    def remove_webhook(self, identifier: str) -> None:
        """Be told no more."""
        self.delete(f"/v1/webhooks/{path_part(identifier)}")

    def receipt(self, identifier: str, *, partial: bool = False) -> dict[str, Any]:
        """The receipt of a message, by any id or transaction hash, or a prefix of one; with `partial` also of one that is not settled."""
        query = {"partial": "yes" if partial else "no"}
        found: dict[str, Any] = self.get(f"/v1/evidence/receipts/{path_part(identifier.lower())}", query)
        return found

    # Records

    def records(self, **filters: str) -> Iterator[RecordRow]:
        """Records that the token may read, the newest first; filter: organisation."""
        return self._all(RecordRow, "/v1/records", filters)

    def record(self, identifier: str) -> RecordRow:
        """A record by its id, or 8 digits and more of it."""
        return RecordRow.model_validate(self.get(f"/v1/records/{path_part(identifier)}"))

    def put_records(
        self, contents: Iterable[tuple[str, bytes]], *, readers: str = "", organisation: str = ""
    ) -> list[str]:
        """Put a batch, each with its name; returns their ids. A batch has at most 500 and 1 MB; larger ones: `put_content`.

        Args:
            contents: names (may be empty) and contents.
            readers: who else reads: `ORG,ORG`, `role:auditor` or `public`.
            organisation: whose they are; empty = the token's.
        """
        records = [{"name": name, "base64": base64.b64encode(content).decode()} for name, content in contents]
        body = {"records": records, "readers": readers, "organisation": organisation}
        return [str(item["id"]) for item in self.change("/v1/records", body)]

    def put_content(
        self, content: bytes | BinaryIO, *, name: str = "", readers: str = "", organisation: str = ""
    ) -> str:
        """Put one record of any size up to 256 MiB, a file that can be rewound or bytes; returns its id."""
        query = {"name": name, "readers": readers, "organisation": organisation}
        (made,) = self.put("/v1/records/content", {key: value for key, value in query.items() if value}, content)
        return str(made["id"])

    @contextmanager
    def content(self, identifier: str) -> Iterator[tuple[bytes, Iterator[bytes]]]:
        """A record's salt and content, piece by piece; compared with its id after the last piece."""
        whole = self.record(identifier).id
        with self.reading(f"/v1/records/{path_part(whole)}/content", whole) as given:
            yield given

    def prove_record(self, identifier: str, *, salt: bool = False) -> dict[str, Any]:
        """A proof that a record stands in the log; with the salt for those who may read."""
        found: dict[str, Any] = self.get(
            f"/v1/records/{path_part(identifier)}/proof", {"salt": "yes" if salt else "no"}
        )
        return found

    def erase_record(self, identifier: str) -> None:
        """Erase a record's content for good, as its owner."""
        self.remove(f"/v1/records/{path_part(identifier)}")
