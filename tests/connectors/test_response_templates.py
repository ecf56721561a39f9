"""What answers and callback messages mean."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from orderloom.connectors.templates.answer import AnswerReader
from orderloom.connectors.templates.body import parse_body
from orderloom.connectors.templates.operation import OperationTemplates
from orderloom.connectors.templates.problem import TemplateProblem
from orderloom.connectors.templates.response import compile_response
from orderloom.models.callout import Answer, Outcome
from orderloom.models.catalog import Enum
from orderloom.models.integration import Callback, Operation, RetryOn, Template
from orderloom.models.values import DATETIME, DECIMAL, DURATION, INTEGER, STRING, Kind, Type, Value

from .systems import operation

ENUMS = {"Speed": Enum(name="Speed", title="", values=("slow", "fast"))}
CALLBACK = Callback(correlate="reservation_id", within=timedelta(hours=4))


def read(found: Operation, status: int, body: object) -> Answer:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return AnswerReader(found, ENUMS).answer(status, {"content-type": "application/json"}, content)


def test_the_example_of_the_language() -> None:
    found = operation()
    assert read(found, 201, {"port": {"id": "P-1"}}) == Answer(outcome=Outcome.COMPLETED, outputs={"port_id": "P-1"})
    failed = read(found, 409, {"error": {"code": "NO_CAPACITY"}})
    assert failed == Answer(outcome=Outcome.FATAL, code="NO_CAPACITY")
    assert read(found, 503, {}) == Answer(outcome=Outcome.RETRIABLE, code="status_503")


@pytest.mark.parametrize(
    ("said", "status", "outcome"),
    [
        ("completed", 500, Outcome.COMPLETED),
        ("accepted", 200, Outcome.ACCEPTED),
        ("failed", 404, Outcome.FATAL),
        ("failed", 429, Outcome.RETRIABLE),
        ("retry", 404, Outcome.RETRIABLE),
        ("fatal", 503, Outcome.FATAL),
    ],
)
def test_outcomes(said: str, status: int, outcome: Outcome) -> None:
    found = operation(response=f"outcome: {said}\ncorrelation: c-1\n", outputs={})
    assert read(found, status, {}).outcome is outcome


def test_an_outcome_that_is_none() -> None:
    with pytest.raises(TemplateProblem, match="`done` is no outcome"):
        compile_response(Template(path="t", text="outcome: done"))
    answer = read(operation(response="outcome: {{ body.what }}\n", outputs={}), 200, {"what": "done"})
    assert answer.code == "bad_response"
    assert "expected one of completed" in answer.message


@pytest.mark.parametrize(
    ("wanted", "given", "value"),
    [
        (STRING, "x", "x"),
        (INTEGER, 7, 7),
        (INTEGER, 7.0, 7),
        (INTEGER, "7", 7),
        (DECIMAL, "19.90", Decimal("19.90")),
        (DECIMAL, 0.1, Decimal("0.1")),
        (DURATION, "PT4H", timedelta(hours=4)),
        (DATETIME, "2026-01-31T10:00:00Z", datetime(2026, 1, 31, 10, tzinfo=UTC)),
        (Type(Kind.ENUM, "Speed"), "fast", "fast"),
        (Type(Kind.LIST, item=STRING), ["a", "b"], ("a", "b")),
    ],
)
def test_outputs_are_read_by_their_types(wanted: Type, given: object, value: Value) -> None:
    found = operation(response="set: { x: '{{ body.x }}' }", outputs={"x": wanted})
    assert read(found, 200, {"x": given}).outputs == {"x": value}


@pytest.mark.parametrize(
    ("wanted", "given", "message"),
    [
        (STRING, 7, "expected string, found 7"),
        (INTEGER, "seven", "expected integer, found 'seven'"),
        (INTEGER, 7.5, "expected integer"),
        (Type(Kind.ENUM, "Speed"), "warp", "expected one of slow, fast, found 'warp'"),
        (STRING, {"a": 1}, "expected string"),
        (STRING, "\ud800", "surrogate"),
        (STRING, "a\0b", "NUL"),
        (DECIMAL, "1E+999999999", "digits"),
    ],
)
def test_an_output_of_another_type_is_a_bad_response(wanted: Type, given: object, message: str) -> None:
    found = operation(response="set: { x: '{{ body.x }}' }", outputs={"x": wanted})
    answer = read(found, 200, {"x": given})
    assert (answer.outcome, answer.code) == (Outcome.FATAL, "bad_response")
    assert message in answer.message
    assert "`x`" in answer.message


def test_a_missing_field_is_a_bad_response_unless_it_has_a_default() -> None:
    answer = read(operation(), 201, {"port": {}})
    assert (answer.code, answer.message) == ("bad_response", "`port_id`: `body.port.id` has no value")
    found = operation(response="set: { port_id: {{ body.a.b.c | default('none') }} }")
    assert read(found, 201, {}).outputs == {"port_id": "none"}


def test_a_required_output_must_come() -> None:
    found = operation(response="set: { port_id: {{ body.id | default(none) }} }")
    assert "`port_id`, which is required" in read(found, 201, {}).message


def test_the_failure_is_what_it_is_even_where_its_description_is_missing() -> None:
    found = operation(response="outcome: failed\ncode: {{ body.error.code }}\nmessage: 'says {{ body.error.text }}'\n")
    assert read(found, 503, b"<html>") == Answer(outcome=Outcome.RETRIABLE, code="status_503")
    told = read(found, 503, {"error": {"code": 17, "text": "no"}})
    assert (told.code, told.message) == ("17", "says no")


def test_what_a_system_answers_is_never_read_as_yaml_or_template() -> None:
    hostile = "x\noutcome: fatal\nset: {port_id: stolen}\n{{ 7*7 }} {% raw %} !!python/object:os.system ⦃0⦄"
    found = operation(response="outcome: completed\nset: { port_id: {{ body.id }} }\nmessage: m {{ body.id }}\n")
    assert read(found, 200, {"id": hostile}).outputs == {"port_id": hostile}


def test_without_a_template_two_hundreds_complete() -> None:
    found = operation(response=None)
    assert read(found, 200, {"port_id": "P"}).outputs == {"port_id": "P"}
    assert read(found, 404, {}).code == "status_404"
    assert read(found, 200, {}).code == "bad_response"
    assert read(operation(response=None, outputs={}, retry_on=RetryOn(statuses=((404, 404),))), 404, {}).outcome is (
        Outcome.RETRIABLE
    )


def test_a_call_with_a_callback_is_accepted_and_completed_by_its_message() -> None:
    found = operation(response=None, callback=CALLBACK)
    accepted = read(found, 202, {"reservation_id": "R-9"})
    assert (accepted.outcome, accepted.correlation) == (Outcome.ACCEPTED, "R-9")
    assert "reservation_id" in read(found, 202, {}).message
    templates = OperationTemplates(found, ENUMS)
    correlation, answer = templates.read_callback({"reservation_id": "R-9", "port_id": "P-1"}, {})
    assert (correlation, answer) == (
        "R-9",
        Answer(outcome=Outcome.COMPLETED, outputs={"port_id": "P-1"}, correlation="R-9"),
    )


def test_a_callback_message_has_its_own_template() -> None:
    message = Template(
        path="m", text="outcome: {{ body.state }}\ncorrelation: {{ body.ref }}\nset: {port_id: {{ body.p }}}"
    )
    callback = Callback(correlate="reservation_id", within=timedelta(hours=1), response=message)
    response = "outcome: accepted\nset: { reservation_id: {{ body.id }} }\n"
    found = operation(response=response, callback=callback)
    assert read(found, 202, {"id": 12}).correlation == "12"
    templates = OperationTemplates(found, ENUMS)
    correlation, answer = templates.read_callback(b'{"state": "completed", "ref": "12", "p": "P"}', {})
    assert (correlation, answer.outcome, answer.outputs) == ("12", Outcome.COMPLETED, {"port_id": "P"})
    assert templates.read_callback(b"{", {})[1].code == "bad_response"
    assert templates.read_callback({"state": "failed", "ref": "12"}, {})[1].outcome is Outcome.FATAL


@pytest.mark.parametrize(
    ("text", "message", "line"),
    [
        ("outcome: completed\nsett: {}", "`sett` is no key", 2),
        ("outcome: completed\noutcome: failed", "written twice", 2),
        ("- a", "is a mapping", 1),
        ("set: 3", "`set` is a mapping", 1),
        ("outcome: completed\ncode: {{ body. }}", "expected", 2),
        ("outcome: completed\ncode: {{ body", "no `}}`", 2),
        ("outcome: completed\ncode: {{ body() }}", "call is not part", 2),
        ("outcome: completed\ncode: {{ a b }}", "unexpected `b`", 2),
        ("outcome: [\n", "no YAML", 2),
        ("{% if status %}\n{% endif %}", "statements", 1),
        ("code: [{{ body.a }}]", "inside a list", 1),
    ],
)
def test_templates_that_are_none(text: str, message: str, line: int) -> None:
    with pytest.raises(TemplateProblem) as caught:
        compile_response(Template(path="t", text=text))
    assert message in caught.value.message
    assert caught.value.line == line


def test_bodies() -> None:
    xml = b'<?xml version="1.0"?><s:r xmlns:s="u" a="1"><b>x &amp; y</b><b/><c d="2">t</c></s:r>'
    assert parse_body(xml, "application/soap+xml; charset=utf-8") == {
        "r": {"@a": "1", "b": ["x & y", ""], "c": {"@d": "2", "#text": "t"}}
    }
    assert parse_body(b'{"a": 1.10}', "application/json") == {"a": Decimal("1.10")}
    assert parse_body("é".encode("latin-1"), "text/plain; charset=iso-8859-1") == "é"
    assert parse_body(b"", "application/json") is None


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"[" * 200_000, "application/json"),
        (b"1e999999999", "application/json"),
        (b"9" * 100_000, "application/json"),
        (b"NaN", "application/json"),
        (b"\xff", "application/json"),
        (b"<a>" * 100_000, "text/xml"),
        (b'<!DOCTYPE a [<!ENTITY b "bb">]><a>&b;</a>', "text/xml"),
        (b"<a>", "text/xml"),
    ],
)
def test_hostile_bodies_are_refused(content: bytes, kind: str) -> None:
    with pytest.raises(ValueError):
        parse_body(content, kind)
    answer = AnswerReader(operation(), {}).answer(201, {"content-type": kind}, content)
    assert answer.code == "bad_response"
