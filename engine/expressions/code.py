"""From a checked expression to a Python syntax tree; every node becomes one Python expression.

A part that is needed twice is bound by `:=`, absence is tested inline, and what is constant or too rich to inline is a
name in the function's globals. Two forms exist: the value (with None for absent and unknown), and, for conditions,
whether it is surely true or surely false, which needs no third value and is shorter.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import CodeType
from typing import Any, TypeGuard

from orderloom.engine.expressions import operations
from orderloom.engine.expressions.tables import compile_lookup
from orderloom.models.expression import (
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
from orderloom.models.rules import Table
from orderloom.models.values import Kind, Value

_SUBJECTS = frozenset((Root.LINE, Root.PARENT, Root.ROOT, Root.ASSET))
_LOGIC = frozenset((BinaryOperator.AND, BinaryOperator.OR))
_COMPARISONS: Mapping[BinaryOperator, type[ast.cmpop]] = {
    BinaryOperator.EQUAL: ast.Eq,
    BinaryOperator.UNEQUAL: ast.NotEq,
    BinaryOperator.LESS: ast.Lt,
    BinaryOperator.AT_MOST: ast.LtE,
    BinaryOperator.MORE: ast.Gt,
    BinaryOperator.AT_LEAST: ast.GtE,
}
_ARITHMETIC: Mapping[BinaryOperator, type[ast.operator]] = {
    BinaryOperator.PLUS: ast.Add,
    BinaryOperator.MINUS: ast.Sub,
    BinaryOperator.TIMES: ast.Mult,
}


def value_function(expression: Expression, tables: Mapping[str, Table]) -> Callable[[Any], Value]:
    """A function from a scope to the expression's value."""
    writer = _Writer(tables)
    return writer.function(writer.value(expression))


def truth_function(expression: Expression, tables: Mapping[str, Table]) -> Callable[[Any], bool]:
    """A function from a scope to whether the expression, a condition, is true (and not unknown)."""
    writer = _Writer(tables)
    return writer.function(writer.surely(expression, True))


def _constant(value: bool | int | str | None) -> ast.expr:
    return ast.Constant(value)


def _plain(value: Value) -> TypeGuard[bool | int | str | None]:
    """Whether the value can stand in a syntax tree; members of Python enums cannot."""
    return value is None or type(value) in (bool, int, str)


_NONE = ast.Constant(None)


def _name(name: str) -> ast.expr:
    return ast.Name(name, ast.Load())


def _is_none(value: ast.expr) -> ast.expr:
    return _is(value, None)


def _is_present(value: ast.expr) -> ast.expr:
    if isinstance(value, ast.Constant):
        return _constant(value.value is not None)
    return ast.Compare(value, [ast.IsNot()], [_NONE])


def _is(value: ast.expr, constant: bool | None) -> ast.expr:
    if isinstance(value, ast.Constant):
        return _constant(value.value is constant)
    return ast.Compare(value, [ast.Is()], [ast.Constant(constant)])


def _compare(left: ast.expr, operator: type[ast.cmpop], right: ast.expr) -> ast.expr:
    return ast.Compare(left, [operator()], [right])


def _both(parts: Sequence[ast.expr]) -> ast.expr:
    return parts[0] if len(parts) == 1 else ast.BoolOp(ast.And(), list(parts))


def _either(parts: Sequence[ast.expr]) -> ast.expr:
    return parts[0] if len(parts) == 1 else ast.BoolOp(ast.Or(), list(parts))


def _call(function: ast.expr, *arguments: ast.expr) -> ast.expr:
    return ast.Call(function, list(arguments), [])


def operands(expression: Expression, operator: BinaryOperator) -> list[Expression]:
    """The operands of a chain of one operator, left to right; the expression itself if it is no such chain."""
    found: list[Expression] = []
    stack = [expression]
    while stack:
        each = stack.pop()
        if isinstance(each, Binary) and each.operator is operator:
            stack += (each.right, each.left)
        else:
            found.append(each)
    return found


