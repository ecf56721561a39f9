"""The http connector against real servers on loopback."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import web

from orderloom.connectors.http import connector as http_module
from orderloom.connectors.http.connector import HttpConnector, retry_after
from orderloom.connectors.http.limits import TokenBucket
from orderloom.models.callout import Answer, Outcome
from orderloom.models.integration import Limit, Operation, RetryOn

from .loopback import Handler, answered, serving
from .systems import callout, http_connector, operation


def calling(
    handler: Handler,
    found: Operation | None = None,
    use: Callable[[HttpConnector, Operation], Awaitable[Answer]] | None = None,
) -> Answer:
    """The answer to one call of a server."""

    async def run() -> Answer:
        asked = found or operation()
        async with serving(handler) as url:
            connector = http_connector(url + "/base/", asked)
            try:
                return await (use(connector, asked) if use else connector.call(asked, callout()))
            finally:
                await connector.close()

    return asyncio.run(run())


def test_a_call_sends_the_template_with_its_idempotency_key() -> None:
    seen: list[tuple[str, str, str, object]] = []

    async def handler(request: web.Request) -> web.StreamResponse:
        seen.append((request.method, request.raw_path, request.headers["Idempotency-Key"], await request.json()))
        return answered()

    answer = calling(handler)
    assert seen == [("POST", "/base/reservations", "key-1", {"site": "S-1", "profile": "P100", "for": "O-1"})]
    assert answer.outcome is Outcome.COMPLETED
    assert answer.outputs == {"port_id": "P-1"}
    assert answer.exchange is not None
    assert answer.exchange.status == 201
    assert answer.exchange.duration > 0


def test_percent_encoding_reaches_the_server_as_it_was_written() -> None:
    seen: list[str] = []

    async def handler(request: web.Request) -> web.StreamResponse:
        seen.append(request.raw_path)
        return answered()

    found = operation(request="GET /ports/{{ line.site }}?q={{ line.profile }}\n")
    context = {"line": {"site": "a/../b%2e c", "profile": "1&2=3"}}
    calling(handler, found, lambda connector, asked: connector.call(asked, callout(context)))
    assert seen == ["/base/ports/a%2F..%2Fb%252e%20c?q=1%262%3D3"]


def test_a_value_that_cannot_be_sent_is_a_bad_request_and_nothing_is_sent() -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        raise AssertionError("sent")

    found = operation(request="GET /ports/{{ line.site }}\n")
    answer = calling(handler, found, lambda connector, asked: connector.call(asked, callout({"line": {"site": ".."}})))
    assert (answer.outcome, answer.code) == (Outcome.FATAL, "bad_request")


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (400, Outcome.FATAL),
        (404, Outcome.FATAL),
        (429, Outcome.RETRIABLE),
        (500, Outcome.RETRIABLE),
        (503, Outcome.RETRIABLE),
    ],
)
def test_statuses_are_classified_by_retry_on(status: int, outcome: Outcome) -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        return answered(status, {})

    answer = calling(handler)
    assert (answer.outcome, answer.code) == (outcome, f"status_{status}")


def test_what_retry_on_leaves_out_is_fatal() -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        return answered(503, {})

    none = RetryOn(statuses=(), timeout=False, connection=False)
    assert calling(handler, operation(retry_on=none)).outcome is Outcome.FATAL


def test_redirects_are_not_followed() -> None:
    paths: list[str] = []

    async def handler(request: web.Request) -> web.StreamResponse:
        paths.append(request.path)
        return answered(302, {}, Location="/elsewhere")

    answer = calling(handler)
    assert paths == ["/base/reservations"]
    assert (answer.outcome, answer.code) == (Outcome.FATAL, "status_302")


def test_a_timeout_covers_the_whole_answer() -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(status=201, headers={"Content-Type": "application/json"})
        await response.prepare(request)
        for _ in range(100):
            await response.write(b" ")
            await asyncio.sleep(0.02)
        return response

    answer = calling(handler, operation(timeout=timedelta(milliseconds=150)))
    assert (answer.outcome, answer.code) == (Outcome.RETRIABLE, "timeout")
    assert answer.exchange is not None
    assert answer.exchange.status is None
    fatal = operation(timeout=timedelta(milliseconds=50), retry_on=RetryOn(timeout=False))
    assert calling(handler, fatal).outcome is Outcome.FATAL


def test_a_lost_connection_is_retriable() -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    answer = calling(handler)
    assert (answer.outcome, answer.code) == (Outcome.RETRIABLE, "connection")


def test_nobody_listening_is_a_connection_failure() -> None:
    async def run() -> Answer:
        found = operation()
        connector = http_connector("http://127.0.0.1:1", found)
        try:
            return await connector.call(found, callout())
        finally:
            await connector.close()

    assert asyncio.run(run()).code == "connection"


def test_an_answer_that_is_too_long_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_module, "MOST_ANSWER", 10_000)

    async def handler(request: web.Request) -> web.StreamResponse:
        return web.Response(body=b"x" * 20_000)

    answer = calling(handler)
    assert (answer.outcome, answer.code) == (Outcome.FATAL, "bad_response")
    assert "longer than 10000" in answer.message


def test_a_body_that_is_no_json_is_a_bad_response() -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        return web.Response(status=201, body=b"{", content_type="application/json")

    assert calling(handler).code == "bad_response"


def test_retry_after_is_passed_on() -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        return answered(503, {}, Retry_After="17")

    assert calling(handler).retry_after == 17


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("120", 120), ("0", 0), (" 5 ", 5), ("999999999999999999", 86400), ("-1", 0), ("soon", 0), ("", 0), ("٣", 0),
     ("Sun, 22 Nov 2026 10:01:00 GMT", 60), ("Sun, 22 Nov 2026 09:00:00 GMT", 0), ("Fri, 99 Nov 2026 10:00:00 GMT", 0)],
)  # fmt: skip
def test_retry_after_reads_numbers_and_dates(value: str, seconds: float) -> None:
    assert retry_after(value, datetime(2026, 11, 22, 10, 0, tzinfo=UTC)) == seconds


def test_no_more_calls_at_once_than_the_limit() -> None:
    running, most = 0, 0

    async def handler(request: web.Request) -> web.StreamResponse:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.02)
        running -= 1
        return answered()

    async def run() -> list[Answer]:
        found = operation()
        async with serving(handler) as url:
            connector = http_connector(url, found, limit=Limit(concurrent=3))
            answers = await asyncio.gather(*(connector.call(found, callout(key=str(n))) for n in range(12)))
            await connector.close()
            return list(answers)

    assert all(answer.outcome is Outcome.COMPLETED for answer in asyncio.run(run()))
    assert most == 3


def test_no_more_calls_a_second_than_the_limit() -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        return answered()

    async def run() -> float:
        found = operation()
        async with serving(handler) as url:
            connector = http_connector(url, found, limit=Limit(per_second=20))
            started = time.monotonic()
            await asyncio.gather(*(connector.call(found, callout(key=str(n))) for n in range(10)))
            passed = time.monotonic() - started
            await connector.close()
            return passed

    assert asyncio.run(run()) >= 0.38


def test_a_token_bucket_spaces_its_takers() -> None:
    bucket = TokenBucket(10)
    assert [round(bucket.take(100.0), 3) for _ in range(4)] == [0.0, 0.1, 0.2, 0.3]
    assert bucket.take(101.0) == 0.0


def test_the_connection_is_used_again() -> None:
    peers: set[object] = set()

    async def handler(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        peers.add(request.transport.get_extra_info("peername"))
        return answered()

    async def use(connector: HttpConnector, found: Operation) -> Answer:
        for number in range(4):
            await connector.call(found, callout(key=str(number)))
        return await connector.call(found, callout())

    calling(handler, use=use)
    assert len(peers) == 1


def test_cookies_of_one_call_are_not_sent_with_the_next() -> None:
    cookies: list[str | None] = []

    async def handler(request: web.Request) -> web.StreamResponse:
        cookies.append(request.headers.get("Cookie"))
        return answered(201, None, Set_Cookie="session=1")

    async def use(connector: HttpConnector, found: Operation) -> Answer:
        await connector.call(found, callout())
        return await connector.call(found, callout())

    calling(handler, use=use)
    assert cookies == [None, None]


@pytest.mark.parametrize(
    "url", ["ftp://a.example", "localhost:80", "http://u:p@a.example", "http://a.example/?x=1", "/x"]
)
def test_a_base_url_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="base_url"):
        http_connector(url, operation())


def test_an_operation_without_a_request_template_is_a_bad_request() -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        raise AssertionError("sent")

    assert calling(handler, replace(operation(), request=None)).code == "bad_request"


def test_an_idempotency_key_that_cannot_be_sent_is_a_bad_request() -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        raise AssertionError("sent")

    answer = calling(handler, use=lambda connector, found: connector.call(found, callout(key="a\r\nX-Injected: 1")))
    assert (answer.outcome, answer.code) == (Outcome.FATAL, "bad_request")
