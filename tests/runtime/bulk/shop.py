"""Orders of boxes whose sale a shop may refuse, worked on by a worker with bulk interventions."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path

from orderloom.engine.program import Program, compile_design
from orderloom.models.callout import Answer, Callout, Exchange, Outcome
from orderloom.models.design import Design
from orderloom.models.integration import Operation
from orderloom.models.journal import WorkKind
from orderloom.models.tasks import TaskDefinition
from orderloom.runtime.bulk.duty import BulkDuty
from orderloom.runtime.clock import VirtualClock
from orderloom.runtime.store.bulk_records import BulkAction, BulkView, NewBulk
from orderloom.runtime.store.causes import FalloutFilter
from orderloom.runtime.store.sqlite import SqliteStore, open_store
from orderloom.runtime.store.views import WorkFilter, WorkItem
from orderloom.runtime.worker.worker import Worker
from tests.runtime.worker.making import NOW, Instant, call, design, order, submit

SELL = (call("sell"),)


class Library:
    """One design, whatever its digest."""

    def __init__(self, made: Design) -> None:
        self._program = compile_design(made)

    def design(self, _digest: str) -> Design:
        return self._program.design

    def program(self, _digest: str) -> Program:
        return self._program


class Shop:
    """A worker on a store of its own, and a system that refuses orders by their numbers."""

    def __init__(self, path: Path, tasks: Iterable[TaskDefinition] = SELL, *operations: Operation) -> None:
        self.design = design(tasks, *operations)
        self.store: SqliteStore = open_store(str(path / "orders.db"))
        self.clock = VirtualClock(NOW)
        self.sold: list[str] = []
        #: ids of orders that are refused, with the code
        self.refused: dict[str, str] = {}
        library = Library(self.design)
        duty = BulkDuty(self.store, library)  # type: ignore[arg-type]
        self.worker = Worker(
            self.store,
            library.program,
            lambda _digest, _name: Instant(self._answer),
            self.clock,
            duties=[duty],
        )

    def _answer(self, callout: Callout) -> Answer:
        id = str(callout.context["order"]["id"])
        self.sold.append(id)
        code = self.refused.get(id)
        if code is None and callout.operation == "shop.port":
            return Answer(outcome=Outcome.ACCEPTED, outputs={"ref": id}, correlation=id)
        if code is None:
            return Answer(outcome=Outcome.COMPLETED, outputs={"ref": "R"})
        said = Exchange(request="POST /sell", response="409", status=409, started=NOW, duration=1.0)
        return Answer(outcome=Outcome.FATAL, code=code, message=f"box of {id} is `{id}`", exchange=said)

    def submit(self, *numbers: int, refused: str = "") -> list[str]:
        made = [order(number) for number in numbers]
        if refused:
            self.refused |= {each.id: refused for each in made}
        submit(self.store, self.design, *made)
        return [each.id for each in made]

    def run(self) -> None:
        asyncio.run(self.worker.run_until_idle(timeout=30))

    def later(self, **span: float) -> None:
        """The clock goes on, and what is due then is done."""
        self.clock.advance(timedelta(**span))
        self.run()

    def fallout(self) -> list[WorkItem]:
        return sorted(self.store.work(WorkFilter(kinds=(WorkKind.FALLOUT,)), limit=10_000), key=lambda item: item.id)

    def start(self, action: BulkAction = BulkAction.RETRY, **fields: object) -> BulkView:
        given: dict[str, object] = {
            "action": action, "who": "ada", "start_at": self.clock.now(), "at_once": 1000, "where": FalloutFilter(),
        }  # fmt: skip
        return self.store.start_bulk(NewBulk(**given | fields), self.clock.now())  # type: ignore[arg-type]

    def close(self) -> None:
        self.worker.close()
        self.store.close()
