"""The service in runtime/README.md works as it stands there."""

from __future__ import annotations

import asyncio
import re
import types
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

import orderloom.runtime
from orderloom.runtime import Runtime
from tests.runtime.face.parcels import FILES, box

README = Path(__file__).parents[3] / "runtime/README.md"


def service() -> Any:
    """The module that the README shows."""
    found = re.search(r"<!-- service -->\n```python\n(.*?)```", README.read_text(), re.DOTALL)
    assert found
    module = types.ModuleType("service")
    exec(compile(found[1], str(README), "exec"), module.__dict__)
    return module


def test_the_service_takes_and_shows_orders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORDERLOOM_HOME", str(tmp_path))
    asyncio.run(_use(service().app))


async def _use(app: web.Application) -> None:
    async with await Runtime.open() as runtime:
        await runtime.deploy(FILES)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    async with aiohttp.ClientSession(url) as session:
        headers = {"Idempotency-Key": "k-1"}
        for _ in range(2):
            async with session.post("/productOrder", json=box(externalId="X"), headers=headers) as response:
                assert response.status == 201
                order = await response.json()
        assert order["state"] == "acknowledged"
        async with session.get(f"/productOrder/{order['id']}") as response:
            assert (await response.json())["externalId"] == "X"
        async with session.post("/productOrder", data="{}") as response:
            assert response.status == 400
            refused = await response.json()
            assert refused["message"][0].startswith("productOrderItem: expected")
        async with session.get("/productOrder/nowhere") as response:
            assert response.status == 404
        async with session.post("/callbacks/depot.paint", data="{}") as response:
            assert response.status == 404
        async with session.post("/callbacks/depot.send", data='{"tracking": "T"}') as response:
            assert response.status == 204
    await runner.cleanup()
    async with await Runtime.open() as runtime:
        assert [each.external_id for each in await runtime.orders()] == ["X"]


def test_the_face_is_found_where_it_is_documented() -> None:
    assert orderloom.runtime.SyncRuntime.__name__ == "SyncRuntime"
    with pytest.raises(AttributeError):
        orderloom.runtime.Nothing  # noqa: B018
