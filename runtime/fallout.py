"""Failed tasks on the host's face: correct the data, then retry, skip or complete by hand."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping

from orderloom.engine.orchestration.definitions import definitions
from orderloom.models.catalog import Attribute
from orderloom.models.journal import FalloutAction, FalloutResolved, LineCorrected, WorkKind
from orderloom.models.values import Value
from orderloom.runtime import forms
from orderloom.runtime.access.guarding import needs
from orderloom.runtime.access.permissions import Permission
from orderloom.runtime.errors import UnknownLine, UnknownTask
from orderloom.runtime.store.views import WorkItem
from orderloom.runtime.views import Receipt
from orderloom.runtime.working import Working


class Fallout(Working):
    """The part of `Runtime` for those who work error queues."""

    @needs(Permission.LINES_CORRECT)
    async def correct(
        self, id: str, line: str, values: Mapping[str, object], by: str = "", reason: str = ""
    ) -> Receipt:
        """Corrects attributes of a line, read against its spec. Raises UnknownOrder, UnknownLine, ValuesRefused,
        NotAllowed."""
        state = await self._state(id)
        if line not in state.lines:
            raise UnknownLine(order=id, line=line)
        design = await self._design(state.design)
        attributes = design.specs[state.lines[line].spec].attributes
        read = forms.read_values(attributes, values, design.enums)
        deed = self._deed("correct", "line", line, by=by, order=id, reason=reason)
        event = LineCorrected(line=line, values=read, by=deed.who, reason=reason)
        return await self._ask(id, event, "correct", deed)

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

    # --- inside

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
        deed = self._item_deed(str(action), work, by, reason=reason)
        event = FalloutResolved(task=work.task, action=action, by=deed.who, reason=reason, outputs=outputs)
        return await self._finish(work, event, str(action), deed)
