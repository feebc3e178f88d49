"""Changes that a caller asks for: each once under its Idempotency-Key, each with a note for the evidence log.

A key is kept for a day with the hash of the request and the answer. The same request under it gets the same answer, whatever became
of the connection; another request under it is refused. What takes longer than an answer is an *operation*: it is written down in the
transaction that keeps the answer, then done by one of a few threads. A hub that was stopped in the middle says so.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Semaphore
from typing import Any

import orjson
import structlog
from fastapi import Request, Response
from sqlalchemy import Connection, Row, delete, insert, select, update

from relay.cli.failures import describe, one_line
from relay.evidence.outbox import note
from relay.store import Store
from relay.store.tables import api_answers, operations
from relay.store.upsert import upsert
from relay.web.access import Caller
from relay.web.problems import Problem

log = structlog.get_logger("relay.web")

KEPT_S = 86_400.0
KEY_MAX = 255
WORKERS = 4
WAITING_MAX = 32
REPLAYED = "idempotency-replayed"
"""Header of an answer that was given before."""
LEAF = "request"
"""Kind of leaf: caller's id, its roles, what, the id of what it made, and asked, done or failed."""

Answer = tuple[int, Any, dict[str, str]]


class Changes:
    """Makes changes of one process.

    Args:
        store: the hub's database.
        clock: Unix seconds.
    """

    def __init__(self, store: Store, clock: Callable[[], float]) -> None:
        self._store = store
        self._clock = clock
        self._pool = ThreadPoolExecutor(WORKERS, thread_name_prefix="operation")
        self._room = Semaphore(WORKERS + WAITING_MAX)

    def recover(self) -> None:
        """Say of every operation that an earlier process left that it was interrupted."""
        error = {
            "name": "Interrupted",
            "text": "The hub was stopped meanwhile. Look whether it took effect, then ask again.",
        }
        with self._store.write() as connection:
            connection.execute(
                update(operations)
                .where(operations.c.state == "running")
                .values(state="failed", error=error, finished_at=self._clock())
            )

    def at_once(self, request: Request, what: str, act: Callable[[Connection], Answer]) -> Response:
        """Make a change within the answer's own transaction.

        Args:
            request: who asks what; its route has named the caller.
            what: names the change in the evidence log.
            act: makes the change; returns status, body and headers.

        Raises:
            Problem: the Idempotency-Key was used for another request.
        """
        caller, key, digest = _asked(request)
        with self._store.write() as connection:
            known = self._known(connection, caller, key, digest)
            if known is not None:
                return known
            status, body, headers = act(connection)
            _note(connection, caller, what, str(body.get("id", "")) if isinstance(body, dict) else "", "done")
            return self._keep(connection, caller, key, digest, (status, body, headers))

    def operation(self, request: Request, kind: str, work: Callable[[], Any]) -> Response:
        """Write an operation down, answer 202, and do it in a thread.

        Args:
            request: who asks what.
            kind: names it, such as `chain.add`.
            work: does it; returns what the command line prints with --json.

        Raises:
            Problem: the Idempotency-Key was used for another request, or too many operations wait.
        """
        caller, key, digest = _asked(request)
        if not self._room.acquire(blocking=False):
            text = "Too many operations wait; ask again in 5 s."
            raise Problem(429, "TooManyOperations", text, {"retry-after": "5"})
        try:
            identifier = f"op_{secrets.token_hex(12)}"
            with self._store.write() as connection:
                known = self._known(connection, caller, key, digest)
                if known is None:
                    answer = self._write_down(connection, identifier, kind, caller)
                    made = self._keep(connection, caller, key, digest, answer)
        except BaseException:
            self._room.release()
            raise
        if known is not None:
            self._room.release()
            return known
        self._pool.submit(self._do, identifier, caller, kind, work)
        return made

    def close(self) -> None:
        """Begin nothing more; what runs is left to its end."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _write_down(self, connection: Connection, identifier: str, kind: str, caller: Caller) -> Answer:
        row = {"id": identifier, "kind": kind, "state": "running", "created_at": self._clock(), "finished_at": 0.0}
        connection.execute(insert(operations).values(**row, caller=caller.id))
        _note(connection, caller, kind, identifier, "asked")
        return 202, row | {"result": None, "error": None}, {"location": f"/v1/operations/{identifier}"}

    def _do(self, identifier: str, caller: Caller, kind: str, work: Callable[[], Any]) -> None:
        values: dict[str, Any]
        try:
            values = {"state": "done", "result": orjson.loads(orjson.dumps(work(), default=_plain))}
        except Exception as error:  # noqa: BLE001 - whatever it is, whoever asked is told
            name, message, next_step = describe(error, None)
            values = {"state": "failed", "error": {"name": name, "text": one_line(f"{message} {next_step}")[:1000]}}
        try:
            with self._store.write() as connection:
                connection.execute(
                    update(operations).where(operations.c.id == identifier).values(**values, finished_at=self._clock())
                )
                _note(connection, caller, kind, identifier, values["state"])
        except Exception as error:  # noqa: BLE001 - the next start says that it was interrupted
            log.warning("operation not written", id=identifier, error=type(error).__name__)
        finally:
            self._room.release()

    def _known(self, connection: Connection, caller: Caller, key: str | None, digest: bytes) -> Response | None:
        if key is None:
            return None
        oldest = self._clock() - KEPT_S
        connection.execute(delete(api_answers).where(api_answers.c.at < oldest))
        where = (api_answers.c.caller == caller.id, api_answers.c.key == key)
        row = connection.execute(select(api_answers).where(*where)).one_or_none()
        if row is None:
            return None
        if bytes(row.request) != digest:
            text = "This Idempotency-Key was used for another request; take a new one for each change."
            raise Problem(409, "IdempotencyKeyReused", text)
        headers = {**row.headers, REPLAYED: "true"}
        return Response(bytes(row.body), row.status, headers, media_type="application/json")

    def _keep(self, connection: Connection, caller: Caller, key: str | None, digest: bytes, answer: Answer) -> Response:
        status, body, headers = answer
        content = orjson.dumps(body, default=_plain)
        if key is not None:
            kept = {"request": digest, "status": status, "headers": headers, "body": content, "at": self._clock()}
            upsert(connection, api_answers, {"caller": caller.id, "key": key}, kept)
        return Response(content, status, headers, media_type="application/json")


def operation_shown(row: Row[Any]) -> dict[str, Any]:
    """An operation ready for JSON."""
    names = ("id", "kind", "state", "result", "error", "created_at", "finished_at")
    return {name: getattr(row, name) for name in names}


def find_operation(store: Store, identifier: str) -> Row[Any] | None:
    """An operation's row."""
    with store.read() as connection:
        return connection.execute(select(operations).where(operations.c.id == identifier)).one_or_none()


def _asked(request: Request) -> tuple[Caller, str | None, bytes]:
    caller: Caller = request.state.caller
    return caller, request.headers.get("idempotency-key"), request.state.request_digest


def _note(connection: Connection, caller: Caller, what: str, made: str, state: str) -> None:
    note(connection, LEAF, [caller.id, "+".join(sorted(caller.roles)), what, made, state])


def _plain(value: Any) -> Any:
    return "0x" + bytes(value).hex() if isinstance(value, bytes | memoryview) else str(value)
