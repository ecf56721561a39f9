"""The connector kind `http`: calls over HTTP/1.1 with a pool of connections."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from time import perf_counter

import aiohttp
from yarl import URL

from orderloom.connectors.http.auth import (
    AuthenticationFailed,
    authenticator,
    credential_headers,
    required,
    tls_context,
)
from orderloom.connectors.http.limits import Gate
from orderloom.connectors.http.transcript import transcript
from orderloom.connectors.masking import Masker
from orderloom.connectors.options import Options
from orderloom.connectors.templates.classification import bad_request, bad_response, not_reached, timed_out
from orderloom.connectors.templates.operation import OperationTemplates
from orderloom.connectors.templates.problem import BadValue
from orderloom.connectors.templates.request import Request
from orderloom.models.callout import Answer, Callout, Outcome
from orderloom.models.catalog import Enum
from orderloom.models.integration import ConnectorDefinition, Operation

#: bytes of an answer's body that are read
MOST_ANSWER = 8_000_000
_MOST_PAUSE = 86_400.0


class AnswerTooLarge(Exception):
    """An answer whose body is longer than `MOST_ANSWER`."""


class HttpConnector:
    """See `orderloom.connectors.protocol.Connector`; options are `base_url` and, for a private CA, `authority`."""

    def __init__(
        self,
        definition: ConnectorDefinition,
        options: Options,
        operations: Mapping[str, Operation],
        enums: Mapping[str, Enum],
    ) -> None:
        kind = definition.auth.kind if definition.auth else "none"
        self.name = definition.name
        self._masker = Masker(options.secrets, credential_headers(kind, options.auth))
        try:
            self._base = _base_url(required(options.values, "base_url"))
        except ValueError as problem:
            raise ValueError(self._masker.mask(str(problem))) from None
        self._auth = authenticator(kind, options.auth, self._masker)
        self._tls = tls_context(kind, options.auth, options.values.get("authority"))
        self._gate = Gate(definition.limit)
        self._concurrent = definition.limit.concurrent or 0
        self._templates = {name: OperationTemplates(operation, enums) for name, operation in operations.items()}
        self._session: aiohttp.ClientSession | None = None

    async def call(self, operation: Operation, callout: Callout) -> Answer:
        """Makes the call; redirects are answers like any other and are not followed."""
        templates = self._templates[operation.name]
        try:
            request = templates.request(callout)
        except BadValue as problem:
            return bad_request(str(problem))
        async with self._gate.turn():
            return await _Attempt(self, operation, templates, request, callout.key).make()

    def read_callback(
        self, operation: Operation, message: bytes | Mapping[str, object], headers: Mapping[str, str]
    ) -> tuple[str, Answer]:
        """See `Connector.read_callback`."""
        return self._templates[operation.name].read_callback(message, headers)

    async def close(self) -> None:
        """Closes the pool."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    def session(self) -> aiohttp.ClientSession:
        """The pool, opened at the first call."""
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=self._concurrent, ssl=self._tls),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=None),
                headers={"User-Agent": "orderloom"},
                max_field_size=16_384,
            )
        return self._session


