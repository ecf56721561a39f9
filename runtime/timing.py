"""Time limits of work on the host's face: what is due when, clocks that are stopped, calendars changed at run time."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date

from pydantic import ValidationError

from orderloom.models.calendar import Calendar
from orderloom.models.conversion import Json
from orderloom.models.journal import WorkKind
from orderloom.runtime.access.guarding import needs
from orderloom.runtime.access.permissions import Permission
from orderloom.runtime.errors import CalendarRefused, UnknownCalendar, UnknownReason
from orderloom.runtime.face import allowed
from orderloom.runtime.sla.reckoning import changed, effective
from orderloom.runtime.store.calendars import CalendarChange
from orderloom.runtime.store.errors import NotFound
from orderloom.runtime.store.timing import ClockFilter, ClockView, PauseView
from orderloom.runtime.store.views import WorkItem
from orderloom.runtime.views import CalendarView
from orderloom.runtime.working import Working

#: of a reason, where the design names none
_REASON = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,59}")


class Timing(Working):
    """The part of `Runtime` for those who see to it that work is done in time."""

    @needs(Permission.WORK_VIEW)
    async def sla(self, queue: str = "", kind: WorkKind | str = "", limit: int = 100) -> list[ClockView]:
        """Work with a time in which it is to be done, what is due first first; what stands comes last."""
        kinds = self._kinds(kind)
        if not kinds:
            return []
        principal = self._principal
        where = ClockFilter(kinds=kinds, queue=queue, queues=principal.queues, accounts=principal.accounts)
        return self._store.clocks(where, limit, self._clock.now(), self._host.reckoning)

    @needs(Permission.QUEUES_MANAGE)
    async def pause_work(self, item: int, reason: str, by: str = "") -> WorkItem:
        """Stops the clock of an item until `resume_work`; `reason` is one of the design's, where it names any. Raises
        UnknownWork, UnknownReason, NotAllowed."""
        work = self._work_item(item)
        await self._check_reason(work, reason)
        deed = self._item_deed("pause_work", work, by, reason=reason)
        with allowed("pause"):
            self._store.pause_clock(item, reason, deed.at, self._host.reckoning, deed)
        self._host.wake()
        return self._work_item(item)

    @needs(Permission.QUEUES_MANAGE)
    async def resume_work(self, item: int, by: str = "") -> WorkItem:
        """The clock goes on; as much time is left as was. Raises UnknownWork, NotAllowed."""
        work = self._work_item(item)
        deed = self._item_deed("resume_work", work, by)
        with allowed("resume"):
            self._store.resume_clock(item, deed.at, self._host.reckoning, deed)
        self._host.wake()
        return self._work_item(item)

    @needs(Permission.WORK_VIEW)
    async def work_pauses(self, item: int) -> list[PauseView]:
        """When and why the clock of an item stood, oldest first. Raises UnknownWork."""
        return self._store.clock_pauses(self._work_item(item).id)

    @needs(Permission.WORK_VIEW)
    async def calendars(self) -> list[CalendarView]:
        """The calendars of the active bundles as they count now, with what was changed at run time."""
        standing = self._store.calendar_standing()
        found: list[CalendarView] = []
        for bundle, digest in sorted(standing.active.items()):
            design = await self._design(digest)
            for name, calendar in sorted(effective(design, standing).items()):
                change = standing.changes.get((bundle, name))
                default = name == design.calendar
                found.append(CalendarView(bundle=bundle, calendar=calendar, default=default, change=change))
        return found

    @needs(Permission.QUEUES_MANAGE)
    async def set_calendar(
        self,
        name: str,
        bundle: str | None = None,
        *,
        off: Iterable[date] = (),
        on: Iterable[date] = (),
        declared: Mapping[str, Json] | None = None,
        by: str = "",
        reason: str = "",
    ) -> Calendar:
        """Changes a calendar of a bundle from now on, in place of earlier changes: days off, days that are none, or all
        of it as `bundle.yaml` would declare it. Open work is due by it. Raises UnknownBundle, WhichBundle,
        UnknownCalendar, CalendarRefused."""
        active = self._active(bundle)
        design = await self._design(active.digest)
        if name not in design.calendars:
            raise UnknownCalendar(calendar=name, bundle=active.name, known=", ".join(design.calendars) or "none")
        deed = self._deed("set_calendar", "calendar", f"{active.name}.{name}", by=by, reason=reason)
        change = CalendarChange(
            bundle=active.name,
            name=name,
            declared=declared,
            off=tuple(sorted(set(off))),
            on=tuple(sorted(set(on))),
            at=deed.at,
            by=deed.who,
            reason=reason,
        )
        try:
            found = changed(design.calendars[name], change)
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(str(part) for part in first["loc"])
            raise CalendarRefused(calendar=name, place=place or "it", why=first["msg"]) from None
        deed.before.update(self._calendar_now(active.name, name))
        deed.after.update(_told(change))
        self._store.put_calendar(change, deed)
        self._host.wake()
        return found

    @needs(Permission.QUEUES_MANAGE)
    async def reset_calendar(self, name: str, bundle: str | None = None, by: str = "", reason: str = "") -> None:
        """The calendar counts as its bundle has it. Raises UnknownBundle, WhichBundle, UnknownCalendar."""
        active = self._active(bundle)
        before = self._calendar_now(active.name, name)
        deed = self._deed("reset_calendar", "calendar", f"{active.name}.{name}", by=by, before=before, reason=reason)
        try:
            self._store.drop_calendar(active.name, name, deed)
        except NotFound:
            raise UnknownCalendar(calendar=name, bundle=active.name, known="none is changed of that name") from None
        self._host.wake()

    # --- inside

    def _calendar_now(self, bundle: str, name: str) -> dict[str, Json]:
        """How a calendar was changed until now, for the trail."""
        change = self._store.calendar_standing().changes.get((bundle, name))
        return {} if change is None else _told(change)

    async def _check_reason(self, work: WorkItem, reason: str) -> None:
        known: tuple[str, ...] = ()
        if work.order:
            known = (await self._design(self._order(work.order).design)).pause_reasons
        if reason in known or (not known and _REASON.fullmatch(reason)):
            return
        raise UnknownReason(reason=reason, known=", ".join(known) or "one word, like waiting_customer")


def _told(change: CalendarChange) -> dict[str, Json]:
    """A change of a calendar, for the trail."""
    told: dict[str, Json] = {"off": [str(day) for day in change.off], "on": [str(day) for day in change.on]}
    return told if change.declared is None else {**told, "declared": dict(change.declared)}
