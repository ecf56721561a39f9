"""The simulated systems themselves: no clock and no network, so a virtual clock can drive them too."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from random import Random

from orderloom.connectors.simulator.example import Example
from orderloom.connectors.simulator.script import Behaviour, Script, ScriptedAnswer
from orderloom.connectors.templates.expression import Expression, Text, compile_expression
from orderloom.connectors.templates.operation import OperationTemplates
from orderloom.connectors.templates.problem import BadValue
from orderloom.connectors.templates.response import compile_text
from orderloom.models.catalog import Enum
from orderloom.models.conversion import to_json

#: successful answers that each operation remembers by key; the oldest are forgotten
REMEMBERED = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A callback message that is due some time after the answer."""

    operation: str
    #: seconds after the answer
    after: float
    headers: Mapping[str, str]
    body: object


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What a simulated system does about one call."""

    status: int
    headers: Mapping[str, str]
    body: object
    #: seconds
    latency: float
    #: "" or one of `script.FAULTS`
    fault: str
    callback: Message | None = None
    #: whether this repeats the answer to an earlier call with the same key
    repeated: bool = False


class Simulation:
    """Answers calls by a script. A successful answer is given again to the same idempotency key, as real systems do."""

    def __init__(self, script: Script, templates: Mapping[str, OperationTemplates], enums: Mapping[str, Enum]) -> None:
        unknown = set(script.operations) - set(templates)
        if unknown:
            raise ValueError(f"simulator script: no operation is called `{sorted(unknown)[0]}`")
        self._systems = {
            name: _System(found, script.operations.get(name, Behaviour()), enums, Random(f"{script.seed}/{name}"))
            for name, found in templates.items()
        }
        #: how often each operation was called
        self.calls: Counter[str] = Counter()
        #: how often a call was answered again for its key
        self.repeats: Counter[str] = Counter()

    def waits(self, operation: str) -> bool:
        """Whether some of its answers take time, or send a message later."""
        return self._systems[operation].waits

    def reply(self, operation: str, key: str, request: object = None, path: str = "") -> Reply:
        """What becomes of a call; `request` is its parsed body."""
        self.calls[operation] += 1
        reply = self._systems[operation].reply(key, request, path)
        if reply.repeated:
            self.repeats[operation] += 1
        return reply


class _System:
    """One operation's state."""

    def __init__(
        self, templates: OperationTemplates, behaviour: Behaviour, enums: Mapping[str, Enum], random: Random
    ) -> None:
        operation = templates.operation
        self._name = operation.name
        self._behaviour = behaviour
        self._example = Example(operation, templates.reader, enums)
        self._random = random
        self._called_back = operation.callback is not None
        self._next = 0
        self._count = 0
        self._special = [(compile_expression(answer.when, 1), answer) for answer in behaviour.special]
        self._done: OrderedDict[str, Reply] = OrderedDict()
        self._bodies: dict[int, object] = {}

    @property
    def waits(self) -> bool:
        behaviour = self._behaviour
        answers = (*behaviour.answers, *behaviour.special, *(answer for _share, answer in behaviour.chances))
        return (
            self._called_back
            or behaviour.latency > 0
            or any(answer.latency > 0 or answer.fault == "timeout" for answer in answers)
        )

    def reply(self, key: str, request: object, path: str) -> Reply:
        if key and key in self._done:
            return self._done[key]
        self._count += 1
        context = {"request": request, "path": path, "key": key, "count": self._count}
        scripted = self._pick(context)
        reply = self._made(scripted, key, context)
        if key and reply.status < 300 and not reply.fault:
            self._done[key] = Reply(
                status=reply.status, headers=reply.headers, body=reply.body, latency=reply.latency, fault="",
                repeated=True,
            )  # fmt: skip
            if len(self._done) > REMEMBERED:
                self._done.popitem(last=False)
        return reply

    def _pick(self, context: Mapping[str, object]) -> ScriptedAnswer:
        behaviour = self._behaviour
        for condition, answer in self._special:
            if _holds(condition, context):
                return answer
        if behaviour.chances:
            drawn = self._random.random()
            for share, answer in behaviour.chances:
                if drawn < share:
                    return answer
                drawn -= share
        answer = behaviour.answers[min(self._next, len(behaviour.answers) - 1)]
        self._next += 1
        return answer

    def _made(self, scripted: ScriptedAnswer, key: str, context: Mapping[str, object]) -> Reply:
        status = self._example.status if scripted.status is None else scripted.status
        body = scripted.body
        if body is not None:
            body = self._filled(body, context)
        elif status < 300:
            body = self._example.answer(key)
        message = None
        if self._called_back and status < 300 and not scripted.fault:
            message = self._message(scripted, key, context)
        return Reply(
            status=status,
            headers=scripted.headers,
            body=body,
            latency=scripted.latency or self._behaviour.latency,
            fault=scripted.fault,
            callback=message,
        )

    def _message(self, scripted: ScriptedAnswer, key: str, context: Mapping[str, object]) -> Message | None:
        callback = scripted.callback
        if callback is None:
            return Message(operation=self._name, after=0.05, headers={}, body=self._example.message(key))
        if callback.after < 0:
            return None
        body = self._example.message(key) if callback.body is None else self._filled(callback.body, context)
        return Message(operation=self._name, after=callback.after, headers=callback.headers, body=body)

    def _filled(self, body: object, context: Mapping[str, object]) -> object:
        # a script's bodies live as long as the script, so their identity is a safe key
        compiled = self._bodies.get(id(body))
        if compiled is None:
            compiled = self._bodies[id(body)] = _compiled(body)
        return _evaluated(compiled, context)


def _holds(condition: Expression, context: Mapping[str, object]) -> bool:
    """Whether it is true; what it asks of a request that lacks it is not."""
    try:
        return condition.value(context) is True
    except BadValue:
        return False


def _compiled(body: object) -> object:
    if isinstance(body, Mapping):
        return {str(key): _compiled(value) for key, value in body.items()}
    if isinstance(body, (list, tuple)):
        return [_compiled(item) for item in body]
    if isinstance(body, date):
        return to_json(body)
    return compile_text(body) if isinstance(body, str) and "{{" in body else body


def _evaluated(body: object, context: Mapping[str, object]) -> object:
    if isinstance(body, dict):
        return {key: _evaluated(value, context) for key, value in body.items()}
    if isinstance(body, list):
        return [_evaluated(item, context) for item in body]
    return body.value(context) if isinstance(body, (Expression, Text)) else body