class _Attempt:
    """One attempt at a call, with what is known of it so far."""

    def __init__(
        self, connector: HttpConnector, operation: Operation, templates: OperationTemplates, request: Request, key: str
    ) -> None:
        self._connector = connector
        self._operation = operation
        self._templates = templates
        self._request = request
        self._url = connector._base + request.target
        self._key = key
        self._sent: tuple[tuple[str, str], ...] = request.headers
        self._answer: tuple[int, str, tuple[tuple[str, str], ...], bytes] | None = None

    async def make(self) -> Answer:
        started, clock = datetime.now(UTC), perf_counter()
        answer = await self._guarded()
        exchange = transcript(
            self._connector._masker,
            line=f"{self._request.method} {self._url}",
            headers=self._sent,
            body=self._request.body,
            answer=self._answer,
            started=started,
            duration=(perf_counter() - clock) * 1000,
        )
        masked, hidden = self._connector._masker.mask, self._connector._masker.mask_value
        return Answer(
            outcome=answer.outcome,
            outputs={name: hidden(value) for name, value in answer.outputs.items()},
            code=masked(answer.code),
            message=masked(answer.message),
            correlation=answer.correlation,
            retry_after=self._pause() if answer.outcome is Outcome.RETRIABLE else 0,
            exchange=exchange,
        )

    async def _guarded(self) -> Answer:
        retry_on = self._operation.retry_on
        limit = self._operation.timeout.total_seconds()
        try:
            async with asyncio.timeout(limit):
                return await self._exchange()
        except TimeoutError:
            return timed_out(retry_on, f"no complete answer within {limit:g} s")
        except AnswerTooLarge:
            return bad_response(f"the answer is longer than {MOST_ANSWER} bytes")
        except AuthenticationFailed as problem:
            outcome = Outcome.RETRIABLE if problem.retriable else Outcome.FATAL
            return Answer(outcome=outcome, code="authentication", message=str(problem))
        except aiohttp.InvalidURL:
            return bad_request(f"`{self._url}` is no URL")
        except (aiohttp.ClientError, OSError) as problem:
            return not_reached(retry_on, f"{type(problem).__name__}: {problem}"[:500])
        except ValueError as problem:
            return bad_request(f"the request cannot be sent: {problem}"[:500])

    async def _exchange(self) -> Answer:
        session = self._connector.session()
        credentials = await self._connector._auth.headers(session)
        await self._send(session, credentials)
        if self._answer is not None and self._answer[0] == 401 and self._connector._auth.rejected(credentials):
            await self._send(session, await self._connector._auth.headers(session))
        assert self._answer is not None
        status, _, headers, content = self._answer
        return self._templates.answer(status, {name.lower(): value for name, value in headers}, content)

    async def _send(self, session: aiohttp.ClientSession, credentials: Mapping[str, str]) -> None:
        self._answer = None
        self._sent = (*self._request.headers, ("Idempotency-Key", self._key), *credentials.items())
        async with session.request(
            self._request.method,
            URL(self._url, encoded=True),
            headers=self._sent,
            data=self._request.body or None,
            allow_redirects=False,
            skip_auto_headers=("Content-Type",),
        ) as response:
            content = await _read(response)
            self._answer = (response.status, response.reason or "", tuple(response.headers.items()), content)

    def _pause(self) -> float:
        if self._answer is None:
            return 0
        for name, value in self._answer[2]:
            if name.lower() == "retry-after":
                return retry_after(value, datetime.now(UTC))
        return 0


def retry_after(value: str, now: datetime) -> float:
    """Seconds of a `Retry-After` header (RFC 9110, 10.2.3), number or date; at most a day, 0 for anything else."""
    text = value.strip()
    if text.isdecimal() and text.isascii():
        return min(float(text[:9]), _MOST_PAUSE)
    try:
        until = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError):
        return 0
    until = until if until.tzinfo else until.replace(tzinfo=UTC)
    return min(max((until - now).total_seconds(), 0), _MOST_PAUSE)


async def _read(response: aiohttp.ClientResponse) -> bytes:
    chunks: list[bytes] = []
    size = 0
    async for chunk in response.content.iter_any():
        size += len(chunk)
        if size > MOST_ANSWER:
            raise AnswerTooLarge
        chunks.append(chunk)
    return b"".join(chunks)


def _base_url(text: str) -> str:
    url = URL(text)
    if url.scheme not in ("http", "https") or not url.host or url.query_string or url.fragment:
        raise ValueError(f"`base_url` is `{text}`; expected http(s)://host[:port][/path]")
    if url.user or url.password:
        raise ValueError("`base_url` holds credentials; expected them in `auth`")
    return str(url).rstrip("/")
