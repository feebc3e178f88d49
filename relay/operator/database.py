"""What an operator must not forget, in a small SQLite file of its own.

    ledgers      the light client's state, its newest headers (`relay.trail`), up to which block the gateway was read
    openings     lanes that a gateway opened, as it said
    committees   (ledger, lane) → the contract that checks signatures for its end there, empty where nobody signs
    proved       (lane, direction, height) → entries, head and block that were proved, on ledgers that prove no state
    checkpoints  (lane, direction) → entries, head, and the block from which to read on after a restart
    signed       (lane, direction, nonce) → the one head that was ever signed there, and the newest signature

A signature leaves the process only after its row is on the disk. The one head of a (lane, direction, nonce) is guarded by
the key of the table itself: two processes on one file cannot sign two heads either.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

from adapters.protocol import LaneOpened, Position
from relay.errors import BadInput
from relay.observer import Proved
from schemas.claim import Direction
from schemas.primitives import BlockHash, ChainWord, Head, LaneId

SCHEMA = """
CREATE TABLE IF NOT EXISTS ledgers (
    ledger BLOB PRIMARY KEY, state BLOB NOT NULL, header BLOB NOT NULL, observed INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS openings (
    ledger BLOB NOT NULL, lane_id BLOB NOT NULL, lane_end INTEGER NOT NULL, hub TEXT NOT NULL, source BLOB NOT NULL,
    source_gateway BLOB NOT NULL, destination BLOB NOT NULL, destination_gateway BLOB NOT NULL, channel TEXT NOT NULL,
    verifier BLOB NOT NULL, peer_code_hash BLOB NOT NULL, height INTEGER NOT NULL, block_hash BLOB NOT NULL,
    PRIMARY KEY (ledger, lane_id)
) STRICT;
CREATE TABLE IF NOT EXISTS committees (
    ledger BLOB NOT NULL, lane_id BLOB NOT NULL, committee BLOB NOT NULL, PRIMARY KEY (ledger, lane_id)
) STRICT;
CREATE TABLE IF NOT EXISTS proved (
    ledger BLOB NOT NULL, lane_id BLOB NOT NULL, direction INTEGER NOT NULL, height INTEGER NOT NULL, block_hash BLOB NOT NULL,
    nonce INTEGER NOT NULL, head BLOB NOT NULL, PRIMARY KEY (ledger, lane_id, direction, height)
) STRICT;
CREATE TABLE IF NOT EXISTS checkpoints (
    ledger BLOB NOT NULL, lane_id BLOB NOT NULL, direction INTEGER NOT NULL, nonce INTEGER NOT NULL, head BLOB NOT NULL,
    height INTEGER NOT NULL, PRIMARY KEY (ledger, lane_id, direction)
) STRICT;
CREATE TABLE IF NOT EXISTS signed (
    lane_id BLOB NOT NULL, direction INTEGER NOT NULL, nonce INTEGER NOT NULL, head BLOB NOT NULL, digest BLOB NOT NULL,
    epoch INTEGER NOT NULL, height INTEGER NOT NULL, block_hash BLOB NOT NULL, signature BLOB NOT NULL,
    PRIMARY KEY (lane_id, direction, nonce)
) STRICT, WITHOUT ROWID;
"""

SIGN = """
INSERT INTO signed VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (lane_id, direction, nonce) DO UPDATE SET
    digest = excluded.digest, epoch = excluded.epoch, height = excluded.height, block_hash = excluded.block_hash,
    signature = excluded.signature
WHERE head = excluded.head
"""


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """What is remembered of a ledger."""

    state: bytes
    header: bytes
    observed: int


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Where a history goes on after a restart."""

    lane_id: LaneId
    direction: Direction
    nonce: int
    head: Head
    height: int


@dataclass(frozen=True, slots=True)
class Signed:
    """A signature with what it says."""

    lane_id: bytes
    direction: int
    nonce: int
    head: bytes
    digest: bytes
    epoch: int
    height: int
    block_hash: bytes
    signature: bytes


class OperatorDatabase:
    """The file, shared by the followers' threads.

    Args:
        path: the SQLite file; made where there is none.

    Raises:
        BadInput: it cannot be opened, or is no database.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._connection = sqlite3.connect(path, timeout=10, isolation_level=None, check_same_thread=False)
            path.chmod(0o600)
            for pragma in ("journal_mode=WAL", "synchronous=FULL"):
                self._connection.execute(f"PRAGMA {pragma}").close()
            self._connection.executescript(SCHEMA)
        except (OSError, sqlite3.Error) as error:
            raise BadInput(
                f"The operator's database {path} cannot be opened: {error}.",
                "Check the path, its permissions and the disk.",
            ) from error

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()

    def ledger(self, ledger: bytes) -> LedgerRow | None:
        """What is remembered of a ledger."""
        with self._lock:
            row = self._connection.execute("SELECT state, header, observed FROM ledgers WHERE ledger = ?", (ledger,))
            found = row.fetchone()
        return None if found is None else LedgerRow(*found)

    def openings(self, ledger: bytes) -> list[LaneOpened]:
        """The lanes that the gateway of a ledger opened."""
        with self._lock:
            rows = self._connection.execute(
                "SELECT lane_id, lane_end, hub, source, source_gateway, destination, destination_gateway, channel, verifier,"
                " peer_code_hash, height, block_hash FROM openings WHERE ledger = ?",
                (ledger,),
            ).fetchall()
        return [_opening(row) for row in rows]

    def checkpoints(self, ledger: bytes) -> list[Checkpoint]:
        """Where the histories of a ledger go on."""
        with self._lock:
            rows = self._connection.execute(
                "SELECT lane_id, direction, nonce, head, height FROM checkpoints WHERE ledger = ?", (ledger,)
            ).fetchall()
        return [Checkpoint(LaneId(row[0]), Direction(row[1]), row[2], Head(row[3]), row[4]) for row in rows]

    def proved(self, ledger: bytes) -> dict[tuple[LaneId, int], list[Proved]]:
        """What was proved of each history, oldest first, on a ledger that proves no state."""
        with self._lock:
            rows = self._connection.execute(
                "SELECT lane_id, direction, nonce, head, height, block_hash FROM proved WHERE ledger = ? ORDER BY height",
                (ledger,),
            ).fetchall()
        found: dict[tuple[LaneId, int], list[Proved]] = {}
        for lane_id, direction, nonce, head, height, block_hash in rows:
            proof = Proved(nonce, Head(head), height, BlockHash(block_hash))
            found.setdefault((LaneId(lane_id), direction), []).append(proof)
        return found

    def signed(self, keys: Iterable[tuple[bytes, int, int]]) -> dict[tuple[bytes, int, int], Signed]:
        """What was signed for each (lane, direction, nonce)."""
        found = {}
        with self._lock:
            for key in keys:
                row = self._connection.execute(
                    "SELECT * FROM signed WHERE lane_id = ? AND direction = ? AND nonce = ?", key
                ).fetchone()
                if row is not None:
                    found[key] = Signed(*row)
        return found

    def save_look(
        self,
        ledger: bytes,
        row: LedgerRow,
        opened: Sequence[LaneOpened],
        proved: Mapping[tuple[LaneId, int], Sequence[Proved]],
    ) -> None:
        """Remember how far a ledger was followed, the lanes that it opened, and all proofs of the histories that are given."""
        with self._lock, self._connection:
            self._connection.execute("BEGIN IMMEDIATE")
            self._connection.executemany(
                "INSERT OR REPLACE INTO openings VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [_opening_row(ledger, item) for item in opened],
            )
            for (lane_id, direction), proofs in proved.items():
                mine = (ledger, bytes(lane_id), direction)
                self._connection.execute("DELETE FROM proved WHERE ledger = ? AND lane_id = ? AND direction = ?", mine)
                self._connection.executemany(
                    "INSERT INTO proved VALUES (?, ?, ?, ?, ?, ?, ?)",
                    [(*mine, item.height, bytes(item.block_hash), item.nonce, bytes(item.head)) for item in proofs],
                )
            self._connection.execute("INSERT OR REPLACE INTO ledgers VALUES (?, ?, ?, ?)", (ledger, *astuple(row)))

    def committees(self, ledger: bytes) -> dict[LaneId, bytes]:
        """The contracts that check signatures for the lanes' ends on a ledger, as they were read last."""
        with self._lock:
            rows = self._connection.execute("SELECT lane_id, committee FROM committees WHERE ledger = ?", (ledger,))
            return {LaneId(lane_id): committee for lane_id, committee in rows.fetchall()}

    def save_committee(self, ledger: bytes, lane_id: LaneId, committee: bytes) -> None:
        """Remember the contract that checks signatures for a lane's end on a ledger."""
        with self._lock, self._connection:
            row = (ledger, bytes(lane_id), committee)
            self._connection.execute("INSERT OR REPLACE INTO committees VALUES (?, ?, ?)", row)

    def save_checkpoints(self, ledger: bytes, checkpoints: Sequence[Checkpoint]) -> None:
        """Remember where histories go on."""
        with self._lock, self._connection:
            self._connection.execute("BEGIN IMMEDIATE")
            self._write_checkpoints(ledger, checkpoints)

    def record(self, ledger: bytes, signed: Sequence[Signed], checkpoints: Sequence[Checkpoint]) -> list[bool]:
        """Write signatures and checkpoints in one transaction, on the disk when this returns.

        Returns:
            For each signature whether it may leave: False where another head was signed there before.
        """
        with self._lock, self._connection:
            self._connection.execute("BEGIN IMMEDIATE")
            allowed = [self._connection.execute(SIGN, astuple(item)).rowcount == 1 for item in signed]
            self._write_checkpoints(ledger, checkpoints)
        return allowed

    def _write_checkpoints(self, ledger: bytes, checkpoints: Sequence[Checkpoint]) -> None:
        self._connection.executemany(
            "INSERT OR REPLACE INTO checkpoints VALUES (?, ?, ?, ?, ?, ?)",
            [(ledger, bytes(c.lane_id), int(c.direction), c.nonce, bytes(c.head), c.height) for c in checkpoints],
        )


def _opening(row: Sequence[Any]) -> LaneOpened:
    return LaneOpened(
        lane_id=LaneId(row[0]),
        end=row[1],
        hub=row[2],
        source=ChainWord(row[3]),
        source_gateway=row[4],
        destination=ChainWord(row[5]),
        destination_gateway=row[6],
        channel=row[7],
        verifier=row[8],
        peer_code_hash=row[9],
        position=Position(row[10], row[11], b"", 0),
    )


def _opening_row(ledger: bytes, opened: LaneOpened) -> tuple[object, ...]:
    return (
        ledger,
        bytes(opened.lane_id),
        opened.end,
        opened.hub,
        bytes(opened.source),
        opened.source_gateway,
        bytes(opened.destination),
        opened.destination_gateway,
        opened.channel,
        opened.verifier,
        bytes(opened.peer_code_hash),
        opened.position.height,
        bytes(opened.position.block_hash),
    )
