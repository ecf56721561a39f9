"""Request templates: what they print, what they refuse, and that they end."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from orderloom.connectors.templates.problem import BadValue, TemplateProblem
from orderloom.connectors.templates.request import Request, RequestTemplate
from orderloom.models.integration import Template
from orderloom.models.values import Period, Value

JSON = "POST /x\nContent-Type: application/json\n\n"


def render(text: str, **line: Value) -> Request:
    return RequestTemplate(Template(path="t", text=text)).render({"line": line})


@pytest.mark.parametrize(
    ("value", "as_json", "as_text"),
    [
        (True, "true", "true"),
        (-7, "-7", "-7"),
        (Decimal("19.90"), "19.90", "19.90"),
        (Decimal("1E+3"), "1000", "1000"),
        (date(2026, 1, 31), '"2026-01-31"', "2026-01-31"),
        (datetime(2026, 1, 31, 10, tzinfo=UTC), '"2026-01-31T10:00:00Z"', "2026-01-31T10%3A00%3A00Z"),
        (timedelta(hours=4), '"PT4H"', "PT4H"),
        (Period(14), '"P14M"', "P14M"),
        ("a b", '"a b"', "a%20b"),
    ],
)
def test_values_of_every_type(value: Value, as_json: str, as_text: str) -> None:
    assert render(JSON + "{{ line.v }}", v=value).body.decode() == as_json
    assert render("GET /{{ line.v }}\n", v=value).target == f"/{as_text}"


def test_absent_values_are_null_in_json_and_refused_elsewhere() -> None:
    assert render(JSON + '{"a": {{ line.v }}}', v=None).body == b'{"a": null}'
    for text in ("GET /{{ line.v }}\n", JSON + '"<{{ line.v }}>"', "GET /x\nA: {{ line.v }}\n"):
        with pytest.raises(BadValue, match="absent"):
            render(text, v=None)
    assert render("GET /{{ line.v | default('none') }}\n", v=None).target == "/none"


def test_a_name_without_a_value_is_an_error() -> None:
    with pytest.raises(BadValue, match="`nope` has no value"):
        render(JSON + "{{ line.nope }}")
    with pytest.raises(BadValue, match="`what` has no value"):
        render(JSON + "{{ what }}")
    assert render(JSON + "{{ what.ever.there | default(1) }}").body == b"1"


def test_loops_conditions_and_set() -> None:
    text = (
        JSON + '{% set n = line.v | length %}\n{"n": {{ n }}, "items": [\n'
        "{% for item in line.v %}\n  {{ item | upper }}{% if not loop.last %},{% endif %}\n\n{% endfor %}\n"
        ']{% if n > 1 %}, "many": true{% elif n == 1 %}, "one": true{% else %}, "none": true{% endif %}}\n'
    )
    assert b'"many": true' in render(text, v=("a", "b")).body
    assert b'"one": true' in render(text, v=("a",)).body
    assert b'"none": true' in render(text, v=()).body


def test_headers_may_depend_on_conditions() -> None:
    text = "GET /x\n{% if line.v is present %}\nX-V: {{ line.v }}\n{% endif %}\nX-Last: 1\n"
    assert render(text, v="1").headers == (("X-V", "1"), ("X-Last", "1"))
    assert render(text, v=None).headers == (("X-Last", "1"),)


def test_a_form_may_be_written_on_several_lines() -> None:
    text = "POST /x\nContent-Type: application/x-www-form-urlencoded\n\na={{ line.v }}\n&b=1\n"
    assert render(text, v="x y\n").body == b"a=x%20y%0A&b=1"


@pytest.mark.parametrize(
    ("text", "message", "line"),
    [
        ("", "ends in its method", 1),
        ("FETCH /x\n", "`FETCH` is no method", 1),
        ("GET\nA: b\n", "no target", 1),
        ("GET http://evil.example/\n", "expected `/`", 1),
        ("GET {{ line.v }}\n", "starts with `/`", 1),
        ("GET //evil\n", "empty segment", 1),
        ("GET /a#b\n", "cannot stand in a target", 1),
        ("GET /%2{{ line.v }}\n", "`%` escape", 1),
        ("{{ line.v }} /x\n", "cannot stand in the method", 1),
        ("GET /x\n{{ line.v }}: 1\n", "cannot stand in the header name", 2),
        ("GET /x\nHost: evil\n", "`Host` cannot be set", 2),
        ("GET /x\nAuthorization: Basic x\n", "`Authorization` cannot be set", 2),
        ("GET /x\nno header\n", "cannot stand in a header's name", 2),
        ("GET /x\nnoheader\nA: b\n", "no header", 2),
        ("POST /x\n\n{}\n", "no `Content-Type`", 3),
        ("POST /x\nContent-Type: {{ line.v }}\n\n{}", "must be fixed text", 2),
        ("POST /x\nContent-Type: image/png\n\n{}", "`image/png` is not supported", 3),
        (JSON + '"\\{{ line.v }}"', "after a backslash", 4),
        (JSON + '"abc', "ends inside a string", 4),
        (JSON + '{% if line.v %}"{% endif %}', "different kinds of places", 4),
        (JSON + '[{% for v in line.v %}"{% endfor %}]', "different kinds of places", 4),
        ("POST /x\nContent-Type: text/xml\n\n<a {{ line.v }}/>", "stand in a tag", 4),
        ("POST /x\nContent-Type: text/xml\n\n<a b={{ line.v }}/>", "stand in a tag", 4),
        ("POST /x\nContent-Type: text/xml\n\n<a><!-- {{ line.v }} --></a>", "stand in a comment", 4),
        ("POST /x\nContent-Type: text/xml\n\n<a><![CDATA[{{ line.v }}]]></a>", "stand in a CDATA", 4),
        ("POST /x\nContent-Type: text/xml\n\n<!DOCTYPE a><a/>", "document type", 4),
        (JSON + "\n\n{{ line.v | frob }}", "no filter is called `frob`", 6),
        (JSON + "{{ line.v is odd }}", "no test is called `odd`", 4),
        (JSON + "{{ line.v( }}", "unexpected", 4),
    ],
)
def test_templates_that_are_none(text: str, message: str, line: int) -> None:
    with pytest.raises(TemplateProblem) as caught:
        RequestTemplate(Template(path="t", text=text))
    assert message in caught.value.message
    assert caught.value.line == line


@pytest.mark.parametrize(
    "expression",
    [
        "range(10)", "lipsum()", "cycler(1)", "line.v.format(1)", "line.v.__class__()", "self.x()", "9 ** 9", "1 / 2",
        "line | map(attribute='x')", "line | attr('x')", "dict(a=1)", "namespace()", "joiner()", "line.v | format(1)",
    ],
)  # fmt: skip
def test_calls_and_what_leads_out_are_not_part_of_the_language(expression: str) -> None:
    with pytest.raises(TemplateProblem):
        RequestTemplate(Template(path="t", text=JSON + "{{ " + expression + " }}"))


@pytest.mark.parametrize(
    "statement",
    [
        "include 'x'",
        "import 'x' as y",
        "from 'x' import y",
        "extends 'x'",
        "block a %}{% endblock",
        "macro a() %}{% endmacro",
        "filter upper %}{% endfilter",
        "raw2",
        "set x %}a{% endset",
        "autoescape false %}{% endautoescape",
        "do 1",
        "with %}{% endwith",
    ],
)
def test_statements_that_are_not_part_of_the_language(statement: str) -> None:
    with pytest.raises(TemplateProblem):
        RequestTemplate(Template(path="t", text=JSON + "1{% " + statement + " %}"))


@pytest.mark.parametrize(
    "expression",
    ["line.v.__class__", "line.v.__init__.__globals__", "line.items", "line.keys", "line['__class__']", "loop.x",
     "line.v[0]", "line.v.upper"],
)  # fmt: skip
def test_a_dot_reads_keys_and_nothing_else(expression: str) -> None:
    with pytest.raises(BadValue):
        render(JSON + "{{ " + expression + " }}", v="text")


@pytest.mark.parametrize(
    "text",
    [
        "{{ 'a' * 1000000000 }}",
        "{{ line.big * line.big * line.big * line.big }}",
        "{{ line.long | replace('a', line.long) }}",
        "{{ line.long | replace('', line.long) }}",
        "{{ line.many | join(line.long) }}",
        "{% for a in line.many %}{% for b in line.many %}{% for c in line.many %}{% endfor %}{% endfor %}{% endfor %}1",
        '["{% for a in line.many %}{{ line.long }}{% endfor %}"]',
        "{{ line.long ~ line.long ~ line.long ~ line.long ~ line.long }}",
        "{{ line.digits | int }}",
        "{{ 5 // 0 }}",
        "{{ 5 % 'x' }}",
        "{{ 'a' < 1 }}",
        "{{ '%s' % 1 }}",
        "{% for c in line.long %}{% endfor %}1",
    ],
)
def test_a_rendering_ends_soon(text: str) -> None:
    with pytest.raises(BadValue):
        render(JSON + text, big=10**600, long="a" * 1_000_000, many=("x",) * 1000, digits="9" * 100_000)
