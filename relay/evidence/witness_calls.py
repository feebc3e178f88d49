"""One call from the hub to a witness: `add-checkpoint` (C2SP tlog-witness), and what each answer means.

A witness is believed in one thing: a signature line that verifies by its key. Whatever else it says is at most a reason to look.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import httpx

from light_clients.proofs.notes import MAXIMUM_NOTE_SIZE
from relay.errors import BadInput
from relay.evidence.cosignatures import CosignatureKey, add_cosignature
from relay.evidence.standings import AHEAD, CONTRADICTS, REFUSED, RUBBISH, UNREACHABLE
from relay.witness.requests import PATH, SIZE_TYPE, encode, read_size

TIMEOUT_S = 5.0
"""Seconds for a connection, and between two pieces of an answer."""
PATIENCE_S = 10.0
"""Seconds that a whole answer may take."""


class NoCosignature(Exception):
    """The witness did not cosign.

    Attributes:
        code: why, one of `relay.evidence.standings`.
        text: a sentence.
    """

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code, self.text = code, text


class Moved(Exception):
    """The witness cosigned a newer checkpoint already; the next one will do.

    Attributes:
        size: its leaves.
    """

    def __init__(self, size: int) -> None:
        super().__init__(size)
        self.size = size


class WitnessCaller:
    """A witness as the hub sees it; one call at a time.

    Args:
        key: its public key.
        url: the prefix of its calls.
        client: in tests one with a transport of its own.
    """

    def __init__(self, key: CosignatureKey, url: str, client: httpx.Client | None = None) -> None:
        self.key = key
        self._url = f"{url}/{PATH}"
        self._client = client or httpx.Client(timeout=TIMEOUT_S, trust_env=False)

    def ask(self, note: bytes, size: int, old: int, prove: Callable[[int, int], list[bytes]], newest: int) -> str:
        """Ask for a cosignature.

        Args:
            note: the checkpoint.
            size: its leaves.
            old: what the witness is thought to have cosigned last, 0 = nothing.
            prove: makes a consistency proof from one size to another.
            newest: leaves of the log's newest checkpoint.

        Returns:
            The signature line; it verifies by the witness's key.

        Raises:
            NoCosignature: there is none, and why.
            Moved: the witness is beyond this checkpoint.
        """
        said = self._asked(note, size, old, prove, newest)
        if isinstance(said, int):  # it cosigned another size last: once more, from there
            again = self._asked(note, size, said, prove, newest)
            if isinstance(again, int):
                raise NoCosignature(RUBBISH, f"It names {said} leaves as cosigned last, and then {again}.")
            said = again
        return said

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def _asked(
        self, note: bytes, size: int, old: int, prove: Callable[[int, int], list[bytes]], newest: int
    ) -> str | int:
        """The signature line, or the size from which the witness wants a proof."""
        status, kind, body = self._post(encode(old, prove(old, size), note))
        if status == httpx.codes.CONFLICT:
            return self._other_size(kind, body, size, old, newest)
        if status == httpx.codes.UNPROCESSABLE_ENTITY:
            raise NoCosignature(
                CONTRADICTS,
                f"It says that {size} leaves do not continue the {old} that it cosigned: a fork, or it lies.",
            )
        if status != httpx.codes.OK:
            raise NoCosignature(REFUSED, f"It answers {status}; it may lack the log's key, or have another.")
        return self._line(note, body)

    def _other_size(self, kind: str, body: bytes, size: int, old: int, newest: int) -> int:
        said = read_size(body) if kind.partition(";")[0].strip() == SIZE_TYPE else None
        if said is None:
            raise NoCosignature(RUBBISH, "It names no size where it should.")
        if said == old == size:
            raise NoCosignature(
                CONTRADICTS, f"It says that it cosigned another checkpoint of {size} leaves: a fork, or it lies."
            )
        if said > newest:
            raise NoCosignature(
                AHEAD,
                f"It says that it cosigned {said} leaves, and the log has {newest}: leaves were lost, or it lies.",
            )
        if said > size:
            raise Moved(said)
        if said == old:
            raise NoCosignature(RUBBISH, f"It wants a proof from {old} leaves, and got it.")
        return said

    def _line(self, note: bytes, body: bytes) -> str:
        """The witness's own line among those of the answer."""
        for line in body.decode(errors="replace").split("\n"):
            try:
                add_cosignature(note, line, [self.key])
            except BadInput:
                continue
            return line + "\n"
        raise NoCosignature(RUBBISH, "Its answer has no cosignature of the checkpoint by its key.")

    def _post(self, body: bytes) -> tuple[int, str, bytes]:
        deadline = time.monotonic() + PATIENCE_S
        content = bytearray()
        try:
            with self._client.stream("POST", self._url, content=body) as answer:
                for chunk in answer.iter_bytes():
                    content += chunk
                    if len(content) > MAXIMUM_NOTE_SIZE or time.monotonic() > deadline:
                        raise NoCosignature(RUBBISH, "Its answer is too long, or does not end.")
                return answer.status_code, answer.headers.get("content-type", ""), bytes(content)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise NoCosignature(UNREACHABLE, f"It does not answer ({type(error).__name__}).") from None


def callers(roll: Sequence[tuple[str, str]]) -> list[WitnessCaller]:
    """The witnesses of a roll of keys and URLs."""
    return [WitnessCaller(CosignatureKey.parse(key), url) for key, url in roll]