@dataclass(slots=True)
class _Writer:
    tables: Mapping[str, Table]
    constants: dict[str, object] = field(default_factory=dict)
    #: Python name and collection of each quantifier's variable in scope
    variables: dict[str, tuple[str, Collection]] = field(default_factory=dict)
    bound: int = 0

    def function(self, body: ast.expr) -> Callable[[Any], Any]:
        arguments = ast.arguments(
            posonlyargs=[], args=[ast.arg("s")], kwonlyargs=[], kw_defaults=[], defaults=[], kwarg=None, vararg=None
        )
        module = ast.Module(
            [ast.FunctionDef(name="evaluate", args=arguments, body=[ast.Return(body)], decorator_list=[])], []
        )
        if "type_params" in ast.FunctionDef._fields:
            module.body[0].type_params = []  # type: ignore[attr-defined]  # Python 3.12
        code: CodeType = compile(ast.fix_missing_locations(module), "<expression>", "exec")
        names: dict[str, Any] = dict(self.constants)
        exec(code, names)
        return names["evaluate"]  # type: ignore[no-any-return]  # what was just compiled

    def keep(self, value: object) -> ast.expr:
        """A constant that has no literal form in Python."""
        name = f"c{len(self.constants)}"
        self.constants[name] = value
        return _name(name)

    def bind(self, value: ast.expr) -> tuple[ast.expr, ast.expr]:
        """The value being bound, and a use of what was bound."""
        if isinstance(value, ast.Constant | ast.Name):
            return value, value
        self.bound += 1
        name = f"t{self.bound}"
        return ast.NamedExpr(ast.Name(name, ast.Store()), value), _name(name)

    def guarded(self, operands: Sequence[Expression], result: Callable[[list[ast.expr]], ast.expr]) -> ast.expr:
        """`result` over the operands' values, or absent where one of them is."""
        tests: list[ast.expr] = []
        uses: list[ast.expr] = []
        for operand in operands:
            value = self.value(operand)
            if not _may_be_absent(operand):
                # evaluated in place; all values are free of side effects
                uses.append(value)
                continue
            binding, use = self.bind(value)
            tests.append(_is_none(binding))
            uses.append(use)
        made = result(uses)
        return ast.IfExp(_either(tests), _NONE, made) if tests else made

    # values

    def value(self, node: Expression) -> ast.expr:
        match node:
            case Literal(value):
                return _constant(value) if _plain(value) else self.keep(value)
            case Reference() | Variable():
                return self.reference(node)
            case Unary(UnaryOperator.NOT, operand):
                return self.guarded([operand], lambda use: ast.UnaryOp(ast.Not(), use[0]))
            case Unary(_, operand):
                return self.guarded([operand], lambda use: _call(self.keep(operations.minus), use[0]))
            case Binary():
                return self.binary(node)
            case Membership(operand, values):
                return self.guarded([operand], lambda use: _compare(use[0], ast.In, self.keep(frozenset(values))))
            case Presence(operand, present):
                return self.presence(operand, present)
            case Default(operand, fallback):
                binding, use = self.bind(self.value(operand))
                return ast.IfExp(_is_present(binding), use, self.value(fallback))
            case If():
                return self.conditional(node)
            case Case():
                return self.case(node)
            case Lookup(table, arguments, column):
                lookup = self.keep(compile_lookup(self.tables[table], column))
                return _call(lookup, *(self.value(argument) for argument in arguments))
            case Call(function, arguments):
                called = self.keep(operations.FUNCTIONS[function])
                return self.guarded(arguments, lambda uses: _call(called, *uses))
            case Quantified():
                return self.quantified(node)

    def reference(self, node: Reference | Variable) -> ast.expr:
        holder: ast.expr
        if isinstance(node, Variable):
            name, collection = self.variables[node.variable]
            holder, actionless, subject = _name(name), collection is Collection.ASSETS, True
        else:
            holder = ast.Attribute(_name("s"), str(node.root), ast.Load())
            actionless, subject = node.root is Root.ASSET, node.root in _SUBJECTS
        if subject and node.meta:
            return _NONE if actionless and node.name == "action" else ast.Attribute(holder, node.name, ast.Load())
        attributes = ast.Attribute(holder, "attributes", ast.Load()) if subject else holder
        return _call(ast.Attribute(attributes, "get", ast.Load()), _constant(node.name))

    def binary(self, node: Binary) -> ast.expr:
        operator = node.operator
        if operator in _LOGIC:
            return self.logic(operands(node, operator), operator is BinaryOperator.AND)
        if comparison := _COMPARISONS.get(operator):
            return self.guarded([node.left, node.right], lambda uses: _compare(uses[0], comparison, uses[1]))
        function = operations.arithmetic(operator, node.left.type.kind, node.right.type.kind)
        if function is None:
            return self.guarded(
                [node.left, node.right], lambda uses: ast.BinOp(uses[0], _ARITHMETIC[operator](), uses[1])
            )
        called = self.keep(function)
        return self.guarded([node.left, node.right], lambda uses: _call(called, *uses))

    def logic(self, parts: list[Expression], conjunction: bool) -> ast.expr:
        """Kleene: decided by the first part that decides, else unknown if one was, else the neutral value."""
        decided, neutral = _constant(not conjunction), _constant(conjunction)
        deciding: list[ast.expr] = []
        unknown: list[ast.expr] = []
        for part in parts:
            value = self.value(part)
            if _may_be_absent(part):
                value, use = self.bind(value)
                unknown.append(_is_none(use))
            deciding.append(_is(value, not conjunction))
        rest = ast.IfExp(_either(unknown), _NONE, neutral) if unknown else neutral
        return ast.IfExp(_either(deciding), decided, rest)

    def conditional(self, node: If) -> ast.expr:
        condition, then, otherwise = self.value(node.condition), self.value(node.then), self.value(node.otherwise)
        if not _may_be_absent(node.condition):
            return ast.IfExp(condition, then, otherwise)
        binding, use = self.bind(condition)
        return ast.IfExp(binding, then, ast.IfExp(_is_none(use), _NONE, otherwise))

    def case(self, node: Case) -> ast.expr:
        otherwise = self.value(node.otherwise) if node.otherwise else _NONE
        if all(isinstance(arm.result, Literal) for arm in node.arms) and node.arms:
            results: dict[Value, Value] = {}
            for arm in node.arms:
                for value in arm.values:
                    results.setdefault(value, arm.result.value if isinstance(arm.result, Literal) else None)
            known = self.keep(results)
            if isinstance(otherwise, ast.Constant):
                find = self.keep(results.get)
                return self.guarded([node.subject], lambda use: _call(find, use[0], otherwise))
            return self.chosen(
                node.subject,
                lambda use: ast.IfExp(_compare(use, ast.In, known), ast.Subscript(known, use, ast.Load()), otherwise),
            )

        def chain(use: ast.expr) -> ast.expr:
            result = otherwise
            for arm in reversed(node.arms):
                result = ast.IfExp(_accepts(self, use, arm.values), self.value(arm.result), result)
            return result

        return self.chosen(node.subject, chain)

    def chosen(self, subject: Expression, result: Callable[[ast.expr], ast.expr]) -> ast.expr:
        """`result` over the subject's value bound to a name, or absent where the subject is."""
        binding, use = self.bind(self.value(subject))
        return ast.IfExp(_is_none(binding), _NONE, result(use))

    def quantified(self, node: Quantified) -> ast.expr:
        items, generator = self.items(node)
        outer = self.variables.get(node.variable)
        self.variables[node.variable] = (items, node.collection)
        surely = [self.surely(node.where, True)] if node.where else []
        present = _constant(True)
        match node.quantifier:
            case Quantifier.ANY | Quantifier.ALL:
                outcome = self.value(node.where) if node.where else present
                decide = operations.any_of if node.quantifier is Quantifier.ANY else operations.all_of
                made = _call(self.keep(decide), ast.GeneratorExp(outcome, [generator([])]))
            case Quantifier.COUNT:
                made = _call(self.keep(sum), ast.GeneratorExp(_constant(1), [generator(surely)]))
            case Quantifier.SUM:
                value = self.value(node.value) if node.value else _NONE
                made = _call(
                    self.keep(operations.total), self.keep(node.type.kind), ast.GeneratorExp(value, [generator(surely)])
                )
            case Quantifier.FIRST:
                binding, use = self.bind(self.value(node.value) if node.value else _NONE)
                values = ast.GeneratorExp(use, [generator([*surely, _is_present(binding)])])
                made = _call(self.keep(next), values, _NONE)
        if outer is None:
            del self.variables[node.variable]
        else:
            self.variables[node.variable] = outer
        return made

    def items(self, node: Quantified) -> tuple[str, Callable[[list[ast.expr]], ast.comprehension]]:
        """The Python name of the variable, and the loop over the collection, given its conditions."""
        self.bound += 1
        name = f"v{self.bound}"
        collections = ast.Attribute(_name("s"), "collections", ast.Load())
        method = ast.Attribute(collections, str(node.collection), ast.Load())
        line = [ast.Attribute(_name("s"), "line", ast.Load())] if node.collection is Collection.CHILDREN else []
        found = _call(method, *line, _constant(node.spec))
        return name, lambda tests: ast.comprehension(ast.Name(name, ast.Store()), found, tests, 0)

    # conditions

    def surely(self, node: Expression, wanted: bool) -> ast.expr:
        """Whether the condition is surely `wanted`; a Python boolean, never None."""
        match node:
            case Literal(value):
                return _constant(value is wanted)
            case Unary(UnaryOperator.NOT, operand):
                return self.surely(operand, not wanted)
            case Binary(operator) if operator in _LOGIC:
                parts = [self.surely(part, wanted) for part in operands(node, operator)]
                return (_both if (operator is BinaryOperator.AND) is wanted else _either)(parts)
            case Binary(operator) if operator in _COMPARISONS:
                return self.comparison(node, wanted)
            case Membership(operand, values) if wanted:
                return _compare(self.value(operand), ast.In, self.keep(frozenset(values)))
            case Presence(operand, present):
                return self.presence(operand, present is wanted)
        return _is(self.value(node), wanted)

    def presence(self, operand: Expression, present: bool) -> ast.expr:
        value = self.value(operand)
        if not isinstance(operand, Reference | Variable):
            # bound, since Python folds arithmetic of constants and then warns of `is` with a literal
            value, _ = self.bind(value)
        if isinstance(value, ast.Constant):
            return _constant((value.value is not None) is present)
        return (_is_present if present else _is_none)(value)

    def comparison(self, node: Binary, wanted: bool) -> ast.expr:
        sides = (node.left, node.right)
        equality = node.operator is (BinaryOperator.EQUAL if wanted else BinaryOperator.UNEQUAL)
        if equality and any(isinstance(side, Literal) and side.value is not None for side in sides):
            # an absent value never equals a constant
            return _compare(self.value(node.left), ast.Eq, self.value(node.right))
        tests: list[ast.expr] = []
        uses: list[ast.expr] = []
        for side in sides:
            binding, use = self.bind(self.value(side))
            if _may_be_absent(side):
                tests.append(_is_present(binding))
                uses.append(use)
            else:
                uses.append(binding)
        compared = _compare(uses[0], _COMPARISONS[node.operator], uses[1])
        return _both([*tests, compared if wanted else ast.UnaryOp(ast.Not(), compared)])


