"""The simulated systems of a bundle on a virtual clock: their scripts answer the callouts of a simulated order."""

from __future__ import annotations

from datetime import timedelta

from orderloom.connectors.simulator import Message, Script, Simulation
from orderloom.connectors.templates.body import parse_body
from orderloom.connectors.templates.classification import bad_request, bad_response, not_reached, timed_out
from orderloom.connectors.templates.operation import OperationTemplates
from orderloom.connectors.templates.problem import BadValue
from orderloom.engine.simulation.script import Reply
from orderloom.models.callout import Answer, Callout, Outcome
from orderloom.models.design import Design
from orderloom.models.journal import SendCallout
from orderloom.runtime.errors import NotSimulated
from orderloom.runtime.simulated import SCRIPT

#: how long a lost connection or a refused request takes
_AT_ONCE = timedelta(milliseconds=1)


class Rehearsal:
    """Answers callouts by the requests that the design would send and the answers that its systems would give."""

    def __init__(self, design: Design, script: str) -> None:
        """`script` is YAML, see `orderloom.connectors.simulator.Script`. Raises NotSimulated."""
        self._design = design
        self._templates = {
            name: OperationTemplates(operation, design.enums)
            for name, operation in design.operations.items()
            if operation.request is not None
        }
        try:
            self._simulation = Simulation(Script.parse(script), self._templates, design.enums)
        except ValueError as problem:
            raise NotSimulated(name=design.name, why=f"{SCRIPT}: {problem}") from None

    def answer(self, command: SendCallout, number: int) -> Reply | None:
        """See `engine.simulation.Script.answer`; None for an operation without a request."""
        name = command.callout.operation
        templates = self._templates.get(name)
        if templates is None:
            return None
        operation = self._design.operations[name]
        try:
            body, target = _sent(templates, command.callout)
            reply = self._simulation.reply(name, command.callout.key, body, target)
        except BadValue as problem:
            return _reply(bad_request(str(problem)), _AT_ONCE)
        except ValueError as problem:
            return _reply(bad_response(f"the simulated system failed: {problem}"), _AT_ONCE)
        latency = timedelta(seconds=reply.latency) or timedelta(milliseconds=100)
        match reply.fault:
            case "timeout":
                return _reply(timed_out(operation.retry_on, "no answer in time"), operation.timeout)
            case "disconnect":
                return _reply(not_reached(operation.retry_on, "the connection was lost"), latency)
            case "garbage":
                return _reply(templates.answer(200, {"content-type": "application/json"}, b"<"), latency)
        answer = templates.reader.read(reply.status, reply.headers, reply.body)
        later = self._later(templates, reply.callback) if reply.callback else None
        return _reply(answer, latency, later if answer.outcome is Outcome.ACCEPTED else None)

    def _later(self, templates: OperationTemplates, message: Message) -> Reply | None:
        if message.after < 0:
            return None
        headers = {name.lower(): value for name, value in message.headers.items()}
        _correlation, answer = templates.reader.message(headers, message.body)
        return _reply(answer, timedelta(seconds=message.after))


def _sent(templates: OperationTemplates, callout: Callout) -> tuple[object, str]:
    """The body, parsed, and the path of a call's request."""
    request = templates.request(callout)
    kind = next((value for name, value in request.headers if name.lower() == "content-type"), "")
    return (parse_body(request.body, kind) if request.body else None), request.path


def _reply(answer: Answer, latency: timedelta, callback: Reply | None = None) -> Reply:
    return Reply(
        outcome=answer.outcome,
        outputs=answer.outputs,
        code=answer.code,
        message=answer.message,
        retry_after=answer.retry_after,
        latency=latency,
        callback=callback,
    )
