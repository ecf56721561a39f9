"""The connector kind `simulator`: simulated systems in the same process."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from time import perf_counter

from orderloom.connectors.options import Options
from orderloom.connectors.simulator.script import Script
from orderloom.connectors.simulator.simulation import Message, Reply, Simulation
from orderloom.connectors.templates.body import parse_body
from orderloom.connectors.templates.classification import bad_request, bad_response, not_reached, timed_out
from orderloom.connectors.templates.operation import OperationTemplates
from orderloom.connectors.templates.problem import BadValue
from orderloom.connectors.templates.request import Request
from orderloom.models.callout import Answer, Callout, Exchange
from orderloom.models.catalog import Enum
from orderloom.models.integration import ConnectorDefinition, Operation

#: takes a callback message to whoever waits for it
OnCallback = Callable[[Message], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Made:
    """A call that its system has replied to."""

    templates: OperationTemplates
    request: str
    reply: Reply
    started: datetime
    #: `perf_counter` at the start
    clock: float


class SimulatorConnector:
    """See `orderloom.connectors.protocol.Connector`. The option `script` holds a script as YAML text."""

    def __init__(
        self,
        definition: ConnectorDefinition,
        options: Options,
        operations: Mapping[str, Operation],
        enums: Mapping[str, Enum],
        *,
        script: Script | None = None,
        on_callback: OnCallback | None = None,
    ) -> None:
        self.name = definition.name
        self._templates = {name: OperationTemplates(operation, enums) for name, operation in operations.items()}
        script = script or Script.parse(str(options.values.get("script") or ""))
        self.simulation = Simulation(script, self._templates, enums)
        self._waiting = frozenset(name for name in operations if self.simulation.waits(name))
        #: set by the host; without it, callback messages are dropped
        self.on_callback = on_callback
        self._pending: set[asyncio.Task[None]] = set()

    def answer(self, operation: Operation, callout: Callout) -> Answer | None:
        """Answers at once; None, and nothing done, for an operation that takes time or calls back by its script."""
        if operation.name in self._waiting:
            return None
        made = self._made(operation, callout)
        if isinstance(made, Answer):
            return made
        return _told(made, _read(operation, made))

    async def call(self, operation: Operation, callout: Callout) -> Answer:
        """Answers by the script, after its latency."""
        made = self._made(operation, callout)
        if isinstance(made, Answer):
            return made
        reply = made.reply
        if reply.latency:
            await asyncio.sleep(reply.latency)
        if reply.fault == "timeout":
            await asyncio.sleep(operation.timeout.total_seconds())
        answer = _read(operation, made)
        if reply.callback is not None:
            self._send_later(reply.callback)
        return _told(made, answer)

    def _made(self, operation: Operation, callout: Callout) -> _Made | Answer:
        """What the system replies, or the answer where no request can be made."""
        templates = self._templates[operation.name]
        clock = perf_counter()
        started = datetime.now(UTC)
        request: Request | None = None
        try:
            if templates.request_template is not None:
                request = templates.request(callout)
        except BadValue as problem:
            return bad_request(str(problem))
        try:
            sent = _body(request)
            reply = self.simulation.reply(operation.name, callout.key, sent, request.path if request else "")
        except (BadValue, ValueError) as problem:
            return bad_response(f"the simulated system failed: {problem}")
        said = f"{request.method} {request.target}" if request else operation.name
        return _Made(templates=templates, request=said, reply=reply, started=started, clock=clock)

    def read_callback(
        self, operation: Operation, message: bytes | Mapping[str, object], headers: Mapping[str, str]
    ) -> tuple[str, Answer]:
        """See `Connector.read_callback`."""
        return self._templates[operation.name].read_callback(message, headers)

    async def close(self) -> None:
        """Drops callback messages that are still to come."""
        for task in self._pending:
            task.cancel()
        await asyncio.gather(*self._pending, return_exceptions=True)

    def _send_later(self, message: Message) -> None:
        if self.on_callback is None:
            return
        task = asyncio.get_running_loop().create_task(deliver(self.on_callback, message))
        self._pending.add(task)
        task.add_done_callback(self._pending.discard)


async def deliver(on_callback: OnCallback, message: Message) -> None:
    """Hands a callback message over when it is due."""
    await asyncio.sleep(message.after)
    await on_callback(message)


def _told(made: _Made, answer: Answer) -> Answer:
    """The answer with what went over the wire."""
    reply = made.reply
    exchange = Exchange(
        request=made.request,
        response="" if reply.fault else str(reply.status),
        status=None if reply.fault else reply.status,
        started=made.started,
        duration=(perf_counter() - made.clock) * 1000,
    )
    return replace(answer, exchange=exchange)


def _read(operation: Operation, made: _Made) -> Answer:
    templates, reply = made.templates, made.reply
    match reply.fault:
        case "timeout":
            return timed_out(operation.retry_on, f"no complete answer within {operation.timeout.total_seconds():g} s")
        case "disconnect":
            return not_reached(operation.retry_on, "the connection was lost")
        case "garbage":
            return templates.answer(200, {"content-type": "application/json"}, GARBAGE)
    return templates.reader.read(reply.status, reply.headers, reply.body)


def _body(request: Request | None) -> object:
    if request is None or not request.body:
        return None
    content_type = next((value for name, value in request.headers if name.lower() == "content-type"), "")
    return parse_body(request.body, content_type)


#: what a system sends that has lost its mind
GARBAGE = b'{"\xff\x00<html>'

__all__ = ["GARBAGE", "OnCallback", "SimulatorConnector", "deliver"]
