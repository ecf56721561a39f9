"""In what time work is to be done, by its design and by the calendars that count now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date

from orderloom.dsl.calendars import CalendarDeclaration, calendars
from orderloom.engine.orchestration.assigning import rule_elsewhere
from orderloom.engine.orchestration.definitions import definitions
from orderloom.engine.scheduling import Promise, Terms
from orderloom.models.calendar import Calendar
from orderloom.models.design import Design
from orderloom.models.plan import OrderState
from orderloom.models.tasks import AssignMode, AssignRule, Due
from orderloom.runtime.deployment import Library
from orderloom.runtime.store.calendars import CalendarChange, Standing

#: of terms kept: designs times states of their calendars
_KEPT = 64


class Reckoning:
    """What clocks are reckoned with. An item runs by the queues of its order's design; of the calendars, those of the
    bundle's active version count, as changed at run time."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._terms: dict[object, Terms] = {}

    def task_term(self, design: str, definition: str) -> Due | None:
        """The due time of a manual task itself."""
        found = definitions(self._library.program(design)).tasks.get(definition)
        return None if found is None else found.definition.due

    def queue_term(self, design: str, queue: str) -> Due | None:
        """The `sla` of a queue."""
        found = self._library.design(design).queues.get(queue)
        return None if found is None else found.sla

    def promise(self, design: str, queue: str, term: Due) -> Promise:
        """What holds for work that has so much time by the rules of a queue."""
        found = self._library.design(design).queues.get(queue)
        if found is None:
            return Promise(term=term)
        return Promise(term=term, warn_at=found.warn_at, escalations=found.escalations)

    def terms(self, design: str, standing: Standing) -> Terms:
        """The terms of a design by the calendars that count now."""
        name = self._library.design(design).name
        changes = tuple(sorted((key, repr(each)) for key, each in standing.changes.items() if key[0] == name))
        key = (design, standing.active.get(name, design), changes)
        found = self._terms.get(key)
        if found is None:
            if len(self._terms) >= _KEPT:
                self._terms.clear()
            found = self._terms[key] = Terms(
                self._library.design(design), effective(self._active(design, standing), standing)
            )
        return found

    def rule(self, design: str, state: OrderState | None, task: str, queue: str) -> AssignRule:
        """How the item of a task finds a person in a queue that it goes to; the state is None for one of no order."""
        if state is not None:
            return rule_elsewhere(self._library.program(design), state, task, queue)
        found = self._library.design(design).queues.get(queue)
        rules = found.assign if found is not None else ()
        return next((rule for rule in rules if rule.when is None), AssignRule(mode=AssignMode.PULL))

    def _active(self, design: str, standing: Standing) -> Design:
        return self._library.design(standing.active.get(self._library.design(design).name, design))


def effective(design: Design, standing: Standing) -> dict[str, Calendar]:
    """The calendars of a bundle's version with what was changed at run time."""
    found = dict(design.calendars)
    for (bundle, name), change in standing.changes.items():
        if bundle == design.name and name in found:
            found[name] = changed(found[name], change)
    return found


def changed(calendar: Calendar, change: CalendarChange) -> Calendar:
    """The calendar as it was changed."""
    if change.declared is not None:
        declared = CalendarDeclaration.model_validate(change.declared)
        calendar = calendars({calendar.name: declared}, calendar.time_zone)[calendar.name]
    off: Mapping[date, str] = {day: name for day, name in calendar.holidays.items() if day not in change.on}
    extra = dict.fromkeys(change.off, change.reason or "changed at run time")
    return replace(calendar, holidays=dict(sorted({**off, **extra}.items())))
