"""The worker of one runtime: made when it is first needed, with the connectors of all deployed designs."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from orderloom.connectors.protocol import Connector
from orderloom.connectors.registry import open_connector
from orderloom.connectors.templates.operation import OperationTemplates
from orderloom.models.callout import Answer
from orderloom.models.design import Design
from orderloom.runtime.clock import Clock
from orderloom.runtime.deployment import Library
from orderloom.runtime.store.interface import Store
from orderloom.runtime.worker.worker import Worker


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
        self._worker: Worker | None = None
        self._connectors: list[Connector] = []
        #: loops of this host that run now
        self._running = 0
        self._stop = asyncio.Event()
        self._stopped = asyncio.Event()

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
        self._running += 1
        try:
            await worker.run_until_idle(within)
        finally:
            self._running -= 1

    async def run_forever(self, stop: asyncio.Event) -> None:
        """Raises WorkerRunning."""
        worker = self._made()
        watch = asyncio.get_running_loop().create_task(self._pass_on(stop))
        self._running += 1
        try:
            await worker.run_forever(self._stop)
        finally:
            watch.cancel()
            self._running -= 1
            self._stopped.set()

    async def close(self) -> None:
        """Ends the worker, and what it has open."""
        if self._worker is None:
            return
        self._stop.set()
        if self._running:
            await self._stopped.wait()
        self._worker.close()
        for connector in self._connectors:
            await connector.close()

    def read_callback(
        self, design: Design, operation: str, message: bytes | Mapping[str, object], headers: Mapping[str, str]
    ) -> tuple[str, Answer]:
        """The correlation of a callback message ("" where it has none), and what it means."""
        return OperationTemplates(design.operations[operation], design.enums).read_callback(message, headers)

    def _made(self) -> Worker:
        if self._worker is None:
            self._worker = Worker(self._store, self._library.program, self._connector, self._clock)
        return self._worker

    def _connector(self, digest: str, name: str) -> Connector:
        opened = open_connector(self._library.design(digest), name, self._environment, self._environ)
        self._connectors.append(opened)
        return opened

    async def _pass_on(self, stop: asyncio.Event) -> None:
        await stop.wait()
        self._stop.set()
