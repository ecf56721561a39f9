"""The breaker of a connector: a pure state machine; its host asks before it sends, and holds calls while it is open."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from orderloom.models.callout import Answer, Outcome
from orderloom.models.integration import Breaker

CLOSED, OPEN, HALF_OPEN = "closed", "open", "half-open"


@dataclass(slots=True)
class BreakerState:
    """Closed: calls pass. Open: none do until `opens_until`. Then half-open: one call passes and decides.

    A trial call whose result never comes would keep it half-open, so another may pass after one more pause.
    """

    definition: Breaker
    #: failures in a row
    failures: int = 0
    #: when the next call may pass; None while closed
    opens_until: datetime | None = None
    _trying: bool = False

    def state(self, now: datetime) -> str:
        """`closed`, `open` or `half-open`."""
        if self.opens_until is None:
            return CLOSED
        return HALF_OPEN if self._trying or now >= self.opens_until else OPEN

    def permits(self, now: datetime) -> bool:
        """Whether a call may be sent now; a True while half-open is the one trial, and is not given twice."""
        if self.opens_until is None:
            return True
        if now < self.opens_until:
            return False
        self._trying = True
        self.opens_until = now + self.definition.pause
        return True

    def record(self, ok: bool, now: datetime) -> None:
        """Takes note of a call's result."""
        if ok:
            self.close()
            return
        self.failures += 1
        if self._trying or self.failures >= self.definition.failures:
            self.open(now)

    def open(self, now: datetime) -> None:
        """Lets no call pass for one pause."""
        self.opens_until, self._trying = now + self.definition.pause, False

    def close(self) -> None:
        """Lets all calls pass, and forgets the failures."""
        self.failures, self.opens_until, self._trying = 0, None, False


def is_failure(answer: Answer) -> bool:
    """Whether an answer counts against the system: no connection, no answer in time, or a status of 500 to 599."""
    if answer.code in ("timeout", "connection"):
        return True
    status = answer.exchange.status if answer.exchange else None
    return status is not None and status >= 500 and answer.outcome not in (Outcome.COMPLETED, Outcome.ACCEPTED)
