"""How fulfilment goes, on the host's face."""

from __future__ import annotations

import asyncio
from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from orderloom.runtime.access.guarding import needs
from orderloom.runtime.access.permissions import Permission
from orderloom.runtime.analytics.figures import Report
from orderloom.runtime.analytics.periods import Period, periods
from orderloom.runtime.analytics.reports import REPORTS, Question
from orderloom.runtime.analytics.rollup import count_all
from orderloom.runtime.errors import NotPossible
from orderloom.runtime.face import Face

#: seconds that a report takes at most to count what has happened since the last one
_CATCHING_UP = 5.0
#: seconds of one step of making all anew
_STEP = 60.0
_MOST = 1_000


class Analytics(Face):
    """The part of `Runtime` for those who look after how things go."""

    @needs(Permission.ANALYTICS_VIEW)
    async def report(
        self,
        name: str,
        *,
        period: Period | str = Period.DAY,
        last: int = 14,
        until: datetime | None = None,
        zone: str = "",
        product: str = "",
    ) -> Report:
        """A report (`summary`, `throughput`, `cycle`, `queues`, `sla`, `fallout`, `rework`) over the last periods of a
        time zone (the designs' own, where they agree, else UTC), compared with as many before; `until` is a time of
        that zone where it names none.

        With `product`, only of orders with that topmost product. Raises NotPossible for what there is not, Forbidden
        for those who see some accounts only: facts are not kept by account.
        """
        if self._principal.accounts is not None:
            self._deny("report")
            raise self._forbidden("report", "all accounts", "manager")
        make = REPORTS.get(name)
        if make is None:
            raise NotPossible(
                what=f"report `{name}`", why="there is no such report", do=f"take one of {', '.join(REPORTS)}"
            )
        if not 1 <= last <= _MOST:
            raise NotPossible(what=f"report {last} periods", why="that is no number of them", do=f"take 1 to {_MOST}")
        now = self._clock.now()
        zone = zone or await self._time_zone()
        try:
            place = ZoneInfo(zone)
            end = until or now
            spans = periods(Period(period), 2 * last, end if end.tzinfo else end.replace(tzinfo=place), place)
        except (ZoneInfoNotFoundError, ValueError, OverflowError):
            raise NotPossible(
                what=f"report by {period} of `{zone}`",
                why="there is no such period or time zone",
                do="take hour, day, week or month, and a zone such as `Europe/Vienna`",
            ) from None
        await asyncio.to_thread(count_all, self._store, _CATCHING_UP)
        asked = Question(
            store=self._store, spans=spans, window=last, product=product, now=now, queues=self._principal.queues
        )
        table = await asyncio.to_thread(make, asked)
        return Report(
            name=name,
            period=str(Period(period)),
            zone=zone,
            product=product,
            since=spans[last].start,
            until=spans[-1].end,
            before=spans[0].start,
            uncounted=self._store.uncounted(),
            columns=table.columns,
            rows=tuple(table.rows),
            figures=table.figures,
        )

    @needs(Permission.WORKER_CONTROL)
    async def rebuild_analytics(self, by: str = "", reason: str = "") -> None:
        """Counts everything anew from the journal, which never forgets."""
        self._store.forget_facts(self._deed("rebuild_analytics", "analytics", by=by, reason=reason))
        while not await asyncio.to_thread(count_all, self._store, _STEP):
            continue

    async def _time_zone(self) -> str:
        zones = {(await self._design(each.digest)).time_zone for each in self._store.active_bundles()}
        return zones.pop() if len(zones) == 1 else "UTC"
