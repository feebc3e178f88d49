"""Look at the certificates of ledgers now and then, and warn in the log of those that end (relay.certificate_ends)."""

from __future__ import annotations

import time
from typing import Any

import structlog

from adapters.protocol import AdapterError, Ledger
from relay.certificate_ends import NEXT_STEP, Alarm, alarms_of

LOOK_EVERY_S = 60.0
WARN_EVERY_S = 86_400.0


class CertificateWatch:
    """Looks at the certificates of ledgers at most once a minute, and warns in the log of each that ends once a day.

    Args:
        party: who looks, for the log.
    """

    def __init__(self, party: str) -> None:
        self._log = structlog.get_logger(party)
        self._looked: dict[str, float] = {}
        self._warned: dict[tuple[str, str, int], float] = {}

    def look(self, chain: str, ledger: Ledger, now: float) -> list[dict[str, Any]] | None:
        """The certificates (`name`, `not_after`) of a ledger, or None where it is not yet time or they cannot be read.

        Args:
            chain: the ledger's name.
            ledger: the same, opened; no network is asked.
            now: Unix seconds, against which ends are held.
        """
        monotonic = time.monotonic()
        if monotonic - self._looked.get(chain, float("-inf")) < LOOK_EVERY_S:
            return None
        self._looked[chain] = monotonic
        try:
            states = ledger.certificates()
        except AdapterError as error:  # following the ledger meets the same and says whom it concerns
            self._log.warning("certificates_unread", chain=chain, error=str(error)[:300])
            return None
        found = [{"name": state.name, "not_after": int(state.not_after)} for state in states]
        for alarm in alarms_of(found, now):
            self._warn(chain, alarm, monotonic)
        return found

    def _warn(self, chain: str, alarm: Alarm, monotonic: float) -> None:
        key = chain, alarm.name, alarm.not_after
        if monotonic - self._warned.get(key, float("-inf")) >= WARN_EVERY_S:
            self._warned[key] = monotonic
            self._log.warning(alarm.code, chain=chain, certificate=alarm.name, text=alarm.text, next_step=NEXT_STEP)
