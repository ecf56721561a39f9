"""Random typed expressions, values, lines and their surroundings."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from hypothesis import strategies as st

from orderloom.engine.expressions import NOTHING, Scope, Snapshot
from orderloom.models.catalog import Action, Level, Spec
from orderloom.models.expression import (
    Arm,
    Binary,
    BinaryOperator,
    Call,
    Case,
    Collection,
    Default,
    Expression,
    If,
    Literal,
    Lookup,
    Membership,
    Presence,
    Quantified,
    Quantifier,
    Reference,
    Root,
    Unary,
    UnaryOperator,
    Variable,
)
from orderloom.models.fulfillment import Line
from orderloom.models.inventory import Asset, AssetState, Inventory
from orderloom.models.rules import AnyCell, Cell, Column, HitPolicy, RangeCell, Row, Table, ValueCell
from orderloom.models.values import (
    ACTION,
    BOOLEAN,
    DATE,
    DATETIME,
    DECIMAL,
    DURATION,
    INTEGER,
    PERIOD,
    STRING,
    Kind,
    Period,
    Type,
    Value,
)

COLOUR = Type(Kind.ENUM, "Colour")
COLOURS = ("red", "green", "blue")
INTEGERS = Type(Kind.LIST, item=INTEGER)
ORDERED = (INTEGER, DECIMAL, DATE, DATETIME, DURATION, PERIOD)
TYPES = (BOOLEAN, INTEGER, DECIMAL, STRING, DATE, DATETIME, DURATION, PERIOD, COLOUR, INTEGERS)

_VALUES: dict[Type, st.SearchStrategy[Value]] = {
    BOOLEAN: st.booleans(),
    INTEGER: st.integers(-3, 5) | st.integers() | st.sampled_from((10**399, -(10**399), 2**63)),
    DECIMAL: st.decimals(-3, 3, places=1)
    | st.decimals(allow_nan=False, allow_infinity=False)
    | st.sampled_from((Decimal("1E+999999"), Decimal("-9E-999999"), Decimal("0.1") + Decimal("1E-40"))),
    STRING: st.sampled_from(("", "a", " Ab ", "12", "-7.50", "+3", "ß", "1e5", "٣")) | st.text(max_size=5),
    DATE: st.dates() | st.sampled_from((date.min, date.max, date(2024, 2, 29), date(2026, 1, 31))),
    DATETIME: st.datetimes(timezones=st.just(UTC))
    | st.sampled_from((datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC))),
    DURATION: st.timedeltas() | st.sampled_from((timedelta.min, timedelta.max, timedelta(0), timedelta(hours=5))),
    PERIOD: st.builds(Period, st.integers(-30, 30) | st.integers()),
    COLOUR: st.sampled_from(COLOURS),
    ACTION: st.sampled_from([str(action) for action in Action]),
    INTEGERS: st.lists(st.integers(-2, 3), max_size=3).map(tuple),
}
#: two attributes of every type, by name
ATTRIBUTES: dict[str, Type] = {f"{type.kind}_{place}": type for type in TYPES for place in (1, 2)}
SPECS = {
    name: Spec(name=name, title="", level=Level.PRODUCT, attributes={}, lineage=lineage)
    for name, lineage in (("A", ("A",)), ("B", ("B", "A")), ("C", ("C",)))
}


def values(type: Type) -> st.SearchStrategy[Value]:
    """Present values of a type."""
    return _VALUES[type]


@st.composite
def attributes(draw: st.DrawFn) -> dict[str, Value]:
    """Values for some of the attributes."""
    names = draw(st.lists(st.sampled_from(sorted(ATTRIBUTES)), unique=True, max_size=len(ATTRIBUTES)))
    return {name: draw(values(ATTRIBUTES[name])) for name in names}


@st.composite
def scopes(draw: st.DrawFn) -> Scope:
    """An order of a few lines with some inventory, seen from one of its lines."""
    lines: list[Line] = []
    for place in range(draw(st.integers(1, 4))):
        lines.append(
            Line(
                id=str(place),
                spec=draw(st.sampled_from(sorted(SPECS))),
                level=Level.PRODUCT,
                action=draw(st.sampled_from(list(Action))),
                quantity=draw(st.integers(1, 3)),
                attributes=draw(attributes()),
                parent=draw(st.sampled_from(["", *(line.id for line in lines)])),
                root="0",
                asset=f"asset {place}",
                context=place > 0 and draw(st.booleans()),
            )
        )
    assets = {
        name: Asset(
            id=name,
            spec=draw(st.sampled_from(sorted(SPECS))),
            level=Level.PRODUCT,
            account="",
            state=AssetState.ACTIVE,
            attributes=draw(attributes()),
        )
        for name in ("x", "y")[: draw(st.integers(0, 2))]
    }
    line = draw(st.sampled_from(lines))
    parents = {each.id: each for each in lines}
    return Scope(
        line=line,
        parent=parents.get(line.parent, NOTHING),
        root=lines[0],
        asset=next(iter(assets.values()), NOTHING),
        order=draw(attributes()),
        account=draw(attributes()),
        target=draw(attributes()),
        collections=Snapshot(SPECS, lines, Inventory(assets=assets)),
    )


def cells(type: Type) -> st.SearchStrategy[Cell]:
    found: st.SearchStrategy[Cell] = st.just(AnyCell()) | st.lists(values(type), min_size=1, max_size=2).map(
        lambda given: ValueCell(tuple(given))
    )
    if type in ORDERED:
        bound = st.none() | values(type)
        found |= st.builds(RangeCell, bound, bound, st.booleans(), st.booleans())
    return found


@st.composite
def tables(draw: st.DrawFn) -> dict[str, Table]:
    """Two tables from (integer, colour) to (integer), one that takes the first hit and one that collects."""
    made = {}
    for name, policy in (("pick", HitPolicy.FIRST), ("collect", HitPolicy.COLLECT)):
        rows = tuple(
            Row(cells=(draw(cells(INTEGER)), draw(cells(COLOUR))), results=(draw(st.integers(0, 9)),))
            for _ in range(draw(st.integers(0, 4)))
        )
        made[name] = Table(
            name=name,
            title="",
            inputs=(Column(name="n", type=INTEGER), Column(name="c", type=COLOUR)),
            results=(Column(name="r", type=INTEGER),),
            policy=policy,
            rows=rows,
        )
    return made


def literals(type: Type) -> st.SearchStrategy[Expression]:
    return values(type).map(lambda value: Literal(value, type))


def references(type: Type) -> st.SearchStrategy[Expression]:
    names = [name for name, each in ATTRIBUTES.items() if each == type]
    roots = (Root.LINE, Root.LINE, Root.LINE, Root.PARENT, Root.ROOT, Root.ASSET, Root.ORDER, Root.TARGET)
    found: st.SearchStrategy[Expression] = st.builds(
        lambda root, name: Reference(root, name, type), st.sampled_from(roots), st.sampled_from(names)
    )
    if type == INTEGER:
        found |= st.sampled_from([Reference(root, "quantity", type, True) for root in (Root.LINE, Root.PARENT)])
    if type == STRING:
        found |= st.sampled_from([Reference(root, "spec", type, True) for root in (Root.ROOT, Root.ASSET)])
    return found


_BINARY = BinaryOperator
_COMPARED = (_BINARY.LESS, _BINARY.AT_MOST, _BINARY.MORE, _BINARY.AT_LEAST)
_EQUALITY = (_BINARY.EQUAL, _BINARY.UNEQUAL)
#: result type -> operator and operand types
_OPERATIONS: dict[Type, tuple[tuple[BinaryOperator, Type, Type], ...]] = {
    INTEGER: tuple((operator, INTEGER, INTEGER) for operator in (_BINARY.PLUS, _BINARY.MINUS, _BINARY.TIMES)),
    DECIMAL: (
        *((operator, DECIMAL, DECIMAL) for operator in (_BINARY.PLUS, _BINARY.MINUS, _BINARY.TIMES, _BINARY.DIVIDE)),
        (_BINARY.DIVIDE, INTEGER, INTEGER),
        (_BINARY.DIVIDE, DURATION, DURATION),
    ),
    DATE: ((_BINARY.PLUS, DATE, DURATION), (_BINARY.MINUS, DATE, PERIOD), (_BINARY.PLUS, DATE, PERIOD)),
    DATETIME: (
        (_BINARY.PLUS, DATETIME, DURATION),
        (_BINARY.MINUS, DATETIME, DURATION),
        (_BINARY.PLUS, DATETIME, PERIOD),
    ),
    DURATION: (
        (_BINARY.PLUS, DURATION, DURATION),
        (_BINARY.MINUS, DURATION, DURATION),
        (_BINARY.TIMES, DURATION, INTEGER),
        (_BINARY.TIMES, INTEGER, DURATION),
        (_BINARY.TIMES, DURATION, DECIMAL),
        (_BINARY.DIVIDE, DURATION, INTEGER),
        (_BINARY.MINUS, DATETIME, DATETIME),
        (_BINARY.MINUS, DATE, DATE),
    ),
    PERIOD: ((_BINARY.PLUS, PERIOD, PERIOD), (_BINARY.MINUS, PERIOD, PERIOD), (_BINARY.TIMES, PERIOD, INTEGER)),
    STRING: ((_BINARY.PLUS, STRING, STRING),),
}
_CALLS: dict[Type, tuple[tuple[str, tuple[Type, ...]], ...]] = {
    BOOLEAN: (
        ("contains", (STRING, STRING)),
        ("contains", (INTEGERS, INTEGER)),
        ("starts_with", (STRING, STRING)),
        ("ends_with", (STRING, STRING)),
    ),
    INTEGER: (
        ("length", (STRING,)),
        ("length", (INTEGERS,)),
        ("at", (INTEGERS, INTEGER)),
        ("parse_integer", (STRING,)),
        ("min", (INTEGER, INTEGER, INTEGER)),
    ),
    DECIMAL: (("parse_decimal", (STRING,)), ("max", (DECIMAL, DECIMAL))),
    STRING: (
        ("lower", (STRING,)),
        ("upper", (STRING,)),
        ("trim", (STRING,)),
        *(("text", (type,)) for type in (BOOLEAN, STRING, DATE, DATETIME, DURATION, PERIOD, COLOUR)),
    ),
    DATE: (("add_months", (DATE, INTEGER)), ("min", (DATE, DATE))),
    DATETIME: (("add_months", (DATETIME, INTEGER)),),
    DURATION: (("days", (INTEGER,)),),
    PERIOD: (("max", (PERIOD, PERIOD)),),
}


@st.composite
def expressions(draw: st.DrawFn, type: Type, depth: int = 3, variables: tuple[str, ...] = ()) -> Expression:
    """A well-typed expression. `variables` are those of the enclosing quantifiers."""

    def part(of: Type) -> Expression:
        return draw(expressions(of, depth - 1, variables))

    def variable(of: Type) -> Expression:
        names = [name for name, each in ATTRIBUTES.items() if each == of]
        return Variable(draw(st.sampled_from(variables)), draw(st.sampled_from(names)), of)

    if variables and draw(st.integers(0, 2)) == 0:
        return variable(type)
    if depth == 0 or draw(st.integers(0, 3)) == 0:
        return draw(literals(type) | references(type) | references(type))
    forms = ["if", "case", "default", "first"]
    forms += ["operation"] if type in _OPERATIONS else []
    forms += ["call"] if type in _CALLS else []
    forms += ["logic", "compare", "equal", "in", "presence", "not", "any"] * (type == BOOLEAN)
    forms += ["count", "lookup"] * (type == INTEGER) + ["collect"] * (type == INTEGERS)
    forms += ["sum"] * (type in (INTEGER, DECIMAL, DURATION, PERIOD)) + ["minus"] * (
        type in (INTEGER, DECIMAL, DURATION)
    )
    form = draw(st.sampled_from(forms))
    match form:
        case "if":
            return If(part(BOOLEAN), part(type), part(type), type)
        case "case":
            subject = draw(st.sampled_from((COLOUR, INTEGER)))
            arms = tuple(
                Arm(tuple(draw(st.lists(values(subject), min_size=1, max_size=2))), part(type))
                for _ in range(draw(st.integers(0, 3)))
            )
            return Case(part(subject), arms, part(type) if draw(st.booleans()) else None, type)
        case "default":
            return Default(part(type), part(type), type)
        case "operation":
            operator, left, right = draw(st.sampled_from(_OPERATIONS[type]))
            return Binary(operator, part(left), part(right), type)
        case "call":
            function, parameters = draw(st.sampled_from(_CALLS[type]))
            return Call(function, tuple(part(parameter) for parameter in parameters), type)
        case "logic":
            return Binary(draw(st.sampled_from((_BINARY.AND, _BINARY.OR))), part(BOOLEAN), part(BOOLEAN), BOOLEAN)
        case "compare":
            of = draw(st.sampled_from(ORDERED))
            return Binary(draw(st.sampled_from(_COMPARED)), part(of), part(of), BOOLEAN)
        case "equal":
            of = draw(st.sampled_from(TYPES))
            return Binary(draw(st.sampled_from(_EQUALITY)), part(of), part(of), BOOLEAN)
        case "in":
            of = draw(st.sampled_from((COLOUR, INTEGER, DATE)))
            return Membership(part(of), tuple(draw(st.lists(values(of), min_size=1, max_size=3))))
        case "presence":
            return Presence(part(draw(st.sampled_from(TYPES))), draw(st.booleans()))
        case "not":
            return Unary(UnaryOperator.NOT, part(BOOLEAN), BOOLEAN)
        case "minus":
            return Unary(UnaryOperator.MINUS, part(type), type)
        case "lookup" | "collect":
            return Lookup("pick" if form == "lookup" else form, (part(INTEGER), part(COLOUR)), "r", type)
    return draw(_quantified(type, form, depth, variables))


@st.composite
def _quantified(draw: st.DrawFn, type: Type, form: str, depth: int, variables: tuple[str, ...]) -> Expression:
    quantifier = draw(st.sampled_from((Quantifier.ANY, Quantifier.ALL))) if form == "any" else Quantifier(form)
    name = f"v{len(variables)}"
    inner = (*variables, name) if len(variables) < 2 else variables
    where = draw(st.none() | expressions(BOOLEAN, min(depth - 1, 1), inner))
    value = None
    if quantifier in (Quantifier.SUM, Quantifier.FIRST):
        value = draw(expressions(type, min(depth - 1, 1), inner))
    collection = draw(st.sampled_from(list(Collection)))
    return Quantified(
        quantifier, collection, draw(st.sampled_from((None, *sorted(SPECS)))), inner[-1], where, value, type
    )
