"""Calls: built-in functions, conversion of units, and lookups in decision tables."""

from __future__ import annotations

from decimal import Decimal

from orderloom.dsl import tree
from orderloom.dsl.checker import NUMBERS, Checker, handles
from orderloom.dsl.functions import FUNCTIONS, Any, Signature, bind, describe, resolve
from orderloom.dsl.operators import all_alike, maybe
from orderloom.dsl.suggestions import suggestion
from orderloom.dsl.units import convert
from orderloom.dsl.wording import one_of
from orderloom.models.expression import Binary, BinaryOperator, Call, Expression, Literal, Lookup
from orderloom.models.rules import HitPolicy
from orderloom.models.values import Kind, Type, Value

CONVERT = "convert"


@handles(tree.Call)
def call(checker: Checker, node: tree.Call, wanted: Type | None) -> Expression | None:
    name = node.name.text
    if name in checker.known.tables:
        return _lookup(checker, node)
    if name in checker.known.broken_tables:
        return None
    if node.column is not None and (name == CONVERT or name in FUNCTIONS):
        checker.findings.error(
            "LM2007", f"`{name}` has no columns", node.column.span, help=f"leave out `.{node.column.text}`"
        )
        return None
    if name == CONVERT:
        return _convert(checker, node)
    if name in FUNCTIONS:
        return _function(checker, node, wanted)
    checker.findings.error(
        "LM1006",
        f"there is no table or function `{name}`",
        node.name.span,
        help=suggestion(name, [*checker.known.tables, *FUNCTIONS, CONVERT], what="table"),
    )
    return None


def _function(checker: Checker, node: tree.Call, wanted: Type | None) -> Expression | None:
    name = node.name.text
    given = len(node.arguments)
    fitting = [each for each in FUNCTIONS[name] if _accepts(each, given)]
    if not fitting:
        ways = one_of([f"`{name}{describe(each)}`" for each in FUNCTIONS[name]])
        checker.findings.error(
            "LM2007", f"`{name}` does not take {given} arguments", node.span, help=f"write it as {ways}"
        )
        return None
    if all(parameter is Any.ORDERED for parameter in fitting[0].parameters):
        found = all_alike(tuple((checker, each) for each in node.arguments), wanted)
        if found is None:
            return None
        return _of_kind(checker, node, fitting[0], found[0].type, found)
    first, *others = node.arguments
    plain = fitting[0].parameters[0]
    lead = checker.check(first, plain) if len(fitting) == 1 and isinstance(plain, Type) else checker.infer(first)
    if lead is None:
        return None
    for signature in fitting:
        bound = bind(signature.parameters[0], lead.type)
        if bound is not None:
            rest = [
                checker.check(each, resolve(pattern, bound))
                for each, pattern in zip(others, signature.parameters[1:], strict=True)
            ]
            arguments = (lead, *(each for each in rest if each is not None))
            if len(arguments) != given:
                return None
            return Call(name, arguments, maybe(resolve(signature.result, bound), *arguments))
    ways = one_of([str(each.parameters[0]) for each in fitting])
    checker.findings.error(
        "LM2001",
        f"`{name}` takes {ways}, found `{lead.type.required()}`",
        first.span,
        help=f"see `{name}` in the reference",
    )
    return None


def _accepts(signature: Signature, given: int) -> bool:
    return given == len(signature.parameters) or (signature.repeats and given > len(signature.parameters))


def _of_kind(
    checker: Checker, node: tree.Call, signature: Signature, type_: Type, arguments: tuple[Expression, ...]
) -> Expression | None:
    bound = bind(signature.parameters[0], type_)
    if bound is None:
        checker.findings.error(
            "LM2001",
            f"`{node.name.text}` takes {signature.parameters[0]}, found `{type_.required()}`",
            node.arguments[0].span,
            help="strings, booleans and enums have no order",
        )
        return None
    return Call(node.name.text, arguments, maybe(bound, *arguments))


def _convert(checker: Checker, node: tree.Call) -> Expression | None:
    """`convert(rate, "kbps")`: exact; to a smaller unit an integer stays one, to a larger one it becomes a decimal."""
    match node.arguments:
        case (first, tree.Literal(value=str(unit))):
            operand = checker.infer(first)
        case _:
            checker.findings.error(
                "LM2007", "`convert` takes a number and a unit", node.span, help='write it as `convert(rate, "kbps")`'
            )
            return None
    if operand is None:
        return None
    if operand.type.kind not in NUMBERS or not operand.type.unit:
        checker.findings.error(
            "LM2001", f"`convert` takes a number with a unit, found `{operand.type.required()}`", first.span
        )
        return None
    ratio = convert(Decimal(1), operand.type.unit, unit)
    inverse = convert(Decimal(1), unit, operand.type.unit)
    if ratio is not None and ratio == ratio.to_integral_value():
        result = maybe(Type(operand.type.kind, unit=unit), operand)
        return Binary(BinaryOperator.TIMES, operand, _number(ratio, operand.type.kind), result)
    if inverse is not None and inverse == inverse.to_integral_value():
        result = maybe(Type(Kind.DECIMAL, unit=unit), operand)
        return Binary(BinaryOperator.DIVIDE, operand, _number(inverse, operand.type.kind), result)
    checker.findings.error(
        "LM2004",
        f"`{operand.type.unit}` cannot be converted to `{unit}`",
        node.span,
        help="both must be known units of one dimension",
    )
    return None


def _number(value: Decimal, kind: Kind) -> Literal:
    number: Value = int(value) if kind is Kind.INTEGER else value
    return Literal(number, Type(kind))


def _lookup(checker: Checker, node: tree.Call) -> Expression | None:
    table = checker.known.tables[node.name.text]
    if len(node.arguments) != len(table.inputs):
        wanted = ", ".join(f"{column.name} {column.type}" for column in table.inputs)
        checker.findings.error(
            "LM2007",
            f"table `{table.name}` takes {len(table.inputs)} arguments, found {len(node.arguments)}",
            node.span,
            help=f"write it as `{table.name}({wanted})`",
        )
        return None
    found = [checker.check(each, column.type) for each, column in zip(node.arguments, table.inputs, strict=True)]
    arguments = tuple(each for each in found if each is not None)
    columns = {column.name: column for column in table.results}
    name = node.column.text if node.column is not None else table.results[0].name
    if node.column is None and len(columns) > 1:
        checker.findings.error(
            "LM2007",
            f"table `{table.name}` has {len(columns)} result columns",
            node.span,
            help=f"say which, as in `{table.name}(…).{table.results[0].name}`",
        )
        return None
    if name not in columns:
        checker.findings.error(
            "LM1004",
            f"table `{table.name}` has no result column `{name}`",
            (node.column or node.name).span,
            help=suggestion(name, columns, what="column"),
        )
        return None
    if len(arguments) != len(found):
        return None
    result = columns[name].type
    if table.policy is HitPolicy.COLLECT:
        return Lookup(table.name, arguments, name, maybe(Type(Kind.LIST, item=result), *arguments))
    if table.name in checker.known.gaps:
        return Lookup(table.name, arguments, name, result.maybe())
    return Lookup(table.name, arguments, name, maybe(result, *arguments))
