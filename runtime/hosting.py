"""The worker of one runtime: made when it is first needed, with the connectors of all deployed designs."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator, Mapping

from orderloom.connectors.protocol import Connector
from orderloom.connectors.registry import open_connector
from orderloom.connectors.templates.operation import OperationTemplates
from orderloom.models.callout import Answer
from orderloom.models.design import Design
from orderloom.runtime.analytics.duty import Counting
from orderloom.runtime.bulk.duty import BulkDuty
from orderloom.runtime.clock import Clock
from orderloom.runtime.deployment import Library
from orderloom.runtime.desk.duty import DeskDuty
from orderloom.runtime.notifications.duty import Notifications
from orderloom.runtime.notifications.senders import Senders
from orderloom.runtime.sla.clockwork import Clockwork
from orderloom.runtime.sla.reckoning import Reckoning
from orderloom.runtime.store.interface import Store
from orderloom.runtime.worker.duties import Duty
from orderloom.runtime.worker.watching import Watchman
from orderloom.runtime.worker.worker import Worker

#: seconds that what is under way may take at the end
_GRACE = 5.0


class Host:
    """Runs the orders of a store in this process, on one event loop."""

    def __init__(
        self, store: Store, library: Library, clock: Clock, environment: str, environ: Mapping[str, str]
    ) -> None:
        self._store = store
        self._library = library
        self._clock = clock
        self._environment = environment
        self._environ = environ
        #: how clocks of work are reckoned
        self.reckoning = Reckoning(library)
        self._worker: Worker | None = None
        self._tasks: list[Duty] = []
        #: the ways out of notifications
        self.senders = Senders(environ)
        self._connectors: list[Connector] = []
        #: loops of this host that run now
        self._running = 0
        self._closing = asyncio.Event()
        self._resting = asyncio.Event()

    def wake(self) -> None:
        """Something was put into the inbox."""
        if self._worker is not None:
            self._worker.wake()

    def worker_runs(self) -> bool:
        """Whether a worker takes up what is put into the inbox, here or in another process."""
        if self._worker is not None:
            return bool(self._running)
        return self._store.worker_runs()

    async def run_until_idle(self, within: float) -> None:
        """Raises TimeoutError, WorkerRunning."""
        worker = self._made()
        with self._runs():
            await worker.run_until_idle(within)

    async def run_forever(self, stop: asyncio.Event) -> None:
        """Until `stop` is set, or the host is closed. Raises WorkerRunning."""
        worker = self._made()
        ended = asyncio.Event()
        watch = asyncio.get_running_loop().create_task(_either(stop, self._closing, ended))
        try:
            with self._runs():
                await worker.run_forever(ended)
        finally:
            watch.cancel()

    async def close(self) -> None:
        """Ends the worker, and what it has open."""
        self._closing.set()
        if self._worker is None:
            await self.senders.close()
            return
        if self._running:
            await self._resting.wait()
        for duty in self._tasks:
            await duty.close(_GRACE)
        await self._worker.let_go()
        self._worker.close()
        for connector in self._connectors:
            await connector.close()

    @contextlib.contextmanager
    def _runs(self) -> Iterator[None]:
        self._running += 1
        self._resting.clear()
        try:
            yield
        finally:
            self._running -= 1
            if not self._running:
                self._resting.set()

    def read_callback(
        self, design: Design, operation: str, message: bytes | Mapping[str, object], headers: Mapping[str, str]
    ) -> tuple[str, Answer]:
        """The correlation of a callback message ("" where it has none), and what it means."""
        return OperationTemplates(design.operations[operation], design.enums).read_callback(message, headers)

    def _made(self) -> Worker:
        if self._worker is None:
            self._tasks = self._duties()
            self._worker = Worker(self._store, self._library.program, self._connector, self._clock, duties=self._tasks)
        return self._worker

    def _duties(self) -> list[Duty]:
        """What the worker does beside orders."""
        return [
            BulkDuty(self._store, self._library),
            Clockwork(self._store, self.reckoning),
            Watchman(self._store, self._library),
            DeskDuty(self._store),
            Notifications(self._store, self.senders, self._clock),
            Counting(self._store),
        ]

    def _connector(self, digest: str, name: str) -> Connector:
        opened = open_connector(self._library.design(digest), name, self._environment, self._environ)
        self._connectors.append(opened)
        return opened


async def _either(stop: asyncio.Event, closing: asyncio.Event, ended: asyncio.Event) -> None:
    """Sets `ended` once one of the others is set."""
    waiting = [asyncio.ensure_future(each.wait()) for each in (stop, closing)]
    try:
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        ended.set()
    finally:
        for each in waiting:
            each.cancel()
