"""Gathers the witnesses' cosignatures of the log's checkpoints: a thread of the recorder, which nothing waits for.

All witnesses are asked for one checkpoint, so that their cosignatures come together; the next one is taken when those that
answer at all have answered, or after `ROUND_S`. A checkpoint with enough cosignatures is published (`relay.evidence.cosigned`),
and the recorder puts each line into the log's `checkpoint` as long as that is the same one. A witness that fails is asked again
after 1, 2, 4, … 60 seconds; how each stands is written to `witnesses.json` for the status.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog

from light_clients.errors import LightClientError
from relay.errors import HubError
from relay.evidence.checkpoints import peek_checkpoint
from relay.evidence.cosignatures import add_cosignature, read_cosignatures
from relay.evidence.cosigned import read_cosigned, write_cosigned
from relay.evidence.log import EvidenceLog
from relay.evidence.standings import AHEAD, CONTRADICTS, RUBBISH, STANDINGS, read_standings, write_standings
from relay.evidence.witness_calls import Moved, NoCosignature, WitnessCaller

log = structlog.get_logger()

LOOK_S = 0.5
"""Seconds between two looks for a new checkpoint."""
ROUND_S = 12.0
"""Seconds after which the next checkpoint is taken, whoever has not answered."""
LONGEST_PAUSE_S = 60.0


@dataclass(slots=True)
class Standing:
    """How a witness stands; `relay.views.witnesses` shows it.

    Attributes:
        size: leaves of what it cosigned last, 0 = nothing.
        at: when it did, Unix seconds; 0 = never.
        behind_since: since when it owes a cosignature, Unix seconds; 0 = it does not.
        code: why it failed last (`relay.evidence.standings`); empty if it did not.
        text: the same as a sentence.
    """

    size: int = 0
    at: float = 0.0
    behind_since: float = 0.0
    code: str = ""
    text: str = ""

    def told(self) -> dict[str, Any]:
        """As it stands in the file."""
        return {name: getattr(self, name) for name in self.__slots__}


class _Asked:
    """A witness, its standing, and whether it is being asked."""

    def __init__(self, caller: WitnessCaller, standing: Standing) -> None:
        self.caller, self.standing = caller, standing
        self.busy = False
        self.failures = 0
        self.next_at = 0.0


class Gathering:
    """The witnesses of one log.

    Args:
        evidence: the hub's evidence folder; the log lies in `log` under it.
        callers: the witnesses.
        threshold: cosignatures with which a checkpoint is published as cosigned.
        clock: Unix seconds.
    """

    def __init__(
        self,
        evidence: Path,
        callers: Sequence[WitnessCaller],
        threshold: int,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._log_folder = evidence / "log"
        self._file = evidence / STANDINGS
        known = read_standings(self._file)
        self._witnesses = [_Asked(each, _standing(known.get(each.key.name))) for each in callers]
        self._keys = [each.key for each in callers]
        self._threshold = threshold
        self._clock = clock
        self._guard = threading.Lock()
        self._waking = threading.Event()
        self._stopping = False
        self._note, self._size, self._begun = b"", 0, 0.0
        self._lines: list[tuple[int, str]] = []
        self._told: dict[str, dict[str, Any]] = {}
        self._thread = threading.Thread(target=self._run, name="witnesses", daemon=True)

    def start(self) -> None:
        """Begin to ask."""
        self._thread.start()

    def wake(self) -> None:
        """There may be a new checkpoint."""
        self._waking.set()

    def taken(self) -> list[tuple[int, str]]:
        """Lines that came since the last call, each with the size of its checkpoint."""
        with self._guard:
            lines, self._lines = self._lines, []
        return lines

    def stop(self) -> None:
        """Ask no more; a call that is under way ends by itself, and nobody waits for it."""
        self._stopping = True
        self._waking.set()
        if self._thread.is_alive():
            self._thread.join(LOOK_S * 4)

    def look(self) -> None:
        """Take the newest checkpoint if the last round is over, and ask whoever has not cosigned it.

        Raises:
            HubError: the log cannot be read.
            LightClientError: its checkpoint is none.
            OSError: the standings cannot be written.
        """
        evidence = EvidenceLog.open(self._log_folder, write=False)
        note = evidence.checkpoint()
        newest, now = peek_checkpoint(note).size, self._clock()
        with self._guard:
            if newest > self._size and self._round_is_over(now):
                self._begin(note, newest, now)
            done = {each.name for each in read_cosignatures(self._note, self._keys)} if self._size else set()
            asked = [each for each in self._witnesses if self._owes(each, done, newest) and now >= each.next_at]
            for each in asked:
                each.busy = True
            arguments = (self._note, self._size, evidence, newest)
        for each in asked:
            threading.Thread(target=self._ask, args=(each, *arguments), name="witness", daemon=True).start()
        self._tell()

    def _owes(self, each: _Asked, done: set[str], newest: int) -> bool:
        """Whether a witness is to be asked: also where it cosigned more than the log has, so that it says so."""
        if each.busy or not self._size or each.caller.key.name in done:
            return False
        return each.standing.size <= self._size or each.standing.size > newest

    def _round_is_over(self, now: float) -> bool:
        waiting = any(each.busy and not each.failures for each in self._witnesses)
        return not waiting or now - self._begun > ROUND_S

    def _begin(self, note: bytes, size: int, now: float) -> None:
        """Take a checkpoint, with the cosignatures that an earlier process gathered."""
        known = read_cosigned(self._log_folder)
        if known is not None and known[1] == peek_checkpoint(note):
            note = known[0]
        self._note, self._size, self._begun = note, size, now
        for each in self._witnesses:
            if each.standing.size < size and not each.standing.behind_since:
                each.standing.behind_since = now

    def _ask(self, each: _Asked, note: bytes, size: int, evidence: EvidenceLog, newest: int) -> None:
        """Ask one witness, in a thread of its own; whatever it does, this ends."""
        failure: NoCosignature | None = None
        line = ""
        moved = 0
        try:
            line = each.caller.ask(note, size, min(each.standing.size, size), evidence.consistency, newest)
        except NoCosignature as refusal:
            failure = refusal
        except Moved as beyond:
            moved = beyond.size
        except (HubError, LightClientError, OSError, ValueError) as error:
            failure = NoCosignature(RUBBISH, f"It could not be asked: {type(error).__name__}.")
        with self._guard:
            each.busy = False
            if failure is not None:
                self._failed(each, failure)
            else:
                each.failures, each.next_at = 0, 0.0
                each.standing.size = moved or size
                if line:
                    self._cosigned(each, size, line)
        self._waking.set()

    def _failed(self, each: _Asked, failure: NoCosignature) -> None:
        pause = min(2.0**each.failures, LONGEST_PAUSE_S)
        each.failures += 1
        each.next_at = self._clock() + pause
        if each.standing.code != failure.code:
            tell = log.error if failure.code in (CONTRADICTS, AHEAD) else log.warning
            tell("witness_failed", witness=each.caller.key.name, code=failure.code, error=failure.text)
        each.standing.code, each.standing.text = failure.code, failure.text
        each.standing.behind_since = each.standing.behind_since or self._clock()

    def _cosigned(self, each: _Asked, size: int, line: str) -> None:
        standing = each.standing
        standing.at, standing.code, standing.text = self._clock(), "", ""
        standing.behind_since = 0.0 if size == self._size else standing.behind_since
        if size != self._size:
            return  # it came too late for its checkpoint; the next one is being gathered
        self._note = add_cosignature(self._note, line, self._keys)
        self._lines.append((size, line))
        if len(read_cosignatures(self._note, self._keys)) >= self._threshold:
            try:
                write_cosigned(self._log_folder, self._note)
            except OSError as error:
                log.warning("cosigned_not_written", error=str(error))

    def _tell(self) -> None:
        """Write down how each witness stands, where something changed."""
        with self._guard:
            told = {each.caller.key.name: each.standing.told() for each in self._witnesses}
        if told != self._told:
            write_standings(self._file, told)
            self._told = told

    def _run(self) -> None:
        while not self._stopping:
            try:
                self.look()
            except (HubError, LightClientError, OSError) as error:
                log.warning("witnesses_wait", error=f"{type(error).__name__}: {error}"[:300])
            self._waking.wait(LOOK_S)
            self._waking.clear()


def _standing(known: dict[str, Any] | None) -> Standing:
    try:
        standing = Standing(**known) if known else Standing()
    except TypeError:
        return Standing()
    return standing if type(standing.size) is int and standing.size >= 0 else Standing()
