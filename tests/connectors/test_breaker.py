"""The breaker as a table of calls and times."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from orderloom.connectors.breaker import CLOSED, HALF_OPEN, OPEN, BreakerState, is_failure
from orderloom.models.callout import Answer, Exchange, Outcome
from orderloom.models.integration import Breaker

START = datetime(2026, 1, 1, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def opened() -> BreakerState:
    state = BreakerState(Breaker(failures=3, pause=timedelta(seconds=30)))
    for second in range(3):
        assert state.permits(at(second))
        state.record(False, at(second))
    return state


def test_it_opens_after_failures_in_a_row() -> None:
    state = opened()
    assert state.state(at(3)) == OPEN
    assert not state.permits(at(3))
    assert state.opens_until == at(32)


def test_a_success_between_failures_starts_the_count_again() -> None:
    state = BreakerState(Breaker(failures=2, pause=timedelta(seconds=30)))
    for ok in (False, True, False, True, False):
        state.record(ok, at(0))
    assert state.state(at(0)) == CLOSED


def test_one_trial_after_the_pause_and_success_closes() -> None:
    state = opened()
    assert state.state(at(32)) == HALF_OPEN
    assert state.permits(at(32))
    assert not state.permits(at(33))
    assert state.state(at(33)) == HALF_OPEN
    state.record(True, at(34))
    assert state.state(at(34)) == CLOSED
    assert state.permits(at(34))


def test_a_failed_trial_opens_for_another_pause() -> None:
    state = opened()
    assert state.permits(at(40))
    state.record(False, at(41))
    assert state.opens_until == at(71)
    assert not state.permits(at(70))


def test_a_trial_that_never_reports_is_followed_by_another() -> None:
    state = opened()
    assert state.permits(at(40))
    assert state.permits(at(70))


def answer(outcome: Outcome, code: str = "", status: int | None = None) -> Answer:
    exchange = Exchange(request="", response="", status=status, started=START, duration=1)
    return Answer(outcome=outcome, code=code, exchange=exchange)


@pytest.mark.parametrize(
    ("found", "counts"),
    [
        (answer(Outcome.RETRIABLE, "timeout"), True),
        (answer(Outcome.FATAL, "connection"), True),
        (answer(Outcome.RETRIABLE, "status_503", 503), True),
        (answer(Outcome.FATAL, "BUSY", 500), True),
        (answer(Outcome.RETRIABLE, "status_429", 429), False),
        (answer(Outcome.FATAL, "status_404", 404), False),
        (answer(Outcome.FATAL, "bad_request"), False),
        (answer(Outcome.FATAL, "bad_response", 200), False),
        (answer(Outcome.COMPLETED, status=200), False),
        (answer(Outcome.COMPLETED, status=500), False),
    ],
)
def test_only_the_systems_own_failures_count(found: Answer, counts: bool) -> None:
    assert is_failure(found) is counts
