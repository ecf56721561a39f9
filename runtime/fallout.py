"""Failed tasks on the host's face: what is alike, what was tried, correct the data, then retry, skip, complete by hand,
or ask the owner of the order."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from orderloom.engine.advance import uncorrectable
from orderloom.engine.orchestration.definitions import definitions
from orderloom.models.catalog import Attribute
from orderloom.models.conversion import Json, to_json
from orderloom.models.journal import (
    FalloutAction,
    FalloutResolved,
    InformationRequired,
    LineCorrected,
    WorkKind,
)
from orderloom.models.plan import OrderState, TaskState
from orderloom.models.values import Value
from orderloom.runtime import forms
from orderloom.runtime.access.guarding import needs
from orderloom.runtime.access.permissions import Permission
from orderloom.runtime.errors import DocumentProblem, NotAllowed, UnknownLine, UnknownTask, UnknownWork, ValuesRefused
from orderloom.runtime.face import allowed
from orderloom.runtime.store.causes import CauseGroup, FalloutFilter, FalloutItem
from orderloom.runtime.store.errors import NotFound
from orderloom.runtime.store.views import WorkItem, WorkState
from orderloom.runtime.store.wanted import Wanted
from orderloom.runtime.views import AttributeChange, Correction, Receipt, Verdict
from orderloom.runtime.working import Working


class Fallout(Working):
    """The part of `Runtime` for those who work error queues."""

    # --- what there is

    @needs(Permission.FALLOUT_VIEW)
    async def fallout(
        self, where: FalloutFilter | None = None, *, limit: int = 100, after: int = 0
    ) -> list[FalloutItem]:
        """Failed tasks that wait for people, with their causes, oldest first; `after` is the item of the last one."""
        return await asyncio.to_thread(self._store.fallout, self._seen(where), limit, after)

    @needs(Permission.FALLOUT_VIEW)
    async def fallout_groups(self, where: FalloutFilter | None = None, *, limit: int = 100) -> list[CauseGroup]:
        """Like errors together: connector, operation, status, code and message but for what differs from case to case;
        with how many there are, and the first and the last of them. Most first."""
        return await asyncio.to_thread(self._store.cause_groups, self._seen(where), limit)

    @needs(Permission.FALLOUT_VIEW)
    async def fallout_item(self, item: int) -> FalloutItem:
        """A failed task, also one that is done with. Raises UnknownWork, NotAllowed for a manual task."""
        work = self._work_item(item)
        if work.kind is not WorkKind.FALLOUT:
            raise NotAllowed(what="show", why=f"work item {item} is no failed task")
        return await asyncio.to_thread(self._store.fallout_item, item)

    # --- the data

    @needs(Permission.FALLOUT_VIEW)
    async def preview_correction(self, id: str, line: str, values: Mapping[str, object]) -> Correction:
        """What `correct` would change: each attribute as it is and as it would be, and the failed tasks that would then
        make a new request. Raises UnknownOrder, UnknownLine, ValuesRefused, NotAllowed."""
        state = await self._state(id)
        read = await self._read_correction(state, line, values)
        found = state.lines[line]
        changed = tuple(
            AttributeChange(name=name, before=found.attributes.get(name), after=value)
            for name, value in read.items()
            if found.attributes.get(name) != value
        )
        tasks = tuple(
            task.id
            for task in state.tasks.values()
            if task.state is TaskState.FALLOUT
            and not task.version
            and line in (task.line, state.lines[task.line].parent, state.lines[task.line].root)
        )
        return Correction(order=id, line=line, changes=changed, tasks=tasks if changed else ())

    @needs(Permission.LINES_CORRECT)
    async def correct(
        self, id: str, line: str, values: Mapping[str, object], by: str = "", reason: str = ""
    ) -> Receipt:
        """Corrects attributes of a line, read against its spec. Raises UnknownOrder, UnknownLine, ValuesRefused,
        NotAllowed."""
        state = await self._state(id)
        self._demand_queue(id, "correct")
        read = await self._read_correction(state, line, values)
        before = {name: to_json(state.lines[line].attributes.get(name)) for name in read}
        after = {name: to_json(value) for name, value in read.items()}
        deed = self._deed("correct", "line", line, by=by, order=id, before=before, after=after, reason=reason)
        event = LineCorrected(line=line, values=read, by=deed.who, reason=reason)
        return await self._ask(id, event, "correct", deed)

    # --- decisions

    @needs(Permission.FALLOUT_RESOLVE)
    async def retry(self, item: int, by: str = "", reason: str = "") -> Receipt:
        """Tries a failed task again. Raises UnknownWork, NotAllowed."""
        return await self._resolve(item, by, FalloutAction.RETRY, reason, {})

    @needs(Permission.FALLOUT_RESOLVE)
    async def skip(self, item: int, by: str = "", reason: str = "") -> Receipt:
        """Goes on without a failed task. Raises UnknownWork, NotAllowed."""
        return await self._resolve(item, by, FalloutAction.SKIP, reason, {})

    @needs(Permission.FALLOUT_RESOLVE)
    async def complete_by_hand(
        self, item: int, by: str = "", outputs: Mapping[str, object] | None = None, reason: str = ""
    ) -> Receipt:
        """Counts a failed task as done, with what its operation would have put out. Raises UnknownWork, ValuesRefused,
        NotAllowed."""
        work = self._work_of(item, WorkKind.FALLOUT, "complete")
        design = await self._design(self._order(work.order).design)
        read = forms.read_form(await self._outputs(work), outputs or {}, design.enums)
        return await self._resolve(item, by, FalloutAction.COMPLETE, reason, read)

    # --- the owner of the order

    @needs(Permission.FALLOUT_RESOLVE)
    async def return_to_owner(self, item: int, attributes: Sequence[str] = (), text: str = "", by: str = "") -> Receipt:
        """Asks the owner of the order for attributes of the line, or for what `text` says; the world is told of
        `order.information_required`. The task stays in fallout and its item waits until the owner answers, amends the
        order, or it is taken back. Raises UnknownWork, ValuesRefused, NotAllowed."""
        work = self._work_of(item, WorkKind.FALLOUT, "return")
        await self._check_wanted(work, attributes, text)
        after = {"state": WorkState.RETURNED.value, "attributes": ", ".join(attributes)}
        deed = self._item_deed("return_to_owner", work, by, after=after, reason=text)
        event = InformationRequired(task=work.task, attributes=tuple(attributes), by=deed.who, text=text)
        return await self._finish(work, event, "return", deed)

    @needs(Permission.FALLOUT_RESOLVE)
    async def take_back(self, item: int, by: str = "", reason: str = "") -> WorkItem:
        """Waits no more for the owner of the order: the item is open again. Raises UnknownWork, NotAllowed."""
        work = self._work_of(item, WorkKind.FALLOUT, "take back")
        if work.state is not WorkState.RETURNED:
            raise NotAllowed(what="take back", why=f"work item {item} does not wait for the owner of the order")
        deed = self._item_deed("take_back", work, by, after={"state": WorkState.OPEN.value}, reason=reason)
        self._store.take_back(item, deed.at, deed)
        return self._work_item(item)

    @needs(Permission.ORDERS_VIEW)
    async def wanted(self, order: str = "") -> list[Wanted]:
        """What owners of orders are asked for; only of orders that are theirs to see. Raises UnknownOrder."""
        if order:
            self._order(order)
        return self._store.wanted(order, self._principal.accounts)

    @needs(Permission.ORDERS_CHANGE)
    async def answer(self, item: int, values: Mapping[str, object], by: str = "", reason: str = "") -> Receipt:
        """The owner of an order gives what was wanted: the line is corrected and the failed task tried again. Where
        no attributes were named, `reason` is the answer, and those who work the queue look again. Raises UnknownWork
        where nothing is wanted of them under this number, ValuesRefused, NotAllowed."""
        found = self._wanted(item)
        state = await self._state(found.order)
        expected = f"one of {', '.join(found.attributes)}" if found.attributes else "none: an answer in words"
        problems = [DocumentProblem(name, "a value", expected) for name in values if name not in found.attributes]
        problems += [DocumentProblem(name, "nothing", "a value") for name in found.attributes if name not in values]
        if not found.attributes and not reason:
            problems.append(DocumentProblem("reason", "nothing", "the answer in words"))
        if problems:
            raise ValuesRefused(problems)
        if not found.attributes:
            return self._answer_in_words(found, by, reason)
        read = await self._read_correction(state, found.line, values)
        before = {name: to_json(state.lines[found.line].attributes.get(name)) for name in read}
        after = {name: to_json(value) for name, value in read.items()}
        deed = self._deed(
            "answer", "work", str(item), by=by, order=found.order, before=before, after=after, reason=reason
        )
        events = (
            LineCorrected(line=found.line, values=read, by=deed.who, reason=reason),
            FalloutResolved(task=found.task, action=FalloutAction.RETRY, by=deed.who, reason=reason),
        )
        with allowed("answer"):
            number = self._store.post_answer(item, events, deed.at, deed)
        return await self._answered(number, found.order, "answer")

    # --- inside

    def _answer_in_words(self, found: Wanted, by: str, reason: str) -> Receipt:
        after: dict[str, Json] = {"state": WorkState.OPEN.value}
        deed = self._deed("answer", "work", str(found.item), by=by, order=found.order, after=after, reason=reason)
        with allowed("answer"):
            self._store.take_back(found.item, deed.at, deed)
        return Receipt(verdict=Verdict.APPLIED, number=0, order=found.order)

    async def _check_wanted(self, work: WorkItem, attributes: Sequence[str], text: str) -> None:
        """Raises ValuesRefused, NotAllowed."""
        if not attributes and not text:
            raise NotAllowed(what="return", why="name the attributes that are wanted, or say in words what is")
        state = await self._state(work.order)
        task = state.tasks.get(work.task)
        line = None if task is None or task.version else state.lines.get(task.line)
        if line is None:
            raise NotAllowed(what="return", why=f"the line of task `{work.task}` is not there any more")
        known = (await self._design(state.design)).specs[line.spec].attributes
        problems = [
            DocumentProblem(name, "no attribute of the line", f"one of {', '.join(known)}")
            for name in attributes
            if name not in known
        ]
        if problems:
            raise ValuesRefused(problems)

    def _wanted(self, item: int) -> Wanted:
        with contextlib.suppress(NotFound):
            order = self._store.work_item(item).order
            for found in self._store.wanted(order, self._principal.accounts, limit=10_000):
                if found.item == item:
                    return found
        raise UnknownWork(item=item)

    def _seen(self, where: FalloutFilter | None) -> FalloutFilter:
        """Only what is theirs to see."""
        found = where or FalloutFilter()
        return replace(found, queues=self._principal.queues, accounts=self._principal.accounts)

    async def _read_correction(self, state: OrderState, line: str, values: Mapping[str, object]) -> dict[str, Value]:
        if line not in state.lines:
            raise UnknownLine(order=state.order.id, line=line)
        if why := uncorrectable(state.lines[line]):
            raise NotAllowed(what="correct", why=why)
        design = await self._design(state.design)
        return forms.read_values(design.specs[state.lines[line].spec].attributes, values, design.enums)

    async def _outputs(self, work: WorkItem) -> Iterable[Attribute]:
        """What the task of a work item may put out."""
        state = await self._state(work.order)
        task = state.tasks.get(work.task)
        if task is None:
            raise UnknownTask(order=work.order, task=work.task)
        program = await asyncio.to_thread(self._library.program, state.design)
        return definitions(program).tasks[task.definition].results().values()

    async def _resolve(
        self, item: int, by: str, action: FalloutAction, reason: str, outputs: Mapping[str, Value]
    ) -> Receipt:
        work = self._work_of(item, WorkKind.FALLOUT, str(action))
        after = {name: str(to_json(value)) for name, value in outputs.items()}
        deed = self._item_deed(str(action), work, by, after={"action": str(action), **after}, reason=reason)
        event = FalloutResolved(task=work.task, action=action, by=deed.who, reason=reason, outputs=outputs)
        return await self._finish(work, event, str(action), deed)
