"""Hostile values over a real connection: what the server reads is what the template says."""

from __future__ import annotations

import asyncio
from urllib.parse import unquote

from aiohttp import web

from orderloom.models.callout import Outcome

from .loopback import answered, serving
from .systems import callout, http_connector, operation
from .test_hostile_orders import NASTY

TEMPLATE = """\
POST /things/{{ line.value }}/parts?q={{ line.value }}&fixed=1
Content-Type: application/json
X-Value: {{ line.value }}
X-Fixed: 1

{"value": {{ line.value }}, "fixed": "<{{ line.value }}>"}
"""
BODY_ONLY = (
    TEMPLATE.replace("/{{ line.value }}/", "/x/")
    .replace("q={{ line.value }}", "q=1")
    .replace("X-Value: {{ line.value }}\n", "")
)
#: what the connector and the client library add
KNOWN = {"host", "user-agent", "accept", "accept-encoding", "content-length", "content-type", "idempotency-key"}


def test_a_server_reads_one_request_with_the_leaf_in_place() -> None:
    arrived = 0
    refused = 0

    async def run() -> None:
        nonlocal refused
        expected = ""

        async def handler(request: web.Request) -> web.StreamResponse:
            nonlocal arrived
            arrived += 1
            assert {name.lower() for name in request.headers} <= KNOWN | {"x-value", "x-fixed"}
            assert request.headers["X-Fixed"] == "1"
            things, leaf, parts = request.raw_path.partition("?")[0].removeprefix("/").split("/")
            assert (things, parts) == ("things", "parts")
            assert request.query["fixed"] == "1"
            body = await request.json()
            assert body == {"value": expected, "fixed": f"<{expected}>"}
            if "X-Value" in request.headers:
                assert unquote(leaf) == request.query["q"] == expected
                assert request.headers["X-Value"] == expected.strip()
            return answered()

        everywhere = operation(request=TEMPLATE)
        body_only = operation(name="inventory.body", request=BODY_ONLY)
        async with serving(handler) as url:
            connector = http_connector(url, everywhere, body_only)
            for value in NASTY:
                if len(value) > 2_000:
                    continue
                expected = value
                for found in (everywhere, body_only):
                    answer = await connector.call(found, callout({"line": {"value": value}}))
                    assert answer.outcome is Outcome.COMPLETED or answer.code == "bad_request", (value, answer)
                    refused += answer.code == "bad_request"
            await connector.close()

    asyncio.run(run())
    assert arrived > 500
    assert refused > 50
