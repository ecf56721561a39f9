"""Calls under way are cancelled for a change, over HTTP: the systems see what they would see in production."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from aiohttp import web

from orderloom.models.change import TaskVerdict
from orderloom.models.order import OrderStatus
from orderloom.models.plan import TaskState
from orderloom.runtime import Runtime
from tests.connectors.loopback import serving

LAB = Path(__file__).parents[2] / "scenarios/designs/lab"


class Works:
    """A system that looks at the ground and lays cables, and can be told not to."""

    def __init__(self) -> None:
        #: method and path, and the idempotency key, of each request
        self.requests: list[tuple[str, str]] = []
        self.slow = False
        self.survives = 204
        #: set when the slow survey may answer
        self.looked = asyncio.Event()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.requests.append((f"{request.method} {unquote(request.path)}", request.headers["Idempotency-Key"]))
        if request.method == "DELETE":
            return web.Response(status=self.survives)
        if request.path == "/tickets":
            tickets = sum(1 for asked, _ in self.requests if asked == "POST /tickets")
            return web.json_response({"ticket": f"T-{tickets}"}, status=202)
        if self.slow:
            await self.looked.wait()
        return web.json_response({})

    @property
    def asked(self) -> list[str]:
        return [asked for asked, _ in self.requests]


def cable(length: int) -> dict[str, Any]:
    product = {
        "productSpecification": {"id": "Cable"},
        "productCharacteristic": [{"name": "length", "value": length}],
    }
    return {
        "billingAccount": {"id": "A-1"},
        "productOrderItem": [{"id": "1", "action": "add", "product": product}],
    }


@asynccontextmanager
async def at_work(home: Path) -> AsyncIterator[Runtime]:
    """A runtime whose worker runs."""
    async with await Runtime.open(home) as runtime:
        stop = asyncio.Event()
        worker = asyncio.create_task(runtime.run_forever(stop))
        try:
            yield runtime
        finally:
            stop.set()
            await worker


async def until(found: Callable[[], Awaitable[bool]]) -> None:
    for _ in range(500):
        if await found():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it never comes about")


async def states(runtime: Runtime, order: str) -> dict[str, TaskState]:
    return {task.rpartition("/Lay.")[2]: row.state for task, row in (await runtime.state(order)).tasks.items()}


def tried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, exercise: Callable[[Works, Path], Awaitable[None]]) -> None:
    async def run() -> None:
        works = Works()
        async with serving(works.handle) as url:
            monkeypatch.setenv("ORDERLOOM_SETTING_WORKS_URL", url)
            async with await Runtime.open(tmp_path) as runtime:
                await runtime.deploy(LAB)
            await exercise(works, tmp_path)

    asyncio.run(run())


def test_a_ticket_is_withdrawn_and_another_one_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def exercise(works: Works, home: Path) -> None:
        async with at_work(home) as runtime:
            order = (await runtime.submit(cable(20))).id

            async def waits() -> bool:
                return (await states(runtime, order)).get("lay") is TaskState.WAITING

            await until(waits)
            plan = await runtime.preview_amend(order, cable(30))
            verdicts = {each.task.rpartition(".")[2]: each.verdict for each in plan.tasks}
            assert verdicts == {"survey": TaskVerdict.REDO, "lay": TaskVerdict.CANCEL_FIRST}
            assert not plan.refused
            await runtime.amend(order, cable(30), "ana")

            async def again() -> bool:
                return "POST /tickets" in works.asked[3:] and await waits()

            await until(again)
            assert works.asked[2:] == ["DELETE /tickets/T-1", "POST /surveys", "POST /tickets"]
            found = await states(runtime, order)
            assert (found["lay~1"], found["lay/cancel~1"]) == (TaskState.CANCELLED, TaskState.COMPLETED)
            # the first ticket is over: what is said of it means nothing
            assert not (await runtime.callback("works.lay", {"ticket": "T-1", "result": "laid"})).tasks
            assert (await states(runtime, order))["lay"] is TaskState.WAITING
            await runtime.callback("works.lay", {"ticket": "T-2", "result": "laid"})

            async def ended() -> bool:
                return (await runtime.order(order)).status is OrderStatus.COMPLETED

            await until(ended)
            keys = dict(works.requests)
            assert len(set(keys.values())) == len(keys)
            attempts = [each.operation for each in await runtime.attempts(order)]
            assert attempts == ["works.survey", "works.lay", "works.withdraw", "works.survey", "works.lay"]
            assert not (await runtime.replay(order)).differences

    tried(tmp_path, monkeypatch, exercise)


def test_a_request_on_its_way_is_called_off_by_its_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def exercise(works: Works, home: Path) -> None:
        works.slow = True
        async with at_work(home) as runtime:
            order = (await runtime.submit(cable(20))).id

            async def asked() -> bool:
                return bool(works.requests)

            await until(asked)
            await runtime.cancel(order, "ana", "not wanted")

            async def ended() -> bool:
                return (await runtime.order(order)).status is OrderStatus.CANCELLED

            await until(ended)
            (_, key), (called_off, own) = works.requests
            assert called_off == f"DELETE /surveys/{key}"
            assert own != key
            works.looked.set()

            async def kept() -> bool:
                return "works.survey" in [each.operation for each in await runtime.attempts(order)]

            await until(kept)
            assert (await states(runtime, order))["survey"] is TaskState.CANCELLED
            assert not (await runtime.replay(order)).differences

    tried(tmp_path, monkeypatch, exercise)


def test_a_worker_that_comes_back_goes_on_cancelling(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def exercise(works: Works, home: Path) -> None:
        works.survives = 503
        async with at_work(home) as runtime:
            order = (await runtime.submit(cable(20))).id

            async def waits() -> bool:
                return (await states(runtime, order)).get("lay") is TaskState.WAITING

            await until(waits)
            await runtime.cancel(order, "ana")

            async def tried_once() -> bool:
                return (await states(runtime, order)).get("lay/cancel~1") is TaskState.SCHEDULED

            await until(tried_once)
            assert (await runtime.order(order)).status is OrderStatus.ASSESSING_CANCELLATION
        works.survives = 204
        async with at_work(home) as runtime:
            # it ends by itself while its cancelling waits for another attempt
            await runtime.callback("works.lay", {"ticket": "T-1", "result": "laid"})

            async def ended() -> bool:
                return (await runtime.order(order)).status is OrderStatus.CANCELLED

            await until(ended)
            found = await states(runtime, order)
            assert (found["lay"], found["lay/cancel~1"]) == (TaskState.CANCELLED, TaskState.CANCELLED)
            assert works.asked[2] == "DELETE /tickets/T-1"
            assert works.asked[3].startswith("DELETE /cables/")
            assert len(works.asked) == 4
            assert not (await runtime.replay(order)).differences

    tried(tmp_path, monkeypatch, exercise)
