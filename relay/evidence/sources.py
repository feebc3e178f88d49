"""Where a log is read from outside: a folder, or a web server that serves one."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

import httpx

from relay.errors import BadInput, NotFound, NotNow

_TIMEOUT_S = 20.0
_ABSENT = (404, 410)


class TooLarge(Exception):
    """A file has more bytes than one of its kind can have."""


class Source(Protocol):
    """Files of a log by their path under its prefix."""

    name: str

    def fetch(self, path: str, limit: int) -> bytes | None:
        """A file's content; None where there is none.

        Args:
            path: such as ``tile/0/001``.
            limit: bytes that it may have at most.

        Raises:
            TooLarge: it has more.
            NotNow: the server does not answer as one.
        """


class FolderSource:
    """A log's folder on this machine.

    Raises:
        NotFound: there is no such folder.
    """

    def __init__(self, folder: Path) -> None:
        if not folder.is_dir():
            raise NotFound(f"There is no folder {folder}.", "Name the log's folder, or its URL.")
        self.folder = folder
        self.name = str(folder)

    def fetch(self, path: str, limit: int) -> bytes | None:
        """A file's content; None where there is none."""
        try:
            with (self.folder / path).open("rb") as file:
                content = file.read(limit + 1)
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            return None
        except OSError as error:
            raise NotNow(f"{self.folder / path} cannot be read: {error.strerror}.", "Check its permissions.") from None
        if len(content) > limit:
            raise TooLarge
        return content


class HttpSource:
    """A log behind a URL. Redirections are not followed, and no body is read beyond its limit.

    Args:
        url: the log's prefix, http or https.
        client: in tests one with a transport of its own.

    Raises:
        BadInput: it is no such URL.
    """

    def __init__(self, url: str, client: httpx.Client | None = None) -> None:
        try:
            parsed = httpx.URL(url)
        except httpx.InvalidURL:
            parsed = httpx.URL("")
        if parsed.scheme not in ("http", "https") or not parsed.host:
            raise BadInput(f"{url!r} is no URL of a log.", "It begins with https:// and a host.")
        self.name = url.rstrip("/")
        self._client = client or httpx.Client(timeout=_TIMEOUT_S)

    def fetch(self, path: str, limit: int) -> bytes | None:
        """A file's content; None where there is none."""
        try:
            with self._client.stream("GET", f"{self.name}/{path}") as answer:
                if answer.status_code in _ABSENT:
                    return None
                if answer.status_code != httpx.codes.OK:
                    raise NotNow(f"{self.name}/{path} answered {answer.status_code}.", "Ask the log's owner.")
                return _limited(answer, limit)
        except httpx.HTTPError as error:
            raise NotNow(f"{self.name} cannot be read: {error}.", "Check the URL, or try again later.") from None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()


def source_of(place: str) -> FolderSource | HttpSource:
    """The source for a folder or a URL as a person types it."""
    return HttpSource(place) if "://" in place else FolderSource(Path(place))


def _limited(answer: httpx.Response, limit: int) -> bytes:
    content = bytearray()
    for chunk in answer.iter_bytes():
        content += chunk
        if len(content) > limit:
            raise TooLarge
    return bytes(content)