def _accepts(writer: _Writer, use: ast.expr, values: tuple[Value, ...]) -> ast.expr:
    if len(values) == 1 and _plain(values[0]):
        return _compare(use, ast.Eq, _constant(values[0]))
    return _compare(use, ast.In, writer.keep(frozenset(values)))


def _may_be_absent(node: Expression) -> bool:
    """Whether the value can be None. Attributes always can: a required one may still be supplied by a task."""
    match node:
        case Literal(value):
            return value is None
        case Presence():
            return False
        case Unary(UnaryOperator.NOT, operand) | Membership(operand):
            return _may_be_absent(operand)
        case Binary(operator) if operator in _LOGIC:
            return any(_may_be_absent(part) for part in operands(node, operator))
        case Binary(operator, left, right) if operator in _COMPARISONS:
            return _may_be_absent(left) or _may_be_absent(right)
        case Binary(operator, left, right):
            inline = operations.arithmetic(operator, left.type.kind, right.type.kind) is None
            return not inline or _may_be_absent(left) or _may_be_absent(right)
        case Default(_, fallback):
            return _may_be_absent(fallback)
        case If(condition, then, otherwise):
            return any(_may_be_absent(part) for part in (condition, then, otherwise))
        case Quantified(quantifier, where=where):
            if quantifier in (Quantifier.ANY, Quantifier.ALL):
                return where is not None and _may_be_absent(where)
            return quantifier is not Quantifier.COUNT and not (
                quantifier is Quantifier.SUM and node.type.kind is Kind.INTEGER
            )
    return True
