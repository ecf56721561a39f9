"""Both templates of an operation, compiled once."""

from __future__ import annotations

from collections.abc import Mapping

from orderloom.connectors.templates.answer import AnswerReader
from orderloom.connectors.templates.body import parse_body, parse_json
from orderloom.connectors.templates.classification import bad_response
from orderloom.connectors.templates.problem import BadValue, TemplateProblem
from orderloom.connectors.templates.request import Request, RequestTemplate
from orderloom.models.callout import Answer, Callout
from orderloom.models.catalog import Enum
from orderloom.models.integration import Operation


class OperationTemplates:
    """What a connector needs of an operation: its requests, and the meaning of what comes back."""

    def __init__(self, operation: Operation, enums: Mapping[str, Enum]) -> None:
        self.operation = operation
        self.request_template = RequestTemplate(operation.request) if operation.request else None
        self.reader = AnswerReader(operation, enums)

    def request(self, callout: Callout) -> Request:
        """The request of a call; raises BadValue where it cannot be made."""
        if self.request_template is None:
            raise BadValue(f"operation `{self.operation.name}` has no request template")
        return self.request_template.render(callout.context)

    def answer(self, status: int, headers: Mapping[str, str], content: bytes) -> Answer:
        """What an answer means; header names in lower case."""
        return self.reader.answer(status, headers, content)

    def read_callback(self, message: bytes | Mapping[str, object], headers: Mapping[str, str]) -> tuple[str, Answer]:
        """The correlation of a callback message, and what it means."""
        lower = {name.lower(): value for name, value in headers.items()}
        try:
            body: object = message if isinstance(message, Mapping) else _parsed(message, lower.get("content-type", ""))
        except ValueError as problem:
            return "", bad_response(str(problem))
        return self.reader.message(lower, body)


def _parsed(message: bytes, content_type: str) -> object:
    return parse_body(message, content_type) if content_type else parse_json(message)


__all__ = ["OperationTemplates", "TemplateProblem"]
