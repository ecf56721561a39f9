"""Secrets that systems say back, in whatever form, stand in no row, on no screen and in no log, whatever is done."""

from __future__ import annotations

import asyncio
import base64
import json
import logging
import sqlite3
from pathlib import Path
from urllib.parse import quote

import pytest
from aiohttp import web
from click.testing import CliRunner

from orderloom.runtime import Runtime
from orderloom.runtime.cli import command
from orderloom.runtime.store.causes import FalloutFilter
from tests.runtime.face.parcels import FILES, box

#: in a header, in another, and in the URL
TOKEN, KEY, PATH = "tok-9f8e7d6c5b4a", 'key/1a+2b=3c"4d', "hook-77aa66bb"
FORMS = {form for secret in (TOKEN, KEY, PATH) for form in (secret, quote(secret, safe=""), json.dumps(secret)[1:-1])}
FORMS |= {base64.b64encode(secret.encode()).decode() for secret in (TOKEN, KEY, PATH)}

CONNECTORS = """
connector depot http {
  base_url secret depot_hook
  auth bearer secret depot_token
}
connector desk http {
  base_url setting desk_url
  auth apikey header "X-Desk" key secret desk_key
}
operation desk.sign {
  request "templates/ask.http.j2"  response "templates/send.yaml.j2"  output tracking string
}
"""
ASK = "GET /sign?weight={{ line.weight }}\n"


def bundle(url: str) -> dict[str, str]:
    design = FILES["design.loom"]
    start, end = design.index("connector depot"), design.index("operation depot.send")
    plan = "  call sign { operation desk.sign  after pack  set label = response.tracking }\n  wait seen {"
    return FILES | {
        "bundle.yaml": f"name: parcels\nversion: 1.0.0\nsettings: {{default: {{desk_url: '{url}'}}}}\n",
        "templates/ask.http.j2": ASK,
        "design.loom": (design[:start] + CONNECTORS + design[end:]).replace("  wait seen {", plan),
    }


class Parrot:
    """Says all that it was told, as it was and encoded, in headers, body, code and message."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        #: refuses while true, else puts it all out
        self.refuses = True

    async def say(self, request: web.Request) -> web.Response:
        told = request.headers.get("X-Desk") or request.headers["Authorization"].removeprefix("Bearer ")
        self.heard += [told, request.path]
        encoded = base64.b64encode(told.encode()).decode()
        said = f"{told} {quote(told, safe='')} {encoded} {request.url} {dict(request.headers)}"
        if not self.refuses:
            return web.json_response({"tracking": said}, status=201, headers={"X-Echo": told})
        error = {"code": told, "message": said}
        return web.json_response({"error": error}, status=409, reason=f"no {told}", headers={"X-Echo": told})


async def everything(home: Path, environ: dict[str, str], parrot: Parrot) -> None:
    """Runs orders into fallout, and does with them all that people may do."""
    application = web.Application()
    application.router.add_route("*", "/{rest:.*}", parrot.say)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port = runner.addresses[0][1]
    environ["ORDERLOOM_SECRET_DEPOT_HOOK"] = f"http://127.0.0.1:{port}/{PATH}"
    async with await Runtime.open(home, environ=environ) as runtime:
        await runtime.deploy(bundle(f"http://127.0.0.1:{port}"))
        for number in range(3):
            await runtime.submit(box(id=f"O-{number}"))
        await runtime.run_until_idle()
        for item in await runtime.work():
            await runtime.complete(item.id, "ada", {"weight": 3})
        await runtime.run_until_idle()
        failed = await runtime.fallout()
        assert len(failed) == 6
        assert {each.cause.status for each in failed} == {409}
        await runtime.retry(failed[0].item.id, "ada", "again")
        await runtime.run_until_idle()
        failed = await runtime.fallout()
        await runtime.return_to_owner(failed[0].item.id, ("weight",), "how heavy?", "ada")
        await runtime.hold_connector("desk", "maintenance", "ada")
        await runtime.start_bulk("retry", by="ada", most_failed=1, at_once=1)
        await runtime.run_until_idle()
        await runtime.release_connector("desk", "ada")
        await runtime.run_until_idle()
        parrot.refuses = False
        await runtime.start_bulk("retry", FalloutFilter(order="O-1"), by="ada")
        await runtime.run_until_idle()
        assert any("•••" in str(line.attributes) for line in await runtime.lines("O-1"))
    await runner.cleanup()


def test_what_systems_say_back_is_hidden_everywhere(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    home, parrot = tmp_path / "home", Parrot()
    environ = {"ORDERLOOM_SECRET_DEPOT_TOKEN": TOKEN, "ORDERLOOM_SECRET_DESK_KEY": KEY}
    asyncio.run(everything(home, environ, parrot))
    assert {TOKEN, KEY, f"/{PATH}/parcels"} <= set(parrot.heard)
    places = {"log": caplog.text} | dict(rows(home)) | dict(screens(home, environ))
    assert len(places) > 40
    assert "•••" in places["fallout groups"]
    assert "•••" in places["table attempts"]
    assert [(place, form) for place, text in places.items() for form in FORMS if form in text] == []


def rows(home: Path) -> list[tuple[str, str]]:
    """Every cell of every table, and the files as they lie there."""
    found = [(str(path), path.read_bytes().decode(errors="replace")) for path in home.rglob("*") if path.is_file()]
    (path,) = home.glob("*.db")
    connection = sqlite3.connect(path)
    tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
    for table in tables:
        cells = [cell for row in connection.execute(f"SELECT * FROM {table}") for cell in row]
        text = "\n".join(c.decode(errors="replace") if isinstance(c, bytes) else str(c) for c in cells)
        found.append((f"table {table}", text))
    connection.close()
    return found


def screens(home: Path, environ: dict[str, str]) -> list[tuple[str, str]]:
    shown = ["fallout list", "fallout groups", "fallout wanted", "fallout bulk list", "fallout bulk show 1"]
    shown += ["orders list", "orders show O-0", "orders show O-0 --calls", "orders journal O-1", "connectors list"]
    shown += ["work list", "inventory", "audit", "bundles", "tasks paused", "orders show O-1 --tmf622"]
    shown += [f"fallout show {item}" for item in (4, 5, 6)]
    found: list[tuple[str, str]] = []
    for arguments in [*shown, *(f"{each} --json" for each in shown if "--" not in each)]:
        result = CliRunner().invoke(command, arguments.split(), env={"ORDERLOOM_HOME": str(home), **environ})
        assert result.exit_code == 0, (arguments, result.output)
        found.append((arguments, result.output))
    return found
