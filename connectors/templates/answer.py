"""From a system's message to an Answer: outcome, outputs by their declared types, error code."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal

from orderloom.connectors.templates.body import parse_body
from orderloom.connectors.templates.classification import bad_response, failure_of_status
from orderloom.connectors.templates.encoding import plain_text
from orderloom.connectors.templates.expression import Entry
from orderloom.connectors.templates.problem import BadValue
from orderloom.connectors.templates.response import OUTCOMES, ResponseTemplate, compile_response
from orderloom.models.callout import Answer, Outcome
from orderloom.models.catalog import Enum
from orderloom.models.conversion import from_json
from orderloom.models.integration import Operation
from orderloom.models.values import Kind, Value

_LONGEST_CODE = 200
_LONGEST_MESSAGE = 2_000
_MOST_DIGITS = 400
_NOT_STORABLE = re.compile("[\0\ud800-\udfff]")


class AnswerReader:
    """Reads the answers and callback messages of one operation."""

    def __init__(self, operation: Operation, enums: Mapping[str, Enum]) -> None:
        self._operation = operation
        self._enums = enums
        self.response = compile_response(operation.response) if operation.response else None
        self.callback_response = self.response
        if operation.callback is not None and operation.callback.response is not None:
            self.callback_response = compile_response(operation.callback.response)

    def answer(self, status: int, headers: Mapping[str, str], content: bytes) -> Answer:
        """What an answer means; header names in lower case."""
        try:
            body = parse_body(content, headers.get("content-type", ""))
        except ValueError as problem:
            if 200 <= status < 300:
                return bad_response(str(problem))
            body = content.decode("utf-8", "replace")
        return self.read(status, headers, body)

    def read(self, status: int, headers: Mapping[str, str], body: object) -> Answer:
        """The same for a body that is parsed already."""
        return self._read(self.response, status, headers, body, after=False)[1]

    def message(self, headers: Mapping[str, str], body: object) -> tuple[str, Answer]:
        """What a callback message means, and which call it belongs to (its correlation, "" where it has none)."""
        return self._read(self.callback_response, 200, headers, body, after=True)

    def _read(
        self, response: ResponseTemplate | None, status: int, headers: Mapping[str, str], body: object, *, after: bool
    ) -> tuple[str, Answer]:
        context = {"status": status, "headers": headers, "body": body}
        correlation = ""
        try:
            correlation = self._correlation(response, context)
            outcome = self._outcome(response, context, after)
            if outcome in (Outcome.COMPLETED, Outcome.ACCEPTED):
                outputs = self._outputs(response, context, complete=outcome is Outcome.COMPLETED)
                if outcome is Outcome.ACCEPTED and not correlation:
                    correlate = self._operation.callback.correlate if self._operation.callback else "correlation"
                    raise BadValue(f"the answer was accepted but has no `{correlate}` to recognise its callback by")
                return correlation, Answer(outcome=outcome, outputs=outputs, correlation=correlation)
            code = _described(response.code if response else None, context)[:_LONGEST_CODE] or f"status_{status}"
            message = _described(response.message if response else None, context)[:_LONGEST_MESSAGE]
            return correlation, Answer(outcome=outcome, code=code, message=message)
        except BadValue as problem:
            return correlation, bad_response(str(problem))

    def _outcome(self, response: ResponseTemplate | None, context: Mapping[str, object], after: bool) -> Outcome:
        status = context["status"]
        assert isinstance(status, int)
        if response is None or response.outcome is None:
            if not 200 <= status < 300:
                return failure_of_status(status, self._operation.retry_on)
            return Outcome.ACCEPTED if self._operation.callback is not None and not after else Outcome.COMPLETED
        said = response.outcome.value(context)
        match said:
            case "completed":
                return Outcome.COMPLETED
            case "accepted":
                return Outcome.ACCEPTED
            case "failed":
                return failure_of_status(status, self._operation.retry_on)
            case "retry":
                return Outcome.RETRIABLE
            case "fatal":
                return Outcome.FATAL
        raise BadValue(f"`outcome` is {_shown(said)}; expected one of {', '.join(OUTCOMES)}")

    def _correlation(self, response: ResponseTemplate | None, context: Mapping[str, object]) -> str:
        if response is not None and response.correlation is not None:
            return _text(response.correlation, context)
        callback = self._operation.callback
        if callback is None:
            return ""
        if response is not None and callback.correlate in response.set:
            try:
                return _text(response.set[callback.correlate], context)
            except BadValue:
                return ""
        found = _field(context["body"], callback.correlate)
        return plain_text(found) if isinstance(found, (str, int, Decimal)) else ""

    def _outputs(
        self, response: ResponseTemplate | None, context: Mapping[str, object], *, complete: bool
    ) -> dict[str, Value]:
        outputs: dict[str, Value] = {}
        for name, attribute in self._operation.outputs.items():
            if response is None or (response.outcome is None and not response.set):
                found = _field(context["body"], name)
            else:
                found = _value(name, response.set.get(name), context)
            if found is None:
                if attribute.required and complete:
                    raise BadValue(f"the answer has no `{name}`, which is required")
                continue
            outputs[name] = self._typed(name, found)
        return outputs

    def _typed(self, name: str, found: object) -> Value:
        wanted = self._operation.outputs[name].type
        if wanted.kind is Kind.INTEGER and isinstance(found, Decimal) and found == found.to_integral_value():
            found = int(found)
        try:
            value = from_json(found, wanted, self._enums)
        except ValueError as problem:
            raise BadValue(f"`{name}`: {problem}") from None
        if isinstance(value, Decimal) and abs(value.adjusted()) > _MOST_DIGITS:
            raise BadValue(f"`{name}`: the number has more than {_MOST_DIGITS} digits")
        for text in value if isinstance(value, tuple) else (value,):
            if isinstance(text, str) and not _storable(text):
                raise BadValue(f"`{name}`: the text holds half a surrogate pair or a NUL")
        return value


def _field(body: object, name: str) -> object:
    return body.get(name) if isinstance(body, Mapping) else None


def _value(name: str, entry: Entry | None, context: Mapping[str, object]) -> object:
    if entry is None:
        return None
    try:
        return entry.value(context)
    except BadValue as problem:
        raise BadValue(f"`{name}`: {problem}") from None


def _text(entry: Entry | None, context: Mapping[str, object]) -> str:
    found = None if entry is None else entry.value(context)
    if found is None:
        return ""
    text = plain_text(found)
    return text if _storable(text) else text.encode("ascii", "backslashreplace").decode().replace("\0", "\\x00")


def _described(entry: Entry | None, context: Mapping[str, object]) -> str:
    # a failure keeps its meaning even where the system's error message is not what the template expects
    try:
        return _text(entry, context)
    except BadValue:
        return ""


def _storable(text: str) -> bool:
    return _NOT_STORABLE.search(text) is None


def _shown(found: object) -> str:
    text = repr(found)
    return text if len(text) <= 60 else text[:57] + "…"
