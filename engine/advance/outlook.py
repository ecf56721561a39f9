"""What a change would do to the dates of an order: it is made to a copy, and both are scheduled."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from datetime import datetime

from orderloom.engine.advance.advance import advance
from orderloom.engine.program import Program
from orderloom.engine.scheduling import schedule
from orderloom.models.change import ChangePlan, Outlook
from orderloom.models.journal import ChangeRequest
from orderloom.models.plan import OrderState


def with_outlook(
    program: Program, state: OrderState, request: ChangeRequest, plan: ChangePlan, at: datetime, former: Program
) -> ChangePlan:
    """The plan with when the order is expected to be completed; as it is where that cannot be told: the change is
    refused, the order has not started, or calls under way come first.

    `program` is the design that the order is to run on, `former` the one that it runs on. Nothing is touched.
    """
    if plan.rows is None or plan.everything:
        return plan
    copy = deepcopy(replace(state, index=None))
    advance(program, copy, request, at)
    if copy.revision != plan.revision:
        return plan
    before, after = schedule(former, state, at), schedule(program, copy, at)
    found = Outlook(
        at=at,
        expected_before=before.expected,
        expected_after=after.expected,
        jeopardy_before=before.jeopardy,
        jeopardy_after=after.jeopardy,
    )
    return replace(plan, outlook=found)
