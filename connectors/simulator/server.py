"""Simulated systems as a real HTTP server on loopback."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass

import aiohttp
import orjson
from aiohttp import web

from orderloom.connectors.simulator.connector import GARBAGE, OnCallback, deliver
from orderloom.connectors.simulator.script import Script
from orderloom.connectors.simulator.simulation import Message, Reply, Simulation
from orderloom.connectors.templates.body import parse_body
from orderloom.connectors.templates.encoding import plain_text
from orderloom.connectors.templates.operation import OperationTemplates
from orderloom.models.catalog import Enum
from orderloom.models.integration import Operation

_LARGEST_REQUEST = 16_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A request as the server got it."""

    operation: str
    method: str
    #: path and query, still percent-encoded, without the connector's prefix
    target: str
    #: names in lower case
    headers: Mapping[str, str]
    body: bytes


class SimulatorServer:
    """Serves the operations of all connectors, each connector under `/<its name>`; see `url`.

    Callback messages go to `on_callback`, or are POSTed as JSON to `callback_url` + `/<operation>`.
    """

    def __init__(
        self,
        script: Script,
        operations: Mapping[str, Operation],
        enums: Mapping[str, Enum],
        *,
        on_callback: OnCallback | None = None,
        callback_url: str = "",
    ) -> None:
        templates = {
            name: OperationTemplates(found, enums) for name, found in operations.items() if found.request is not None
        }
        self.simulation = Simulation(script, templates, enums)
        #: every request that named an operation, oldest first
        self.requests: list[Received] = []
        self.port = 0
        self._routes = sorted((_route(found) for found in templates.values()), key=lambda route: route.wildcards)
        self._on_callback = on_callback or (self._post if callback_url else None)
        self._callback_url = callback_url.rstrip("/")
        self._session: aiohttp.ClientSession | None = None
        self._runner: web.AppRunner | None = None
        self._pending: set[asyncio.Task[None]] = set()

    async def start(self, port: int = 0) -> int:
        """Listens on loopback; the port, a free one for 0."""
        application = web.Application(client_max_size=_LARGEST_REQUEST)
        application.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", port)
        await site.start()
        self.port = self._runner.addresses[0][1]
        return self.port

    def url(self, connector: str) -> str:
        """The base URL of a connector's system."""
        return f"http://127.0.0.1:{self.port}/{connector}"

    async def deliver_pending(self) -> bool:
        """Waits until the callback messages that are still to come have been sent; returns whether there were any."""
        pending = list(self._pending)
        await asyncio.gather(*pending, return_exceptions=True)
        return bool(pending)

    async def close(self) -> None:
        """Stops listening, and drops callback messages that are still to come."""
        for task in self._pending:
            task.cancel()
        await asyncio.gather(*self._pending, return_exceptions=True)
        if self._session is not None:
            await self._session.close()
        if self._runner is not None:
            await self._runner.cleanup()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        path, _, query = request.raw_path.partition("?")
        route = next((route for route in self._routes if route.matches(request.method, path)), None)
        if route is None:
            return web.json_response({"error": f"no operation has {request.method} {path}"}, status=404)
        content = await request.read()
        headers = {name.lower(): value for name, value in request.headers.items()}
        target = path[len(route.prefix) :]
        self.requests.append(
            Received(
                operation=route.operation,
                method=request.method,
                target=f"{target}?{query}" if query else target,
                headers=headers,
                body=content,
            )
        )
        try:
            body = parse_body(content, headers.get("content-type", "")) if content else None
        except ValueError as problem:
            return web.json_response({"error": str(problem)}, status=400)
        reply = self.simulation.reply(route.operation, headers.get("idempotency-key", ""), body, target)
        return await self._answered(request, reply)

    async def _answered(self, request: web.Request, reply: Reply) -> web.StreamResponse:
        if reply.latency:
            await asyncio.sleep(reply.latency)
        match reply.fault:
            case "timeout":
                await asyncio.sleep(3600)
            case "disconnect" if request.transport is not None:
                request.transport.abort()
            case "garbage":
                return web.Response(body=GARBAGE, content_type="application/json")
        if reply.callback is not None and self._on_callback is not None:
            task = asyncio.get_running_loop().create_task(deliver(self._on_callback, reply.callback))
            self._pending.add(task)
            task.add_done_callback(self._pending.discard)
        return _response(reply)

    async def _post(self, message: Message) -> None:
        self._session = self._session or aiohttp.ClientSession()
        headers = {"Content-Type": "application/json", **message.headers}
        url = f"{self._callback_url}/{message.operation}"
        async with self._session.post(url, data=_json(message.body), headers=headers) as response:
            await response.read()


@dataclass(frozen=True, slots=True)
class _Route:
    operation: str
    method: str
    prefix: str
    pattern: re.Pattern[str]
    wildcards: int

    def matches(self, method: str, path: str) -> bool:
        return method == self.method and self.pattern.fullmatch(path) is not None


def _route(found: OperationTemplates) -> _Route:
    template = found.request_template
    assert template is not None
    prefix = f"/{found.operation.connector}"
    pattern = re.escape(prefix) + "[^/]+".join(map(re.escape, template.path.split("\0")))
    return _Route(found.operation.name, template.method, prefix, re.compile(pattern), template.path.count("\0"))


def _response(reply: Reply) -> web.Response:
    headers = {name: value for name, value in reply.headers.items() if name.lower() != "content-type"}
    given = next((value for name, value in reply.headers.items() if name.lower() == "content-type"), "")
    if isinstance(reply.body, str) and given:
        content = reply.body.encode()
    else:
        content = b"" if reply.body is None else _json(reply.body)
    return web.Response(
        status=reply.status, body=content, headers={**headers, "Content-Type": given or "application/json"}
    )


def _json(body: object) -> bytes:
    return orjson.dumps(body, default=plain_text, option=orjson.OPT_NON_STR_KEYS)
