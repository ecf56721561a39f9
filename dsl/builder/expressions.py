"""Rules of expressions."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from orderloom.dsl import tree
from orderloom.dsl.builder.words import Children, WordBuilder, name_of, names_of, nodes_of, optional_name, span_of
from orderloom.dsl.lexer import Lexeme
from orderloom.models.expression import BinaryOperator, Collection, Quantifier, UnaryOperator
from orderloom.models.source import Span


class ExpressionBuilder(WordBuilder):
    """Rules of expressions."""

    def binary(self, c: Children) -> tree.Binary:
        left, sign, right = c
        operator = BinaryOperator(sign.text)
        node = tree.Binary(operator=operator, left=left, right=right, operator_span=sign.span, span=span_of(c))
        return self._nested(node, c)

    def unary(self, c: Children) -> tree.Unary:
        sign, operand = c
        return self._nested(tree.Unary(operator=UnaryOperator(sign.text), operand=operand, span=span_of(c)), c)

    def if_(self, c: Children) -> tree.If:
        _, condition, _, then, _, otherwise = c
        return self._nested(tree.If(condition=condition, then=then, otherwise=otherwise, span=span_of(c)), c)

    def filtered(self, c: Children) -> tree.Quantified:
        quantified, _, condition = c
        node: tree.Quantified = replace(quantified, where=condition, span=span_of(c))
        return self._nested(node, c)

    def presence(self, c: Children) -> tree.Presence:
        operand, _, word = c
        return self._nested(tree.Presence(operand=operand, present=word.text == "present", span=span_of(c)), c)

    def membership(self, c: Children) -> tree.Membership:
        node = tree.Membership(operand=c[0], items=c[-2], negated=c[1].text == "not", span=span_of(c))
        return self._nested(node, c)

    def default(self, c: Children) -> tree.Default:
        return self._nested(tree.Default(operand=c[0], fallback=c[2], span=span_of(c)), c)

    def enclosed(self, c: Children) -> Any:
        return self._nested(replace(c[1], span=span_of(c)), c)

    def list_literal(self, c: Children) -> tree.ListLiteral:
        return self._nested(tree.ListLiteral(items=c[1] or (), span=span_of(c)), c)

    def path(self, c: Children) -> tree.Path:
        return tree.Path(parts=names_of(c), span=span_of(c))

    def call(self, c: Children) -> tree.Call:
        name, _, arguments, _, _, column = c
        node = tree.Call(name=name_of(name), arguments=arguments or (), column=optional_name(column), span=span_of(c))
        return self._nested(node, c)

    def items(self, c: Children) -> tuple[tree.Expression, ...]:
        return nodes_of(c)

    def case(self, c: Children) -> tree.Case:
        _, subject, _, arms, _, _, otherwise, _ = c
        return self._nested(tree.Case(subject=subject, arms=arms, otherwise=otherwise, span=span_of(c)), c)

    def arms(self, c: Children) -> tuple[tree.Arm, ...]:
        return tuple(c)

    def arm(self, c: Children) -> tree.Arm:
        values, _, result = c
        return self._nested(tree.Arm(values=values, result=result, span=span_of([values[0], result])), c)

    def arm_values(self, c: Children) -> tuple[tree.Expression, ...]:
        return nodes_of(c)

    def tally(self, c: Children) -> tree.Quantified:
        word, over = c
        return self._quantified(word, over, None, c)

    def fold(self, c: Children) -> tree.Quantified:
        word, value, _, over = c
        return self._quantified(word, over, value, c)

    def _quantified(self, word: Lexeme, over: _Over, value: tree.Expression | None, c: Children) -> tree.Quantified:
        node = tree.Quantified(
            quantifier=Quantifier(word.text),
            collection=over.collection,
            spec=over.spec,
            variable=over.variable,
            where=None,
            value=value,
            span=span_of(c),
        )
        return self._nested(node, c)

    def lines(self, c: Children) -> _Over:
        _, _, spec, _, variable = c
        return _Over(Collection.LINES, name_of(spec), optional_name(variable), span_of(c))

    def items_at_hand(self, c: Children) -> _Over:
        word, _, spec, _, variable = c
        return _Over(Collection(word.text), optional_name(spec), optional_name(variable), span_of(c))

    def constants(self, c: Children) -> tuple[tree.Expression, ...]:
        return nodes_of(c)


class _Over:
    """`lines of Router as r` on its way into a `Quantified`."""

    __slots__ = ("collection", "span", "spec", "variable")

    def __init__(self, collection: Collection, spec: tree.Name | None, variable: tree.Name | None, span: Span) -> None:
        self.collection = collection
        self.spec = spec
        self.variable = variable
        self.span = span
