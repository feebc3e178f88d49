"""How a client speaks to a hub's public interface: reading, changing, lists, contents; each change once, whatever the connection does.

Source: docs/openapi.json.
"""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import TracebackType
from typing import Any, BinaryIO, Self, TypeVar

import httpx

from relay.errors import HubError, NotNow
from relay.web.api.models import Item, Operation

TIMEOUT_S = 30.0
TRIES = 4
LOOK_S = 0.2
WAIT_S = 20.0
PAGE = 500
CHUNK = 1 << 20
SALT_HEADER = "relayhub-salt"
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


class HubCalls:
    """The calls that every method of a client is made of.

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
        return self._done(self.post(path, body), patience_s)

    def remove(self, path: str, patience_s: float = 300.0) -> Any:
        """Ask for something to be removed by an operation; as `change`."""
        return self._done(self.delete(path), patience_s)

    def put(self, path: str, query: Mapping[str, str], content: bytes | BinaryIO, patience_s: float = 300.0) -> Any:
        """Post a content as it is, a stream from where it stands; as `change`."""
        begin = 0 if isinstance(content, bytes) else content.tell()

        def body() -> bytes | Iterator[bytes]:
            if isinstance(content, bytes):
                return content
            content.seek(begin)
            return iter(lambda: content.read(CHUNK), b"")

        headers = _once() | {"content-type": "application/octet-stream"}
        return self._done(self._ask("POST", path, body, params=dict(query), headers=headers), patience_s)

    def _done(self, answer: Any, patience_s: float) -> Any:
        asked = Operation.model_validate(answer)
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

    def delete(self, path: str) -> Any:
        """Ask for something to be removed, as `post`."""
        return self._ask("DELETE", path, headers=_once())

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

    @contextmanager
    def reading(self, path: str, commitment: str) -> Iterator[tuple[bytes, Iterator[bytes]]]:
        """Read a record's salt and content piece by piece; after the last piece both are compared with its id.

        Raises:
            HubRefused: the hub says no, or (RecordDamaged) what came is not the record.
            HubUnreachable: it does not answer, or the connection broke.
        """
        try:
            with self._http.stream("GET", path) as answer:
                if not answer.is_success:
                    answer.read()
                    _content(answer)
                salt = bytes.fromhex(answer.headers.get(SALT_HEADER, "0x")[2:])
                yield salt, _compared(answer.iter_bytes(CHUNK), salt, commitment)
        except httpx.TransportError as error:
            raise self._unreachable(error) from None

    def file(self, path: str) -> bytes | None:
        """A file as it is; None where there is none.

        Raises:
            HubRefused: the hub says no.
            HubUnreachable: it does not answer.
        """
        answer = self._answer("GET", path, None)
        if answer.status_code == httpx.codes.NOT_FOUND:
            return None
        if not answer.is_success:
            _content(answer)
        return answer.content

    def _unreachable(self, error: Exception) -> HubUnreachable:
        return HubUnreachable(
            f"The hub at {self._http.base_url} does not answer: {error or type(error).__name__}.",
            "Check the URL and whether it runs.",
        )

    def _ask(self, method: str, path: str, body: Callable[[], Any] | None = None, **arguments: Any) -> Any:
        return _content(self._answer(method, path, body, **arguments))

    def _answer(self, method: str, path: str, body: Callable[[], Any] | None, **arguments: Any) -> httpx.Response:
        for attempt in range(1, TRIES + 1):
            content = {} if body is None else {"content": body()}
            try:
                answer = self._http.request(method, path, **content, **arguments)
            except (httpx.TransportError, httpx.InvalidURL) as error:
                if attempt == TRIES or not isinstance(error, httpx.TransportError):
                    raise self._unreachable(error) from None
                time.sleep(LOOK_S * attempt)
                continue
            if answer.status_code == httpx.codes.TOO_MANY_REQUESTS and attempt < TRIES:
                time.sleep(min(float(answer.headers.get("retry-after", "1")), WAIT_S))
                continue
            return answer
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


def _compared(pieces: Iterator[bytes], salt: bytes, commitment: str) -> Iterator[bytes]:
    digest = hashlib.sha256(salt)
    for piece in pieces:
        digest.update(piece)
        yield piece
    if digest.hexdigest() != commitment.lower().removeprefix("0x"):
        raise HubRefused(httpx.codes.OK, "RecordDamaged", "What came is not the record: its hash is another one.")


def _once() -> dict[str, str]:
    return {"idempotency-key": secrets.token_hex(16)}


def path_part(text: str) -> str:
    """A part of a path."""
    from urllib.parse import quote

    return quote(text, safe="")


def _trust(authorities: str) -> Any:
    import ssl

    return ssl.create_default_context(cafile=authorities)
