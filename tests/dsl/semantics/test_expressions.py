"""Expressions made at random from what is well typed pass the checker and get the type they were made for.

Evaluated where all that is declared to be there is there, they have a value of that type.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from orderloom.dsl.bundle import read_files
from orderloom.dsl.compiler import compile_bundle
from orderloom.engine.expressions import Expressions, Scope
from orderloom.models.catalog import Action, Level
from orderloom.models.fulfillment import Line
from orderloom.models.source import Severity
from orderloom.models.values import Kind

HERE = Path(__file__).parent
SHARED = {
    path.relative_to(HERE / "files").as_posix(): path.read_text()
    for path in (HERE / "files").rglob("*")
    if path.is_file()
}
TABLE = 'table rates (speed Speed) -> (rate integer unit "Mbps", name string) { slow: 10, "s"  fast: 100, "f" }\n'

#: type -> expressions without operands
LEAVES: dict[str, list[str]] = {
    "boolean": ["true", "false", "managed", "line.managed", "note is present", "starts is absent", "root.managed"],
    "integer": ["3", "7", "seats", "quantity", "line.seats", "length(site)", "count lines of Port", "order.priority"],
    "decimal": ["1.5", "0.0", "seats / 2"],
    "rate": ["rate", "5 Mbps", "(1 Gbps + rate)", "line.rate", "rates(speed).rate"],
    "string": ['"x"', "site", "id", "order.id", '(note default "n")', "rates(speed).name"],
    "speed": ["speed", "line.speed", "Speed.slow"],
    "date": ["2026-01-31", "(starts default 2026-02-28)"],
    "duration": ["4h", "days(seats)"],
}
#: type -> (pattern, types of the operands)
NODES: dict[str, list[tuple[str, tuple[str, ...]]]] = {
    "boolean": [
        ("({} and {})", ("boolean", "boolean")),
        ("({} or {})", ("boolean", "boolean")),
        ("(not {})", ("boolean",)),
        ("({} == {})", ("integer", "integer")),
        ("({} < {})", ("rate", "rate")),
        ("({} >= {})", ("date", "date")),
        ("({} != {})", ("string", "string")),
        ("({} == slow)", ("speed",)),
        ("({} in (slow, fast))", ("speed",)),
        ("contains({}, {})", ("string", "string")),
        ("(any lines of Port as p where p.quantity > seats)", ()),
    ],
    "integer": [
        ("({} + {})", ("integer", "integer")),
        ("({} * {})", ("integer", "integer")),
        ("(-{})", ("integer",)),
        ("min({}, {})", ("integer", "integer")),
        ("(case {} {{ slow: {}  fast: {} }})", ("speed", "integer", "integer")),
        ("(parse_integer({}) default {})", ("string", "integer")),
        ("(sum p.quantity for lines of Port as p where p.code is present)", ()),
    ],
    "decimal": [
        ("({} - {})", ("decimal", "decimal")),
        ("({} / 4)", ("decimal",)),
        ("round({}, 2)", ("decimal",)),
        ("(({} / {}) default 1)", ("integer", "integer")),
    ],
    "rate": [
        ("({} + {})", ("rate", "rate")),
        ("({} * seats)", ("rate",)),
        ("({} + 5)", ("rate",)),
        ("(if {} then {} else {})", ("boolean", "rate", "rate")),
        ("max({}, {}, {})", ("rate", "rate", "rate")),
    ],
    "string": [
        ("upper({})", ("string",)),
        ("text({})", ("rate",)),
        ("({} + {})", ("string", "string")),
        ("(if {} then {} else {})", ("boolean", "string", "string")),
    ],
    "speed": [
        ("(if {} then slow else {})", ("boolean", "speed")),
        ("(case {} {{ true: {}  false: fast }})", ("boolean", "speed")),
    ],
    "date": [("add_months({}, seats)", ("date",)), ("({} + days(7))", ("date",))],
    "duration": [("({} - {})", ("date", "date")), ("({} * seats)", ("duration",))],
}
TARGETS = {
    "boolean": Kind.BOOLEAN,
    "integer": Kind.INTEGER,
    "decimal": Kind.DECIMAL,
    "rate": Kind.INTEGER,
    "string": Kind.STRING,
    "speed": Kind.ENUM,
    "date": Kind.DATE,
    "duration": Kind.DURATION,
}
SPEC = """
resource Made {
  boolean_ boolean required   integer_ integer required   decimal_ decimal required
  rate_ integer unit "Mbps" required   string_ string required   speed_ Speed required
  date_ date required   duration_ duration required
}
"""


PYTHON: dict[Kind, type] = {
    Kind.BOOLEAN: bool,
    Kind.INTEGER: int,
    Kind.DECIMAL: Decimal,
    Kind.STRING: str,
    Kind.ENUM: str,
    Kind.DATE: date,
    Kind.DURATION: timedelta,
}
LINE = Line(
    id="1",
    spec="Internet",
    level=Level.PRODUCT,
    action=Action.ADD,
    quantity=2,
    attributes={"speed": "fast", "site": "S1", "rate": 100, "managed": True, "seats": 3},
    parent="",
    root="1",
    asset="A1",
)
#: what is declared to be there is there, all else is absent
SCOPE = Scope(line=LINE, root=LINE, order={"id": "O1", "priority": 4, "order_date": datetime(2026, 1, 1, tzinfo=UTC)})


@st.composite
def expressions(draw: st.DrawFn, type_: str, depth: int = 3) -> str:
    if depth == 0 or draw(st.booleans()):
        return draw(st.sampled_from(LEAVES[type_]))
    pattern, operands = draw(st.sampled_from(NODES[type_]))
    return pattern.format(*(draw(expressions(each, depth - 1)) for each in operands))


@settings(max_examples=25, deadline=None)
@given(st.fixed_dictionaries({name: expressions(name) for name in TARGETS}))
def test_well_typed_expressions_pass(texts: dict[str, str]) -> None:
    mappings = "\n".join(f"  {name}_ = {text}" for name, text in texts.items())
    read = read_files({**SHARED, "case.loom": f"{TABLE}{SPEC}decompose Internet into Made {{\n{mappings}\n}}\n"})
    assert read.sources is not None, read.diagnostics
    result = compile_bundle(read.sources)
    errors = [found for found in result.diagnostics if found.severity is Severity.ERROR]
    assert not errors, "\n".join(f"{found.message} ({found.help}): {found.span}" for found in errors) + mappings
    assert result.design is not None
    compiled = Expressions(result.design.tables)
    for mapping in result.design.rules[0].mappings:
        name = mapping.attribute.removesuffix("_")
        assert mapping.value.expression.type.kind is TARGETS[name]
        assert mapping.value.expression.type.unit == ("Mbps" if name == "rate" else "")
        assert not mapping.value.expression.type.optional
        value = compiled.compiled(mapping.value).evaluate(SCOPE)
        assert isinstance(value, PYTHON[TARGETS[name]]), f"{texts[name]} gives {value!r}"
