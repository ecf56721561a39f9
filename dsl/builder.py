"""The embedded transformer: what each rule of `loom.lark` becomes in the syntax tree.

Each method is called with the children of the rule of its name, all tokens among them, None for what is absent; it
unpacks them in the order of the grammar. What the grammar cannot say (a 31st of February, an unknown escape, nesting
without end) is added to `problems`.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar

from orderloom.dsl import tree
from orderloom.dsl.lexer import Lexeme
from orderloom.models.catalog import Level, RelationKind, Scope
from orderloom.models.expression import BinaryOperator, Collection, Quantifier, UnaryOperator
from orderloom.models.rules import HitPolicy
from orderloom.models.source import Diagnostic, Span
from orderloom.models.tasks import ErrorResponse, PointOfNoReturn, Reach, RetryKind, TaskKind
from orderloom.models.values import Period

#: how deep expressions and types may nest, so that everything that walks them may recurse
MAX_DEPTH = 100

#: no number and no length of time may have more digits
MAX_DIGITS = 50

Children = list[Any]
_Node = TypeVar("_Node")

_ESCAPE = re.compile(r"\\(u[0-9A-Fa-f]{4}|.?)", re.DOTALL)
_ESCAPES = {"n": "\n", "t": "\t", '"': '"', "\\": "\\"}
_TIME_PART = re.compile(r"(\d+)(ms|[smhdw])")
_MILLISECONDS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}


def _span(children: Children) -> Span:
    """From the first to the last child that is there."""
    first = children[0]
    if type(first) is not Lexeme:
        first = first.span
    for last in reversed(children):
        if type(last) is Lexeme:
            return Span(first.file, first.start, last.end, first.line, first.column)
        if type(last) is tuple:
            if last:
                return Span(first.file, first.start, last[-1].span.end, first.line, first.column)
        elif last is not None:
            return Span(first.file, first.start, last.span.end, first.line, first.column)
    raise AssertionError("a rule without children has no span")


def _name(token: Lexeme) -> tree.Name:
    return tree.Name(text=token.text, span=token.span)


def _optional_name(token: Lexeme | None) -> tree.Name | None:
    return None if token is None else _name(token)


def _names(children: Children) -> tuple[tree.Name, ...]:
    """The names among names and signs."""
    return tuple(_name(child) for child in children if child is not None and child.type == "NAME")


def _nodes(children: Children) -> tuple[Any, ...]:
    """The nodes among nodes and signs."""
    return tuple(child for child in children if type(child) is not Lexeme)


class Builder:
    """Makes syntax trees; one file at a time."""

    def __init__(self) -> None:
        self.problems: list[Diagnostic] = []
        #: (start, end) of a node → how deep it nests
        self._depths: dict[tuple[int, int], int] = {}

    def begin(self) -> None:
        self.problems = []
        self._depths = {}

    # --- what the grammar cannot say

    def _problem(self, code: str, message: str, span: Span, help: str = "") -> None:
        self.problems.append(Diagnostic(code=code, message=message, span=span, help=help))

    def _nested(self, node: _Node, children: Children) -> _Node:
        """Notes how deep a node of these children nests."""
        depth = 0
        for child in children:
            if type(child) is tuple:
                for item in child:
                    depth = max(depth, self._depths.get((item.span.start, item.span.end), 0))
            elif child is not None and type(child) is not Lexeme:
                depth = max(depth, self._depths.get((child.span.start, child.span.end), 0))
        span: Span = node.span  # type: ignore[attr-defined]
        self._depths[span.start, span.end] = depth + 1
        if depth == MAX_DEPTH:
            self._problem(
                "LM0009",
                f"this is nested more than {MAX_DEPTH} levels deep",
                span,
                "split it: a decision table, or a mapping of its own for a part",
            )
        return node

    def _text(self, token: Lexeme) -> tree.Text:
        return tree.Text(value=self._unescaped(token), span=token.span)

    def _optional_text(self, token: Lexeme | None) -> tree.Text | None:
        return None if token is None else self._text(token)

    def _unescaped(self, token: Lexeme) -> str:
        inner = token.text[1:-1]
        if "\\" not in inner:
            return inner

        def character(match: re.Match[str]) -> str:
            escape = match.group(1)
            if escape in _ESCAPES:
                return _ESCAPES[escape]
            if len(escape) == 5 and not 0xD800 <= (code := int(escape[1:], 16)) <= 0xDFFF:
                return chr(code)
            start = token.start + 1 + match.start()
            place = Span(token.file, start, start + len(match.group()), token.line, token.column + 1 + match.start())
            self._problem(
                "LM0005",
                f"unknown escape `{match.group()}` in a string",
                place,
                'the escapes are `\\"`, `\\\\`, `\\n`, `\\t` and `\\u` with four hexadecimal digits',
            )
            return ""

        return _ESCAPE.sub(character, inner)

    def _whole(self, token: Lexeme) -> int:
        return int(self._digits(token, token.text.rstrip("%")))

    def _number(self, token: Lexeme) -> tree.Number:
        return tree.Number(value=self._whole(token), span=token.span)

    def _optional_number(self, token: Lexeme | None) -> tree.Number | None:
        return None if token is None else self._number(token)

    def _digits(self, token: Lexeme, text: str) -> str:
        if len(text) <= MAX_DIGITS:
            return text
        self._problem("LM0006", f"a number has at most {MAX_DIGITS} digits, this one has {len(text)}", token.span)
        return "0"

    def _length(self, token: Lexeme) -> timedelta:
        total = sum(
            int(self._digits(token, digits)) * _MILLISECONDS[unit] for digits, unit in _TIME_PART.findall(token.text)
        )
        try:
            return timedelta(milliseconds=total)
        except OverflowError:
            self._problem("LM0006", f"the duration `{token.text}` is too long", token.span, "at most 999999999 days")
            return timedelta(0)

    def _time_span(self, token: Lexeme) -> tree.TimeSpan:
        return tree.TimeSpan(value=self._length(token), span=token.span)

    # --- files and the catalog

    def file(self, c: Children) -> tuple[tree.Declaration, ...]:
        return tuple(c)

    def import_(self, c: Children) -> tree.Import:
        _, path = c
        return tree.Import(path=self._text(path), span=_span(c))

    def enum(self, c: Children) -> tree.EnumDeclaration:
        _, name, title, _, values, _ = c
        return tree.EnumDeclaration(
            name=_name(name), title=self._optional_text(title), values=values, doc=c[0].doc, span=_span(c)
        )

    def enum_values(self, c: Children) -> tuple[tree.EnumValue, ...]:
        return tuple(c)

    def enum_value(self, c: Children) -> tree.EnumValue:
        name, title = c
        return tree.EnumValue(name=_name(name), title=self._optional_text(title), doc=name.doc, span=_span(c))

    def spec(self, c: Children) -> tree.SpecDeclaration:
        keyword, name, title, clauses, _, statements, _ = c
        return tree.SpecDeclaration(
            keyword=tree.SpecKeyword(keyword.text),
            name=_name(name),
            title=self._optional_text(title),
            clauses=clauses,
            statements=statements,
            doc=keyword.doc,
            span=_span(c),
        )

    def spec_clauses(self, c: Children) -> tuple[tree.SpecClause, ...]:
        return tuple(c)

    def extends(self, c: Children) -> tree.ExtendsClause:
        return tree.ExtendsClause(spec=_name(c[1]), span=_span(c))

    def facing(self, c: Children) -> tree.FacingClause:
        return tree.FacingClause(level=Level(c[0].text), span=_span(c))

    def scope_clause(self, c: Children) -> tree.ScopeClause:
        return tree.ScopeClause(scope=Scope(c[2].text), key=None, span=_span(c))

    def key_clause(self, c: Children) -> tree.ScopeClause:
        return tree.ScopeClause(scope=Scope.KEY, key=c[4], span=_span(c))

    def version(self, c: Children) -> tree.VersionClause:
        _, version, _, _, start, _, end = c
        return tree.VersionClause(
            version=self._text(version),
            valid_from=self._optional_date(start),
            valid_until=self._optional_date(end),
            span=_span(c),
        )

    def _optional_date(self, token: Lexeme | None) -> tree.Literal | None:
        return None if token is None else self.date([token])

    def spec_statements(self, c: Children) -> tuple[tree.SpecStatement, ...]:
        return tuple(c)

    def contains(self, c: Children) -> tree.ContainsStatement:
        keyword, spec, cardinality = c
        least, most = (1, 1) if cardinality is None else cardinality.bounds
        return tree.ContainsStatement(spec=_name(spec), least=least, most=most, doc=keyword.doc, span=_span(c))

    def cardinality(self, c: Children) -> _Cardinality:
        least, _, most = c
        upper = None if most.type == "STAR" else self._whole(most)
        return _Cardinality((self._whole(least), upper), _span(c))

    def relies_on(self, c: Children) -> tree.RelationStatement:
        return self._relation(RelationKind.RELIES_ON, c)

    def requires(self, c: Children) -> tree.RelationStatement:
        return self._relation(RelationKind.REQUIRES, c)

    def excludes(self, c: Children) -> tree.RelationStatement:
        return self._relation(RelationKind.EXCLUDES, c)

    def _relation(self, kind: RelationKind, c: Children) -> tree.RelationStatement:
        return tree.RelationStatement(kind=kind, spec=_name(c[-1]), doc=c[0].doc, span=_span(c))

    def attribute(self, c: Children) -> tree.AttributeDeclaration:
        name, title, type_, required, _, default = c
        return tree.AttributeDeclaration(
            name=_name(name),
            title=self._optional_text(title),
            type=type_,
            required=required is not None,
            default=default,
            doc=name.doc,
            span=_span(c),
        )

    def attributes(self, c: Children) -> tuple[tree.AttributeDeclaration, ...]:
        return tuple(c)

    def named_type(self, c: Children) -> tree.NamedType:
        name, unit, optional = c
        return tree.NamedType(name=_name(name), unit=unit, optional=optional is not None, span=_span(c))

    def list_type(self, c: Children) -> tree.ListType:
        return self._nested(tree.ListType(item=c[2], optional=False, span=_span(c)), c)

    def enclosed_list_type(self, c: Children) -> tree.ListType:
        _, _, _, item, _, optional = c
        return self._nested(tree.ListType(item=item, optional=optional is not None, span=_span(c)), c)

    def unit(self, c: Children) -> tree.Text:
        text = self._text(c[1])
        return replace(text, span=_span(c))

    # --- decomposition

    def decompose(self, c: Children) -> tree.DecomposeDeclaration:
        return self._rule(c[1:], c)

    def group_rule(self, c: Children) -> tree.DecomposeDeclaration:
        return self._rule(c, c)

    def _rule(self, parts: Children, c: Children) -> tree.DecomposeDeclaration:
        source, _, target, title, _, statements, _ = parts
        return tree.DecomposeDeclaration(
            source=_name(source),
            target=_name(target),
            title=self._optional_text(title),
            statements=statements,
            doc=c[0].doc,
            span=_span(c),
        )

    def decompose_group(self, c: Children) -> tree.DecomposeGroup:
        keyword, _, _, title, _, rules, _ = c
        return tree.DecomposeGroup(title=self._optional_text(title), rules=rules, doc=keyword.doc, span=_span(c))

    def group_rules(self, c: Children) -> tuple[tree.DecomposeDeclaration, ...]:
        return tuple(c)

    def rule_statements(self, c: Children) -> tuple[tree.RuleStatement, ...]:
        return tuple(c)

    def quantity_statement(self, c: Children) -> tree.QuantityStatement:
        return tree.QuantityStatement(value=c[1], span=_span(c))

    def priority(self, c: Children) -> tree.PriorityStatement:
        return tree.PriorityStatement(value=c[1], span=_span(c))

    def signed(self, c: Children) -> tree.Number:
        sign, number = c
        value = self._whole(number)
        return tree.Number(value=value if sign is None else -value, span=_span(c[1:] if sign is None else c))

    def mapping(self, c: Children) -> tree.MappingStatement:
        name, _, value = c
        return tree.MappingStatement(attribute=_name(name), value=value, doc=name.doc, span=_span(c))

    def when(self, c: Children) -> tree.When:
        return tree.When(condition=c[1], span=_span(c))

    def table(self, c: Children) -> tree.TableDeclaration:
        return self._table(c, None, c[12])

    def table_from(self, c: Children) -> tree.TableDeclaration:
        return self._table(c, self._text(c[12]), ())

    def _table(
        self, c: Children, source: tree.Text | None, rows: tuple[tree.RowDeclaration, ...]
    ) -> tree.TableDeclaration:
        keyword, name, title, _, inputs, _, _, _, results, _, policy = c[:11]
        return tree.TableDeclaration(
            name=_name(name),
            title=self._optional_text(title),
            inputs=inputs,
            results=results,
            policy=HitPolicy.UNIQUE if policy is None else HitPolicy(policy.text),
            source=source,
            rows=rows,
            doc=keyword.doc,
            span=_span(c),
        )

    def columns(self, c: Children) -> tuple[tree.ColumnDeclaration, ...]:
        return _nodes(c)

    def column(self, c: Children) -> tree.ColumnDeclaration:
        name, title, type_ = c
        return tree.ColumnDeclaration(name=_name(name), title=self._optional_text(title), type=type_, span=_span(c))

    def rows(self, c: Children) -> tuple[tree.RowDeclaration, ...]:
        return tuple(c)

    def row(self, c: Children) -> tree.RowDeclaration:
        cells, _, results = c
        return tree.RowDeclaration(cells=cells, results=results, span=_span([cells[0], results]))

    def cells(self, c: Children) -> tuple[tree.Cell, ...]:
        return _nodes(c)

    def any_cell(self, c: Children) -> tree.AnyCell:
        return tree.AnyCell(span=_span(c))

    def value_cell(self, c: Children) -> tree.ValueCell:
        return tree.ValueCell(values=_nodes(c), span=_span(c))

    def range_cell(self, c: Children) -> tree.RangeCell:
        low, _, high = c
        return tree.RangeCell(low=low, high=high, low_included=True, high_included=True, span=_span(c))

    def bound_cell(self, c: Children) -> tree.RangeCell:
        sign, bound = c
        included = sign.text.endswith("=")
        if sign.text.startswith(">"):
            return tree.RangeCell(low=bound, high=None, low_included=included, high_included=True, span=_span(c))
        return tree.RangeCell(low=None, high=bound, low_included=True, high_included=included, span=_span(c))

    def reject(self, c: Children) -> tree.RejectDeclaration:
        keyword, message, _, spec, _, condition = c
        return tree.RejectDeclaration(
            message=self._text(message), spec=_name(spec), condition=condition, doc=keyword.doc, span=_span(c)
        )

    # --- orchestration

    def plan(self, c: Children) -> tree.PlanDeclaration:
        keyword, name, title, _, spec, _, actions, when, once, _, tasks, _ = c
        return tree.PlanDeclaration(
            name=_name(name),
            title=self._optional_text(title),
            spec=_name(spec),
            actions=actions or (),
            when=when,
            once=once,
            tasks=tasks,
            doc=keyword.doc,
            span=_span(c),
        )

    def names(self, c: Children) -> tuple[tree.Name, ...]:
        return _names(c)

    def tasks(self, c: Children) -> tuple[tree.TaskDeclaration, ...]:
        return tuple(c)

    def task(self, c: Children) -> tree.TaskDeclaration:
        kind, name, title, _, statements, _ = c
        return tree.TaskDeclaration(
            kind=TaskKind(kind.text),
            name=_name(name),
            title=self._optional_text(title),
            statements=statements,
            doc=kind.doc,
            span=_span(c),
        )

    def task_statements(self, c: Children) -> tuple[tree.TaskStatement, ...]:
        return tuple(c)

    def once(self, c: Children) -> tree.OncePer:
        return tree.OncePer(reach=Reach(c[2].text), span=_span(c))

    def after(self, c: Children) -> tree.AfterStatement:
        return tree.AfterStatement(items=c[1], span=_span(c))

    def dependencies(self, c: Children) -> tuple[tree.DependencyItem, ...]:
        return _nodes(c)

    def local_dependency(self, c: Children) -> tree.DependencyItem:
        target, _, condition = c
        return tree.DependencyItem(target=target, reach=None, condition=condition, span=_span(c))

    def far_dependency(self, c: Children) -> tree.DependencyItem:
        target, _, reach, _, condition = c
        return tree.DependencyItem(
            target=target,
            reach=tree.DependencyReach(reach.text),
            condition=condition,
            span=_span(c),
        )

    def reach(self, c: Children) -> tree.Name:
        return tree.Name(text=" ".join(word.text for word in c), span=_span(c))

    def operation_statement(self, c: Children) -> tree.OperationStatement:
        return tree.OperationStatement(operation=c[1], span=_span(c))

    def set_statement(self, c: Children) -> tree.SetStatement:
        _, name, _, value = c
        return tree.SetStatement(attribute=_name(name), value=value, span=_span(c))

    def error_statement(self, c: Children) -> tree.ErrorStatement:
        _, _, code, response, *queue = c
        return tree.ErrorStatement(
            code=self._text(code),
            response=ErrorResponse(response.text),
            queue=_name(queue[0]) if queue else None,
            span=_span(c),
        )

    def fallout(self, c: Children) -> tree.FalloutStatement:
        return tree.FalloutStatement(queue=_name(c[1]), span=_span(c))

    def queue_statement(self, c: Children) -> tree.QueueStatement:
        return tree.QueueStatement(queue=_name(c[1]), span=_span(c))

    def due_statement(self, c: Children) -> tree.DueStatement:
        return tree.DueStatement(due=c[1], span=_span(c))

    def due_business(self, c: Children) -> tree.DueTime:
        return tree.DueTime(
            business_days=self._whole(c[0]),
            business_hours=None,
            exact=None,
            calendar=_optional_name(c[4]),
            span=_span(c),
        )

    def due_business_hours(self, c: Children) -> tree.DueTime:
        return tree.DueTime(
            business_days=None,
            business_hours=self._whole(c[0]),
            exact=None,
            calendar=_optional_name(c[4]),
            span=_span(c),
        )

    def due_exact(self, c: Children) -> tree.DueTime:
        exact = self._length(c[0])
        return tree.DueTime(business_days=None, business_hours=None, exact=exact, calendar=None, span=_span(c))

    def collect(self, c: Children) -> tree.CollectStatement:
        return tree.CollectStatement(fields=c[2], span=_span(c))

    def event(self, c: Children) -> tree.EventStatement:
        _, _, event, _, matching = c
        return tree.EventStatement(event=self._text(event), matching=matching, span=_span(c))

    def pause_for(self, c: Children) -> tree.PauseForStatement:
        return tree.PauseForStatement(length=self._time_span(c[1]), span=_span(c))

    def until(self, c: Children) -> tree.UntilStatement:
        return tree.UntilStatement(value=c[1], span=_span(c))

    def within(self, c: Children) -> tree.WithinStatement:
        _, limit, _, response = c
        word, queue = ("fallout", None) if response is None else response.parts
        return tree.WithinStatement(
            limit=self._time_span(limit), otherwise=tree.TimeoutResponse(word), queue=queue, span=_span(c)
        )

    def timeout_response(self, c: Children) -> _Response:
        return _Response((c[0].text, _name(c[1]) if len(c) > 1 else None), _span(c))

    def plan_statement(self, c: Children) -> tree.PlanStatement:
        return tree.PlanStatement(plan=_name(c[1]), span=_span(c))

    def undo_operation(self, c: Children) -> tree.UndoOperationStatement:
        return tree.UndoOperationStatement(operation=c[1], span=_span(c))

    def undo_plan(self, c: Children) -> tree.UndoPlanStatement:
        return tree.UndoPlanStatement(plan=_name(c[2]), span=_span(c))

    def amend_plan(self, c: Children) -> tree.AmendPlanStatement:
        return tree.AmendPlanStatement(plan=_name(c[2]), span=_span(c))

    def no_return(self, c: Children) -> tree.NoReturnStatement:
        _, _, kind, consequence, _, approval, per, _ = c
        return tree.NoReturnStatement(
            kind=PointOfNoReturn(kind.text),
            consequence=self._optional_text(consequence),
            approval=_optional_name(approval),
            bundle=per is not None,
            span=_span(c),
        )

    def duration(self, c: Children) -> tree.DurationStatement:
        return tree.DurationStatement(length=c[1], span=_span(c))

    def start_late(self, c: Children) -> tree.StartLateStatement:
        return tree.StartLateStatement(span=_span(c))

    def visible(self, c: Children) -> tree.VisibleStatement:
        return tree.VisibleStatement(text=self._text(c[1]), span=_span(c))

    def retry_none(self, c: Children) -> tree.RetryStatement:
        return self._retry(RetryKind.NONE, c)

    def retry_fixed(self, c: Children) -> tree.RetryStatement:
        return self._retry(RetryKind.FIXED, c, times=c[2], intervals=c[5:])

    def retry_exponential(self, c: Children) -> tree.RetryStatement:
        return self._retry(RetryKind.EXPONENTIAL, c, times=c[2], intervals=c[5:6], cap=c[8], jitter=c[9])

    def retry_staggered(self, c: Children) -> tree.RetryStatement:
        return self._retry(RetryKind.STAGGERED, c, intervals=c[2::2])

    def retry_forever(self, c: Children) -> tree.RetryStatement:
        return self._retry(RetryKind.FOREVER, c, intervals=c[3:])

    def jitter(self, c: Children) -> tree.Number:
        return self._number(c[1])

    def _retry(
        self,
        kind: RetryKind,
        c: Children,
        *,
        times: Lexeme | None = None,
        intervals: Children | None = None,
        cap: Lexeme | None = None,
        jitter: tree.Number | None = None,
    ) -> tree.RetryStatement:
        return tree.RetryStatement(
            kind=kind,
            times=self._optional_number(times),
            intervals=tuple(self._time_span(token) for token in intervals or ()),
            cap=None if cap is None else self._time_span(cap),
            jitter=jitter,
            span=_span(c),
        )

    def queue(self, c: Children) -> tree.QueueDeclaration:
        keyword, name, title, fallout, _, statements, _ = c
        return tree.QueueDeclaration(
            name=_name(name),
            title=self._optional_text(title),
            fallout=fallout is not None,
            statements=statements,
            doc=keyword.doc,
            span=_span(c),
        )

    def queue_statements(self, c: Children) -> tuple[tree.QueueClause, ...]:
        return tuple(c)

    def assign(self, c: Children) -> tree.AssignStatement:
        _, mode, _, condition = c
        return tree.AssignStatement(mode=_name(mode), condition=condition, span=_span(c))

    def sla(self, c: Children) -> tree.SlaStatement:
        _, due, _, _, percent = c
        return tree.SlaStatement(due=due, warn_at=self._optional_number(percent), span=_span(c))

    def escalate(self, c: Children) -> tree.EscalateStatement:
        return tree.EscalateStatement(queue=_name(c[2]), span=_span(c))

    def watch(self, c: Children) -> tree.WatchDeclaration:
        keyword, name, title, _, statements, _ = c
        return tree.WatchDeclaration(
            name=_name(name),
            title=self._optional_text(title),
            statements=statements,
            doc=keyword.doc,
            span=_span(c),
        )

    def watch_statements(self, c: Children) -> tuple[tree.WatchStatement, ...]:
        return tuple(c)

    def watch_trigger(self, c: Children) -> tree.WatchTrigger:
        _, count, _, _, subject, _, window = c
        return tree.WatchTrigger(
            count=self._number(count), subject=subject, window=self._time_span(window), span=_span(c)
        )

    def watch_response(self, c: Children) -> tree.WatchResponse:
        return tree.WatchResponse(actions=_nodes(c), span=_span(c))

    def watch_action(self, c: Children) -> tree.WatchAction:
        return tree.WatchAction(verb=_name(c[0]), target=c[1], span=_span(c))

    # --- integration

    def connector(self, c: Children) -> tree.ConnectorDeclaration:
        keyword, name, title, kind, _, statements, _ = c
        return tree.ConnectorDeclaration(
            name=_name(name),
            title=self._optional_text(title),
            kind=_name(kind),
            statements=statements,
            doc=keyword.doc,
            span=_span(c),
        )

    def connector_statements(self, c: Children) -> tuple[tree.ConnectorStatement, ...]:
        return tuple(c)

    def option(self, c: Children) -> tree.OptionStatement:
        name, value = c
        return tree.OptionStatement(name=_name(name), value=value, doc=name.doc, span=_span(c))

    def auth(self, c: Children) -> tree.AuthStatement:
        _, kind, value, options = c
        if value is not None:
            options = (tree.AuthOption(name=None, value=value, span=value.span), *options)
        return tree.AuthStatement(kind=_name(kind), options=options, span=_span(c))

    def auth_options(self, c: Children) -> tuple[tree.AuthOption, ...]:
        return tuple(c)

    def auth_option(self, c: Children) -> tree.AuthOption:
        return tree.AuthOption(name=_name(c[0]), value=c[1], span=_span(c))

    def setting(self, c: Children) -> tree.SettingReference:
        return tree.SettingReference(name=_name(c[1]), span=_span(c))

    def secret(self, c: Children) -> tree.SecretReference:
        return tree.SecretReference(name=_name(c[1]), span=_span(c))

    def limit(self, c: Children) -> tree.LimitStatement:
        _, concurrent, _, _, _, per_second, _, _ = c
        return tree.LimitStatement(
            concurrent=self._number(concurrent), per_second=self._optional_number(per_second), span=_span(c)
        )

    def rate_limit(self, c: Children) -> tree.LimitStatement:
        return tree.LimitStatement(concurrent=None, per_second=self._number(c[1]), span=_span(c))

    def breaker(self, c: Children) -> tree.BreakerStatement:
        _, _, _, failures, _, _, pause = c
        return tree.BreakerStatement(failures=self._number(failures), pause=self._time_span(pause), span=_span(c))

    def operation(self, c: Children) -> tree.OperationDeclaration:
        keyword, name, title, _, statements, _ = c
        return tree.OperationDeclaration(
            name=name, title=self._optional_text(title), statements=statements, doc=keyword.doc, span=_span(c)
        )

    def operation_statements(self, c: Children) -> tuple[tree.OperationClause, ...]:
        return tuple(c)

    def request(self, c: Children) -> tree.RequestStatement:
        return tree.RequestStatement(path=self._text(c[1]), span=_span(c))

    def response(self, c: Children) -> tree.ResponseStatement:
        return tree.ResponseStatement(path=self._text(c[1]), span=_span(c))

    def timeout(self, c: Children) -> tree.TimeoutStatement:
        return tree.TimeoutStatement(limit=self._time_span(c[1]), span=_span(c))

    def retry_on(self, c: Children) -> tree.RetryOnStatement:
        statuses = []
        for token in c[2::2]:
            if token.type == "STATUS_CLASS":
                first = int(token.text[0]) * 100
                statuses.append((first, first + 99))
            elif token.type == "INTEGER":
                status = self._whole(token)
                statuses.append((status, status))
        words = {token.text for token in c[2::2]}
        return tree.RetryOnStatement(
            statuses=tuple(statuses), timeout="timeout" in words, connection="connection" in words, span=_span(c)
        )

    def output(self, c: Children) -> tree.OutputStatement:
        attribute = c[1] if not c[0].doc else replace(c[1], doc=c[0].doc)
        return tree.OutputStatement(attribute=attribute, span=_span(c))

    def callback(self, c: Children) -> tree.CallbackStatement:
        _, _, correlate, _, within, _, _, response = c
        return tree.CallbackStatement(
            correlate=_name(correlate),
            within=self._time_span(within),
            response=self._optional_text(response),
            span=_span(c),
        )

    # --- expressions

    def binary(self, c: Children) -> tree.Binary:
        left, sign, right = c
        operator = BinaryOperator(sign.text)
        node = tree.Binary(operator=operator, left=left, right=right, operator_span=sign.span, span=_span(c))
        return self._nested(node, c)

    def unary(self, c: Children) -> tree.Unary:
        sign, operand = c
        return self._nested(tree.Unary(operator=UnaryOperator(sign.text), operand=operand, span=_span(c)), c)

    def if_(self, c: Children) -> tree.If:
        _, condition, _, then, _, otherwise = c
        return self._nested(tree.If(condition=condition, then=then, otherwise=otherwise, span=_span(c)), c)

    def filtered(self, c: Children) -> tree.Quantified:
        quantified, _, condition = c
        node: tree.Quantified = replace(quantified, where=condition, span=_span(c))
        return self._nested(node, c)

    def presence(self, c: Children) -> tree.Presence:
        operand, _, word = c
        return self._nested(tree.Presence(operand=operand, present=word.text == "present", span=_span(c)), c)

    def membership(self, c: Children) -> tree.Membership:
        node = tree.Membership(operand=c[0], items=c[-2], negated=c[1].text == "not", span=_span(c))
        return self._nested(node, c)

    def default(self, c: Children) -> tree.Default:
        return self._nested(tree.Default(operand=c[0], fallback=c[2], span=_span(c)), c)

    def enclosed(self, c: Children) -> Any:
        return self._nested(replace(c[1], span=_span(c)), c)

    def list_literal(self, c: Children) -> tree.ListLiteral:
        return self._nested(tree.ListLiteral(items=c[1] or (), span=_span(c)), c)

    def path(self, c: Children) -> tree.Path:
        return tree.Path(parts=_names(c), span=_span(c))

    def call(self, c: Children) -> tree.Call:
        name, _, arguments, _, _, column = c
        node = tree.Call(name=_name(name), arguments=arguments or (), column=_optional_name(column), span=_span(c))
        return self._nested(node, c)

    def items(self, c: Children) -> tuple[tree.Expression, ...]:
        return _nodes(c)

    def case(self, c: Children) -> tree.Case:
        _, subject, _, arms, _, _, otherwise, _ = c
        return self._nested(tree.Case(subject=subject, arms=arms, otherwise=otherwise, span=_span(c)), c)

    def arms(self, c: Children) -> tuple[tree.Arm, ...]:
        return tuple(c)

    def arm(self, c: Children) -> tree.Arm:
        values, _, result = c
        return self._nested(tree.Arm(values=values, result=result, span=_span([values[0], result])), c)

    def arm_values(self, c: Children) -> tuple[tree.Expression, ...]:
        return _nodes(c)

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
            span=_span(c),
        )
        return self._nested(node, c)

    def lines(self, c: Children) -> _Over:
        _, _, spec, _, variable = c
        return _Over(Collection.LINES, _name(spec), _optional_name(variable), _span(c))

    def items_at_hand(self, c: Children) -> _Over:
        word, _, spec, _, variable = c
        return _Over(Collection(word.text), _optional_name(spec), _optional_name(variable), _span(c))

    def constants(self, c: Children) -> tuple[tree.Expression, ...]:
        return _nodes(c)

    # --- literals

    def boolean(self, c: Children) -> tree.Literal:
        return tree.Literal(value=c[0].text == "true", span=c[0].span)

    def integer(self, c: Children) -> tree.Literal:
        return tree.Literal(value=self._whole(c[0]), span=c[0].span)

    def decimal(self, c: Children) -> tree.Literal:
        return tree.Literal(value=Decimal(self._digits(c[0], c[0].text)), span=c[0].span)

    def string(self, c: Children) -> tree.Literal:
        return tree.Literal(value=self._unescaped(c[0]), span=c[0].span)

    def date(self, c: Children) -> tree.Literal:
        try:
            value = date.fromisoformat(c[0].text)
        except ValueError:
            self._problem("LM0007", f"there is no date `{c[0].text}`", c[0].span, "dates are written `2026-01-31`")
            value = date.min
        return tree.Literal(value=value, span=c[0].span)

    def datetime(self, c: Children) -> tree.Literal:
        try:
            value = datetime.fromisoformat(c[0].text).astimezone(UTC)
        except (ValueError, OverflowError):
            self._problem(
                "LM0007",
                f"there is no date and time `{c[0].text}`",
                c[0].span,
                "they are written `2026-01-31T12:00:00Z` or with an offset, `2026-01-31T12:00+01:00`",
            )
            value = datetime.min.replace(tzinfo=UTC)
        return tree.Literal(value=value, span=c[0].span)

    def duration_literal(self, c: Children) -> tree.Literal:
        return tree.Literal(value=self._length(c[0]), span=c[0].span)

    def period(self, c: Children) -> tree.Literal:
        digits, unit = c[0].text.split()
        months = int(self._digits(c[0], digits)) * (12 if unit.startswith("year") else 1)
        return tree.Literal(value=Period(months), span=c[0].span)

    def quantity(self, c: Children) -> tree.QuantityLiteral:
        token = c[0]
        digits, unit = token.text.split()
        gap = len(digits) + 1
        place = Span(token.file, token.start + gap, token.end, token.line, token.column + gap)
        return tree.QuantityLiteral(
            value=self._exact(token, digits), unit=tree.Text(value=unit, span=place), span=token.span
        )

    def unit_quantity(self, c: Children) -> tree.QuantityLiteral:
        number, unit = c
        return tree.QuantityLiteral(value=self._exact(number, number.text), unit=unit, span=_span(c))

    def _exact(self, token: Lexeme, digits: str) -> int | Decimal:
        text = self._digits(token, digits)
        return Decimal(text) if "." in text else int(text)

    def dotted(self, c: Children) -> tree.DottedName:
        return tree.DottedName(parts=_names(c), span=_span(c))


class _Cardinality:
    """`0..3` on its way into a `ContainsStatement`."""

    __slots__ = ("bounds", "span")

    def __init__(self, bounds: tuple[int, int | None], span: Span) -> None:
        self.bounds = bounds
        self.span = span


class _Response:
    """`fallout noc` on its way into a `WithinStatement`."""

    __slots__ = ("parts", "span")

    def __init__(self, parts: tuple[str, tree.Name | None], span: Span) -> None:
        self.parts = parts
        self.span = span


class _Over:
    """`lines of Router as r` on its way into a `Quantified`."""

    __slots__ = ("collection", "span", "spec", "variable")

    def __init__(self, collection: Collection, spec: tree.Name | None, variable: tree.Name | None, span: Span) -> None:
        self.collection = collection
        self.spec = spec
        self.variable = variable
        self.span = span
