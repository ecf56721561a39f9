"""The external systems of a design, simulated behind real HTTP on loopback, for demonstrations and trials.

The design's connectors are pointed there by overriding their settings, and get made-up secrets; nothing else of the
host knows that the systems are not real.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Mapping

from aiohttp import web

from orderloom.connectors.options import setting_variable
from orderloom.connectors.secrets import secret_variable
from orderloom.connectors.simulator import Script, SimulatorServer
from orderloom.models.design import Design
from orderloom.models.integration import ConnectorDefinition, Secret, Setting
from orderloom.runtime.errors import NotSimulated

#: where a bundle keeps how its simulated systems answer
SCRIPT = "simulator.yaml"

#: takes a callback message: operation, body, headers
OnCallback = Callable[[str, bytes, Mapping[str, str]], Awaitable[None]]


class SimulatedSystems:
    """All systems of one design, and the office that takes their callbacks and grants their tokens."""

    def __init__(self, design: Design, script: str) -> None:
        """`script` is YAML, see `orderloom.connectors.simulator.Script`. Raises NotSimulated."""
        self._design = design
        try:
            self._script = Script.parse(script)
        except ValueError as problem:
            raise NotSimulated(name=design.name, why=f"{SCRIPT}: {problem}") from None
        self._server: SimulatorServer | None = None
        self._office: web.AppRunner | None = None
        self._on_callback: OnCallback | None = None
        #: what overrides settings and secrets, see `Runtime.open`; complete once started
        self.environ: dict[str, str] = {}

    @property
    def calls(self) -> int:
        """Requests that the systems got."""
        return len(self._server.requests) if self._server else 0

    def deliver_to(self, on_callback: OnCallback) -> None:
        """Takes callback messages from now on."""
        self._on_callback = on_callback

    async def start(self) -> None:
        """Listens on free ports of loopback."""
        office = web.Application()
        office.router.add_post("/token", self._grant)
        office.router.add_post("/callbacks/{operation}", self._receive)
        self._office = web.AppRunner(office, access_log=None, shutdown_timeout=0.1)
        await self._office.setup()
        await web.TCPSite(self._office, "127.0.0.1", 0).start()
        url = f"http://127.0.0.1:{self._office.addresses[0][1]}"
        self._server = SimulatorServer(
            self._script, self._design.operations, self._design.enums, callback_url=f"{url}/callbacks"
        )
        await self._server.start()
        for connector in self._design.connectors.values():
            self._point(connector, self._server.url(connector.name), f"{url}/token")

    async def deliver_pending(self) -> bool:
        """Waits until the callbacks that are still to come are delivered; returns whether there were any."""
        return self._server is not None and await self._server.deliver_pending()

    async def close(self) -> None:
        """Stops listening."""
        if self._server is not None:
            await self._server.close()
        if self._office is not None:
            await self._office.cleanup()

    def _point(self, connector: ConnectorDefinition, url: str, token_url: str) -> None:
        """Overrides the settings that say where a system is, and makes up its secrets."""
        auth = connector.auth.options if connector.auth else {}
        for option in (*connector.options.values(), *auth.values()):
            if isinstance(option, Secret):
                self.environ[secret_variable(option.name)] = secrets.token_urlsafe(12)
        if connector.kind != "http":
            return
        address = connector.options.get("base_url")
        if not isinstance(address, Setting):
            raise NotSimulated(name=connector.name, why="its base_url is no setting, so it cannot be pointed elsewhere")
        variable = setting_variable(address.name)
        if self.environ.get(variable, url) != url:
            raise NotSimulated(
                name=connector.name, why=f"it shares the setting `{address.name}` with another connector"
            )
        self.environ[variable] = url
        if isinstance(token := auth.get("token_url"), Setting):
            self.environ[setting_variable(token.name)] = token_url

    async def _grant(self, request: web.Request) -> web.Response:
        await request.read()
        token = {"access_token": secrets.token_urlsafe(16), "token_type": "Bearer", "expires_in": 3600}
        return web.json_response(token)

    async def _receive(self, request: web.Request) -> web.Response:
        message = await request.read()
        if self._on_callback is not None:
            await self._on_callback(request.match_info["operation"], message, dict(request.headers))
        return web.Response(status=204)
