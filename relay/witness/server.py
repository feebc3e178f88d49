"""The interface of a witness: `POST add-checkpoint` and nothing else (C2SP tlog-witness, section add-checkpoint).

| answer | when |
| --- | --- |
| 200 | the checkpoint is cosigned: the signature line |
| 400 | the body is no request, or the old size is above the checkpoint's |
| 403 | no key of the log signed it |
| 404 | the log is unknown, or there is no such path |
| 408, 413 | the body takes too long, or is too large |
| 409 | the proof begins elsewhere, or the log forked: the size that is cosigned, as `text/x.tlog.size` |
| 422 | the proof does not hold |
| 500 | the memory cannot be read or written: nothing is cosigned |
"""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import closing
from typing import Any

import structlog
import uvicorn

from light_clients.errors import LightClientError, ProofRefused, SignatureInvalid
from light_clients.proofs.notes import NoteUnsigned
from relay.crash import crash_point
from relay.errors import BadInput, HubError, NotFound, NotNow
from relay.witness.configuration import WitnessConfig, open_witness
from relay.witness.requests import MAXIMUM_BODY, PATH, SIZE_TYPE, decode
from relay.witness.witness import Forked, OldSizeWrong, Witness

log = structlog.get_logger()

BODY_S = 10.0
"""Seconds that a body may take."""
CONNECTIONS = 100
KEEP_ALIVE_S = 75
BACKLOG = 128
TEXT = "text/plain; charset=utf-8"

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class _Answer(Exception):
    """What is answered in place of a cosignature."""

    def __init__(self, status: int, text: str, kind: str = TEXT) -> None:
        super().__init__(text)
        self.status, self.text, self.kind = status, text, kind


class Application:
    """The ASGI application of a witness.

    Args:
        witness: who decides; its memory's lock serves one request at a time.
        clock: Unix seconds.
    """

    def __init__(self, witness: Witness, clock: Callable[[], float] = time.time) -> None:
        self._witness = witness
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["path"] != f"/{PATH}":
            answer = _Answer(404, "There is add-checkpoint and nothing else.\n")
        elif scope["method"] != "POST":
            answer = _Answer(405, "Send a checkpoint: POST.\n")
        else:
            try:
                body = await _body(receive)
                answer = _Answer(200, await asyncio.to_thread(self.answer, body))
            except _Answer as refusal:
                answer = refusal
        content = answer.text.encode()
        headers = [(b"content-type", answer.kind.encode()), (b"content-length", str(len(content)).encode())]
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await send({"type": "http.response.body", "body": content})

    def answer(self, body: bytes) -> str:
        """The signature line for a request's body.

        Raises:
            _Answer: there is none; the module's table says what instead.
        """
        try:
            asked = decode(body)
            line = self._witness.cosign(asked.note, asked.proof, self._clock(), asked.old)
        except OldSizeWrong as error:
            raise _Answer(409, f"{error.size}\n", SIZE_TYPE) from None
        except Forked as error:
            log.warning("witness_fork", error=str(error))
            raise _Answer(409, f"{error.size}\n", SIZE_TYPE) from None
        except NotFound as error:
            raise _Answer(404, f"{error}\n") from None
        except (NoteUnsigned, SignatureInvalid) as error:
            raise _Answer(403, f"{error.message}\n") from None
        except ProofRefused as error:
            log.warning("witness_unproven", error=error.message)
            raise _Answer(422, f"{error.message}\n") from None
        except LightClientError as error:
            raise _Answer(400, f"{error.message}\n") from None
        except BadInput as error:
            raise _Answer(400, f"{error}\n") from None
        except (HubError, OSError) as error:
            log.warning("witness_cannot_remember", error=str(error))
            raise _Answer(500, "The witness cannot write what it would cosign.\n") from None
        crash_point("witness.before_answer")
        return line


async def _body(receive: Receive) -> bytes:
    try:
        async with asyncio.timeout(BODY_S):
            return await _whole(receive)
    except TimeoutError:
        raise _Answer(408, "The body takes too long.\n") from None


async def _whole(receive: Receive) -> bytes:
    body = bytearray()
    while True:
        part = await receive()
        if part["type"] == "http.disconnect":
            raise _Answer(400, "The body ends early.\n")
        body += part.get("body", b"")
        if len(body) > MAXIMUM_BODY:
            raise _Answer(413, f"A request has at most {MAXIMUM_BODY} bytes.\n")
        if not part.get("more_body", False):
            return bytes(body)


def serve(config: WitnessConfig) -> None:
    """Serve a witness until the process is asked to stop.

    Raises:
        BadInput: its key cannot be used.
        MemoryLost: its memory is gone or damaged.
        NotFound: its key is gone.
        NotNow: the port is taken.
    """
    witness = open_witness(config)
    with closing(_listen(config.host, config.port)) as listener:
        tls = {}
        if config.tls_certificate:
            tls = {"ssl_certfile": str(config.tls_certificate), "ssl_keyfile": str(config.tls_key)}
        settings = uvicorn.Config(
            Application(witness),
            log_level="warning",
            access_log=False,
            timeout_keep_alive=KEEP_ALIVE_S,
            timeout_graceful_shutdown=1,
            limit_concurrency=CONNECTIONS,
            lifespan="off",
            ws="none",
            proxy_headers=False,
            server_header=False,
            **tls,  # type: ignore[arg-type]
        )
        log.info("witness_started", url=config.url, key=witness.key.text, logs=witness.origins)
        uvicorn.Server(settings).run(sockets=[listener])


def _listen(host: str, port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise NotNow(f"Port {port} on {host} cannot be listened on: {error}.", "Choose another port.") from None
    return listener
