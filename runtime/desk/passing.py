"""Work items that change hands: given to somebody, passed to another queue, noted about; and what became of them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from urllib.parse import urlsplit

from orderloom.engine.orchestration.assigning import rule_elsewhere
from orderloom.models.journal import WorkKind
from orderloom.models.tasks import AssignRule, Queue
from orderloom.runtime.access.guarding import needs
from orderloom.runtime.access.permissions import Permission
from orderloom.runtime.desk.people import People
from orderloom.runtime.errors import DocumentProblem, NotAllowed, UnknownQueue, UnknownWork, ValuesRefused
from orderloom.runtime.face import allowed
from orderloom.runtime.store.auditing import Deed
from orderloom.runtime.store.desk import Moved
from orderloom.runtime.store.views import WorkFilter, WorkItem, WorkState
from orderloom.runtime.store.work import WorkChange, WorkEvent
from orderloom.runtime.store.work_notes import WorkNote
from orderloom.runtime.working import Working

#: items in one transaction, and in one call at most
_CHUNK, _MOST = 500, 10_000
#: characters of a note, a URL, a name
_TEXT, _URL, _NAME = 20_000, 2_000, 200
#: these hold content or run it
_REFUSED = ("data", "javascript", "vbscript", "blob")


class Passing(Working):
    """The part of `Runtime` by which work goes from one to another."""

    @needs(Permission.WORK_ASSIGN)
    async def assign(self, item: int, to: str, by: str = "", reason: str = "") -> WorkItem:
        """Gives an item to somebody to do, whoever has it. Raises UnknownWork, NotAllowed where they cannot do it."""
        work = self._work_item(item)
        if why := People(self._store).refusal(to, work.queue, work.kind):
            raise NotAllowed(what="assign", why=why)
        deed = self._item_deed("assign", work, by, after={"claimed_by": to}, reason=reason)
        with allowed("assign"):
            return self._store.assign(item, to, deed.at, deed)

    @needs(Permission.WORK_ASSIGN)
    async def reassign(
        self,
        items: Sequence[int] = (),
        *,
        to: str = "",
        claimed_by: str = "",
        queue: str = "",
        kind: WorkKind | str = "",
        order: str = "",
        state: WorkState | str = "",
        by: str = "",
        reason: str = "",
    ) -> list[Moved]:
        """The same for the items named, or for all that the conditions leave as they are now, of which at least one is
        to be given; with no `to` they go to whom their rules choose, or lie open. At most 10,000 at a time, some
        hundreds in one transaction; says of each what became of it."""
        if not (items or claimed_by or queue or kind or order or state):
            raise NotAllowed(what="reassign", why="nothing says which items; name them, or a queue, a person, an order")
        people, moved = People(self._store), list[Moved]()
        chosen: list[WorkItem] = []
        for work in self._chosen(items, claimed_by, queue, kind, order, state, moved):
            why = people.refusal(to, work.queue, work.kind) if to else ""
            if why:
                moved.append(Moved(item=work.id, refused=why))
            else:
                chosen.append(work)

        def deed(work: WorkItem) -> Deed:
            return self._item_deed("reassign", work, by, after={"claimed_by": to}, reason=reason)

        for start in range(0, len(chosen), _CHUNK):
            frozen = [work.id for work in chosen[start : start + _CHUNK]]
            moved += self._store.reassign(frozen, to, self._clock.now(), deed, claimed_by)
            # the worker and others who write get their turn
            await asyncio.sleep(0)
        return moved

    @needs(Permission.WORK_DO)
    async def escalate(self, item: int, to: str = "", by: str = "", reason: str = "") -> WorkItem:
        """Passes an item to the queue that its own escalates to, or to the one named. What others have needs the
        permission to assign. Raises UnknownWork, UnknownQueue, NotAllowed."""
        work = self._work_item(item)
        if not to:
            design = await self._design_of(work)
            found = design.queues.get(work.queue)
            if found is None or not found.escalations:
                raise NotAllowed(what="escalate", why=f"queue `{work.queue}` names none to escalate to; name one")
            to = found.escalations[0].queue
        return await self._pass_on(work, to, WorkEvent.ESCALATED, "escalate", by, reason)

    @needs(Permission.WORK_DO)
    async def hand_over(self, item: int, queue: str, by: str = "", reason: str = "") -> WorkItem:
        """Puts an item into another queue of its order's design, of the same kind. What others have needs the
        permission to assign. Raises UnknownWork, UnknownQueue, NotAllowed."""
        return await self._pass_on(self._work_item(item), queue, WorkEvent.HANDED_OVER, "hand_over", by, reason)

    @needs(Permission.WORK_DO)
    async def note(self, item: int, text: str, by: str = "") -> WorkNote:
        """Adds a note; the lease of the one who has the item begins anew. Raises UnknownWork, ValuesRefused."""
        if not text.strip() or len(text) > _TEXT:
            raise ValuesRefused([DocumentProblem("text", f"{len(text)} characters", f"1 to {_TEXT}")])
        return self._noted(item, by, text=text)

    @needs(Permission.WORK_DO)
    async def attach(
        self, item: int, url: str, name: str = "", media_type: str = "", text: str = "", by: str = ""
    ) -> WorkNote:
        """Notes where something about an item lies; nothing is copied. Raises UnknownWork, ValuesRefused."""
        if problem := _problem_of(url):
            raise ValuesRefused(
                [DocumentProblem("url", problem, "a URL without password, e.g. https://files/photo.jpg")]
            )
        if max(len(name), len(media_type)) > _NAME or len(text) > _TEXT:
            raise ValuesRefused([DocumentProblem("name", "a long one", f"at most {_NAME} characters")])
        name = name or urlsplit(url).path.rpartition("/")[2] or url
        return self._noted(item, by, text=text, url=url, name=name[:_NAME], media_type=media_type)

    @needs(Permission.WORK_VIEW)
    async def work_notes(self, item: int) -> list[WorkNote]:
        """Notes and attachments, oldest first. Raises UnknownWork."""
        return self._store.work_notes(self._work_item(item).id)

    @needs(Permission.WORK_VIEW)
    async def work_history(self, item: int) -> list[WorkChange]:
        """Who had an item when, in which queue, oldest first. Raises UnknownWork."""
        return self._store.work_history(self._work_item(item).id)

    # --- inside

    def _chosen(
        self,
        items: Sequence[int],
        claimed_by: str,
        queue: str,
        kind: WorkKind | str,
        order: str,
        state: WorkState | str,
        moved: list[Moved],
    ) -> list[WorkItem]:
        """The items as they are now; of those named, the ones that are not there are told in `moved`."""
        if items:
            found: list[WorkItem] = []
            for item in dict.fromkeys(items):
                try:
                    found.append(self._work_item(item))
                except UnknownWork as error:
                    moved.append(Moved(item=item, refused=str(error)))
            return found
        where = WorkFilter(
            kinds=self._kinds(kind),
            queue=queue,
            order=order,
            claimed_by=claimed_by,
            states=(WorkState(state),) if state else (WorkState.OPEN, WorkState.ASSIGNED, WorkState.CLAIMED),
            queues=self._principal.queues,
            accounts=self._principal.accounts,
        )
        return self._store.work(where, _MOST) if where.kinds else []

    async def _pass_on(
        self, work: WorkItem, queue: str, what: WorkEvent, operation: str, by: str, reason: str
    ) -> WorkItem:
        rule = await self._rule_in(work, queue, operation)
        deed = self._item_deed(operation, work, by, after={"queue": queue}, reason=reason)
        holder = None if self._principal.may(Permission.WORK_ASSIGN) else deed.who
        with allowed(operation):
            return self._store.pass_on(work.id, queue, rule, what, deed.at, deed, holder)

    async def _rule_in(self, work: WorkItem, queue: str, operation: str) -> AssignRule:
        """How the item would find a person in another queue. Raises UnknownQueue, NotAllowed for one of another
        kind."""
        design = await self._design_of(work)
        if queue not in design.queues:
            raise UnknownQueue(queue=queue, known=", ".join(sorted(design.queues)))
        if design.queues[queue].fallout is not _takes_fallout(work, design.queues.get(work.queue)):
            wanted = "failed" if design.queues[queue].fallout else "manual"
            raise NotAllowed(what=operation, why=f"`{queue}` takes {wanted} tasks, and `{work.queue}` other ones")
        if not work.order:
            return self._host.reckoning.rule(design.digest, None, work.task, queue)
        state = await self._state(work.order)
        program = await asyncio.to_thread(self._library.program, state.design)
        return rule_elsewhere(program, state, work.task, queue)

    def _noted(self, item: int, by: str, *, text: str, url: str = "", name: str = "", media_type: str = "") -> WorkNote:
        work = self._work_item(item)
        deed = self._item_deed("attach" if url else "note", work, by)
        note = WorkNote(work=item, at=deed.at, by=deed.who, text=text, url=url, name=name, media_type=media_type)
        self._store.add_note(note, deed)
        return note


def _takes_fallout(work: WorkItem, queue: Queue | None) -> bool:
    """Whether the item lies among failed tasks, as some manual ones do that were made by a change."""
    return queue.fallout if queue is not None else work.kind is WorkKind.FALLOUT


def _problem_of(url: str) -> str:
    """What is wrong with a URL, "" for nothing."""
    if len(url) > _URL:
        return f"{len(url)} characters"
    try:
        parts = urlsplit(url)
    except ValueError:
        return "no URL"
    if not parts.scheme or not (parts.netloc or parts.path) or any(each.isspace() for each in url):
        return "no URL"
    if parts.scheme.lower() in _REFUSED:
        return f"a `{parts.scheme.lower()}:` URL"
    return "a password in it" if parts.password is not None else ""
