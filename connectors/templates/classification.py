"""What a failure means: whether another attempt may help, by the operation's `retry on`."""

from __future__ import annotations

from orderloom.models.callout import Answer, Outcome
from orderloom.models.integration import RetryOn


def failure_of_status(status: int, retry_on: RetryOn) -> Outcome:
    """Whether an HTTP status outside 200 to 299 is worth another attempt."""
    worth = any(first <= status <= last for first, last in retry_on.statuses)
    return Outcome.RETRIABLE if worth else Outcome.FATAL


def timed_out(retry_on: RetryOn, message: str) -> Answer:
    """No answer in time."""
    return Answer(outcome=Outcome.RETRIABLE if retry_on.timeout else Outcome.FATAL, code="timeout", message=message)


def not_reached(retry_on: RetryOn, message: str) -> Answer:
    """No connection, or a connection lost before the answer was complete."""
    outcome = Outcome.RETRIABLE if retry_on.connection else Outcome.FATAL
    return Answer(outcome=outcome, code="connection", message=message)


def bad_request(message: str) -> Answer:
    """The request could not be made from the order's values; nothing was sent."""
    return Answer(outcome=Outcome.FATAL, code="bad_request", message=message)


def bad_response(message: str) -> Answer:
    """The answer is not what the design expects."""
    return Answer(outcome=Outcome.FATAL, code="bad_response", message=message)
