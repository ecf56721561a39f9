"""Work items on the host's face: what waits for people, who has it, and manual tasks done."""

from __future__ import annotations

from collections.abc import Mapping

from orderloom.models.journal import WorkCompleted, WorkKind
from orderloom.runtime import forms
from orderloom.runtime.access.guarding import needs
from orderloom.runtime.access.permissions import Permission
from orderloom.runtime.errors import NotAllowed, UnknownWork
from orderloom.runtime.face import Face
from orderloom.runtime.store.errors import Conflict, NotFound
from orderloom.runtime.store.views import WorkFilter, WorkItem, WorkState
from orderloom.runtime.views import Receipt


class Working(Face):
    """The part of `Runtime` for those who work queues. `by` is for trusted programs; others act as themselves."""

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
        """Manual and failed tasks that wait for people, most urgent first; done ones only where asked for."""
        where = WorkFilter(
            kinds=(WorkKind(kind),) if kind else (),
            queue=queue,
            order=order,
            states=(WorkState(state),) if state else (WorkState.OPEN, WorkState.CLAIMED),
            claimed_by=claimed_by,
            code=code,
        )
        return self._store.work(where, limit, offset)

    @needs(Permission.WORK_VIEW)
    async def work_item(self, item: int) -> WorkItem:
        """Raises UnknownWork."""
        return self._work_item(item)

    @needs(Permission.WORK_DO)
    async def claim(self, item: int, by: str = "") -> WorkItem:
        """Takes a work item. Raises UnknownWork, NotAllowed where somebody else has it."""
        return self._claim(self._work_item(item), by)

    @needs(Permission.WORK_DO)
    async def release(self, item: int, by: str = "") -> WorkItem:
        """Gives a work item back. Raises UnknownWork, NotAllowed where it is not theirs."""
        work = self._work_item(item)
        before = {"claimed_by": work.claimed_by}
        deed = self._deed("release", "work", str(item), by=by, order=work.order, before=before)
        try:
            return self._store.unclaim(item, deed.who, self._clock.now(), deed)
        except Conflict as conflict:
            raise NotAllowed(what="release", why=conflict) from None

    @needs(Permission.WORK_DO)
    async def complete(self, item: int, by: str = "", values: Mapping[str, object] | None = None) -> Receipt:
        """Completes a manual task; the values are read against its form. An open item is claimed first. Raises
        UnknownWork, ValuesRefused, NotAllowed."""
        work = self._open_work(item, by, WorkKind.MANUAL, "complete")
        design = await self._design(self._order(work.order).design)
        read = forms.read_form(work.form, values or {}, design.enums)
        if not work.claimed_by:
            self._claim(work, by)
        deed = self._deed("complete", "work", str(item), by=by, order=work.order, after={"state": "done"})
        event = WorkCompleted(task=work.task, by=deed.who, values=read)
        return await self._ask(work.order, event, "complete", deed)

    # --- inside

    def _work_item(self, item: int) -> WorkItem:
        try:
            return self._store.work_item(item)
        except NotFound:
            raise UnknownWork(item=item) from None

    def _claim(self, work: WorkItem, by: str) -> WorkItem:
        before = {"claimed_by": work.claimed_by}
        after = {"claimed_by": self._who(by)}
        deed = self._deed("claim", "work", str(work.id), by=by, order=work.order, before=before, after=after)
        try:
            return self._store.claim(work.id, deed.who, self._clock.now(), deed)
        except Conflict as conflict:
            raise NotAllowed(what="claim", why=conflict) from None

    def _open_work(self, item: int, by: str, kind: WorkKind, what: str) -> WorkItem:
        """The work item, which this person has or may take."""
        work = self._work_item(item)
        if work.kind is not kind:
            wanted = "manual task" if kind is WorkKind.MANUAL else "task in fallout"
            raise NotAllowed(what=what, why=f"work item {item} is no {wanted}")
        if work.state is WorkState.DONE:
            raise NotAllowed(what=what, why=f"work item {item} is done")
        if work.claimed_by and work.claimed_by != self._who(by):
            raise NotAllowed(what=what, why=f"work item {item} is claimed by {work.claimed_by}")
        return work
