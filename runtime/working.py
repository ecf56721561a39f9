"""Work items on the host's face: what waits for people, who has it, and manual tasks done."""

from __future__ import annotations

from collections.abc import Mapping

from orderloom.models.conversion import Json, to_json
from orderloom.models.design import Design
from orderloom.models.journal import Event, WorkCompleted, WorkKind
from orderloom.runtime import forms
from orderloom.runtime.access.guarding import needs
from orderloom.runtime.access.permissions import Permission
from orderloom.runtime.desk.people import People
from orderloom.runtime.errors import NotAllowed, UnknownWork
from orderloom.runtime.face import Face, allowed
from orderloom.runtime.store.auditing import Deed
from orderloom.runtime.store.clock_rows import bundle_of
from orderloom.runtime.store.desk import Wish
from orderloom.runtime.store.errors import NotFound
from orderloom.runtime.store.views import WorkFilter, WorkItem, WorkState
from orderloom.runtime.views import Receipt, Verdict

#: those that somebody may have or take
_UNDONE = (WorkState.OPEN, WorkState.ASSIGNED, WorkState.CLAIMED)


class Working(Face):
    """The part of `Runtime` for those who work queues. `by` is for trusted programs; others act as themselves, and what
    they do not see is not there for them: other queues than theirs, fallout, orders of other accounts."""

    @needs(Permission.WORK_VIEW)
    async def work(
        self,
        *,
        queue: str = "",
        kind: WorkKind | str = "",
        order: str = "",
        state: WorkState | str = "",
        claimed_by: str = "",
        code: str = "",
        limit: int = 100,
        offset: int = 0,
    ) -> list[WorkItem]:
        """Manual and failed tasks that wait for people, most urgent first; others than open, assigned and claimed ones
        only where asked for."""
        kinds = self._kinds(kind)
        if not kinds:
            return []
        where = WorkFilter(
            kinds=kinds,
            queue=queue,
            order=order,
            states=(WorkState(state),) if state else _UNDONE,
            claimed_by=claimed_by,
            code=code,
            queues=self._principal.queues,
            accounts=self._principal.accounts,
        )
        return self._store.work(where, limit, offset)

    @needs(Permission.WORK_VIEW)
    async def work_item(self, item: int) -> WorkItem:
        """Raises UnknownWork."""
        return self._work_item(item)

    @needs(Permission.WORK_DO)
    async def claim(self, item: int, by: str = "") -> WorkItem:
        """Takes a work item, until the lease of its queue runs out; again, and it begins anew. Raises UnknownWork,
        NotAllowed where somebody else has it."""
        work = self._work_item(item)
        deed = self._item_deed("claim", work, by, after={"claimed_by": self._who(by)})
        with allowed("claim"):
            return self._store.claim(item, deed.who, deed.at, deed)

    @needs(Permission.WORK_DO)
    async def next_work(self, queue: str = "", kind: WorkKind | str = "", by: str = "") -> WorkItem | None:
        """Takes the most urgent item that they may take: what is assigned to them first, then by priority, due time and
        age; nothing for which they lack a skill. None where there is none."""
        who, kinds = self._who(by), self._kinds(kind)
        if not kinds:
            return None
        wish = Wish(
            by=who,
            kinds=kinds,
            queue=queue,
            queues=self._principal.queues,
            accounts=self._principal.accounts,
            skills=People(self._store).skills(who),
        )

        def deed(item: WorkItem) -> Deed:
            return self._item_deed("claim", item, by, after={"claimed_by": who})

        return self._store.claim_next(wish, self._clock.now(), deed)

    @needs(Permission.WORK_DO)
    async def renew(self, item: int, by: str = "") -> WorkItem:
        """Keeps a claimed item for another lease. Raises UnknownWork, NotAllowed where it is not theirs any more."""
        deed = self._item_deed("renew", self._work_item(item), by)
        with allowed("renew"):
            return self._store.renew(item, deed.who, deed.at, deed)

    @needs(Permission.WORK_DO)
    async def release(self, item: int, by: str = "") -> WorkItem:
        """Gives a work item back; where a rule assigns, it goes to somebody else. Raises UnknownWork, NotAllowed where
        it is not theirs."""
        deed = self._item_deed("release", self._work_item(item), by)
        with allowed("release"):
            return self._store.unclaim(item, deed.who, deed.at, deed)

    @needs(Permission.WORK_DO)
    async def complete(self, item: int, by: str = "", values: Mapping[str, object] | None = None) -> Receipt:
        """Completes a manual task; the values are read against its form. An open item is claimed first. Raises
        UnknownWork, ValuesRefused, NotAllowed, also where the lease ran out and somebody else has it."""
        work = self._work_of(item, WorkKind.MANUAL, "complete")
        if not work.order:
            return self._close(work, by)
        design = await self._design(self._order(work.order).design)
        read = forms.read_form(work.form, values or {}, design.enums)
        told: dict[str, Json] = {name: to_json(value) for name, value in read.items()}
        deed = self._item_deed("complete", work, by, after={"state": "done", "values": told})
        event = WorkCompleted(task=work.task, by=deed.who, values=read)
        return await self._finish(work, event, "complete", deed)

    # --- inside

    def _close(self, work: WorkItem, by: str) -> Receipt:
        """An item that a watch rule has opened: no order waits for it. Raises NotAllowed."""
        deed = self._item_deed("complete", work, by, after={"state": "done"})
        with allowed("complete"):
            self._store.close_work(work.id, deed.who, deed.at, deed)
        return Receipt(verdict=Verdict.APPLIED, number=0, order="")

    async def _design_of(self, work: WorkItem) -> Design:
        """By which an item runs: its order's, or for one of a watch rule the active version of the rule's bundle."""
        if work.order:
            return await self._design(self._order(work.order).design)
        return await self._design(self._active(bundle_of(work.task)).digest)

    def _kinds(self, wanted: WorkKind | str = "") -> tuple[WorkKind, ...]:
        """The kinds of work that they see, of the wanted one or of all."""
        seen = tuple(WorkKind) if self._principal.may(Permission.FALLOUT_VIEW) else (WorkKind.MANUAL,)
        return tuple(kind for kind in seen if not wanted or kind is WorkKind(wanted))

    def _work_item(self, item: int) -> WorkItem:
        """Raises UnknownWork, also for an item that is not theirs to see."""
        try:
            found = self._store.work_item(item)
            seen = self._principal.sees_queue(found.queue) and found.kind in self._kinds()
            if seen and (self._principal.accounts is None or self._may_see(self._store.order(found.order))):
                return found
        except NotFound:
            pass
        raise UnknownWork(item=item)

    def _work_of(self, item: int, kind: WorkKind, what: str) -> WorkItem:
        """The work item, which is of that kind. Raises UnknownWork, NotAllowed."""
        work = self._work_item(item)
        if work.kind is not kind:
            wanted = "manual task" if kind is WorkKind.MANUAL else "task in fallout"
            raise NotAllowed(what=what, why=f"work item {item} is no {wanted}")
        if work.state is WorkState.DONE:
            raise NotAllowed(what=what, why=f"work item {item} is done")
        return work

    def _item_deed(
        self, what: str, work: WorkItem, by: str, *, after: Mapping[str, Json] | None = None, reason: str = ""
    ) -> Deed:
        """Something done with an item, for the trail."""
        before = {"claimed_by": work.claimed_by, "queue": work.queue}
        return self._deed(
            what, "work", str(work.id), by=by, order=work.order, before=before, after=after, reason=reason
        )

    async def _finish(self, work: WorkItem, event: Event, what: str, deed: Deed) -> Receipt:
        """Asks for what ends the item, for the one who has it or takes it now. Raises UnknownOrder, NotAllowed."""
        self._order(work.order)
        with allowed(what):
            number = self._store.finish(work.id, deed.who, event, deed.at, deed)
        return await self._answered(number, work.order, what)
