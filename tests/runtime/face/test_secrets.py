"""Secrets are used, and found nowhere afterwards: not in the store, nor on a screen, nor in a log."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

import pytest
from aiohttp import web
from click.testing import CliRunner

from orderloom.connectors.secrets import SecretMissing, read_secret
from orderloom.runtime import Runtime
from orderloom.runtime.cli import command
from tests.runtime.face.parcels import FILES, box

#: by name; the second comes from a file
TOKEN, KEY = "tok-9f8e7d6c5b4a", 'key/1a+2b=3c"4d'

CONNECTORS = """
connector depot http {
  base_url setting depot_url
  auth bearer secret depot_token
}
connector desk http {
  base_url setting depot_url
  auth apikey header "X-Desk" key secret desk_key
}
operation desk.sign { request "templates/send.http.j2"  response "templates/send.yaml.j2"  output tracking string }
"""


def bundle(url: str) -> dict[str, str]:
    design = FILES["design.loom"]
    start, end = design.index("connector depot"), design.index("operation depot.send")
    plan = "  call sign { operation desk.sign  after pack }\n  wait seen {"
    return FILES | {
        "bundle.yaml": f"name: parcels\nversion: 1.0.0\nsettings: {{default: {{depot_url: '{url}'}}}}\n",
        "design.loom": (design[:start] + CONNECTORS + design[end:]).replace("  wait seen {", plan),
    }


async def echo(request: web.Request) -> web.Response:
    """A system that says all it was told, in a body, a header and an error."""
    told = dict(request.headers)
    error = {"code": told.get("X-Desk", "") or told["Authorization"], "message": str(told)}
    return web.json_response({"error": error}, status=409, headers={"X-Echo": error["code"]})


async def fails(home: Path, environ: dict[str, str]) -> list[str]:
    """Runs an order into fallout at both systems; what they were told."""
    application, told = web.Application(), []

    async def heard(request: web.Request) -> web.Response:
        told.append(request.headers.get("X-Desk") or request.headers["Authorization"])
        return await echo(request)

    application.router.add_post("/parcels", heard)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    async with await Runtime.open(home, environ=environ) as runtime:
        await runtime.deploy(bundle(f"http://127.0.0.1:{runner.addresses[0][1]}"))
        order = (await runtime.submit(box(id="O-1"))).id
        await runtime.run_until_idle()
        (item,) = await runtime.work()
        await runtime.complete(item.id, "ada", {"weight": 3})
        await runtime.run_until_idle()
        assert len(await runtime.attempts(order)) == 2
    await runner.cleanup()
    return sorted(told)


@pytest.fixture
def secrets(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "desk_key").write_text(KEY + "\n")
    return {"ORDERLOOM_SECRET_DEPOT_TOKEN": TOKEN, "ORDERLOOM_SECRETS_DIR": str(tmp_path / "secrets")}


def test_secrets_are_found_nowhere(tmp_path: Path, secrets: dict[str, str], caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    home = tmp_path / "home"
    assert asyncio.run(fails(home, secrets)) == [f"Bearer {TOKEN}", KEY]
    places = {str(path): path.read_bytes() for path in home.rglob("*") if path.is_file()}
    places["log"] = caplog.text.encode()
    shown = ["orders show O-1", "orders show O-1 --calls", "orders journal O-1", "fallout list", "bundles"]
    shown += [f"fallout show {item}" for item in (2, 3)]
    for arguments in [*shown, *(f"{each} --json" for each in shown)]:
        result = CliRunner().invoke(command, arguments.split(), env={"ORDERLOOM_HOME": str(home), **secrets})
        assert result.exit_code == 0, result.output
        places[arguments] = result.output.encode()
    assert "•••" in places["fallout show 2"].decode()
    parts = [part.encode() for part in (TOKEN, KEY, KEY.split('"')[0])]
    assert [place for place, content in places.items() if any(part in content for part in parts)] == []


def test_a_secret_that_is_missing_or_unreadable_is_told_by_name(tmp_path: Path, secrets: dict[str, str]) -> None:
    del secrets["ORDERLOOM_SECRET_DEPOT_TOKEN"]
    (tmp_path / "secrets" / "desk_key").write_bytes(b"\xff\xfe" + KEY.encode())

    async def run() -> list[str]:
        async with await Runtime.open(tmp_path / "home", environ=secrets) as runtime:
            await runtime.deploy(bundle("http://127.0.0.1:9"))
            await runtime.submit(box(id="O-1"))
            await runtime.run_until_idle()
            (item,) = await runtime.work()
            await runtime.complete(item.id, "ada", {"weight": 3})
            await runtime.run_until_idle()
            return [item.message for item in await runtime.work(kind="fallout", code="connector")]

    messages = asyncio.run(run())
    assert any("depot_token" in each and "ORDERLOOM_SECRET_DEPOT_TOKEN" in each for each in messages)
    assert any("desk_key" in each and "UTF-8" in each for each in messages)
    assert not any(KEY in each for each in messages)


def test_a_secret_file_that_is_closed_is_told_by_name(secrets: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    def closed(_path: Path, **_options: object) -> str:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_text", closed)
    with pytest.raises(SecretMissing, match=r"`desk_key` cannot be read: .*Permission denied"):
        read_secret("desk_key", secrets)
