"""Rules of plans and tasks."""

from __future__ import annotations

from orderloom.dsl import tree
from orderloom.dsl.builder.words import Children, WordBuilder, name_of, names_of, nodes_of, optional_name, span_of
from orderloom.dsl.lexer import Lexeme
from orderloom.models.source import Span
from orderloom.models.tasks import ErrorResponse, PointOfNoReturn, Reach, RetryKind, TaskKind


class PlanBuilder(WordBuilder):
    """Rules of plans and tasks."""

    def plan(self, c: Children) -> tree.PlanDeclaration:
        keyword, name, title, _, spec, _, actions, when, once, _, tasks, _ = c
        return tree.PlanDeclaration(
            name=name_of(name),
            title=self._optional_text(title),
            spec=name_of(spec),
            actions=actions or (),
            when=when,
            once=once,
            tasks=tasks,
            doc=keyword.doc,
            span=span_of(c),
        )

    def names(self, c: Children) -> tuple[tree.Name, ...]:
        return names_of(c)

    def tasks(self, c: Children) -> tuple[tree.TaskDeclaration, ...]:
        return tuple(c)

    def task(self, c: Children) -> tree.TaskDeclaration:
        kind, name, title, _, statements, _ = c
        return tree.TaskDeclaration(
            kind=TaskKind(kind.text),
            name=name_of(name),
            title=self._optional_text(title),
            statements=statements,
            doc=kind.doc,
            span=span_of(c),
        )

    def task_statements(self, c: Children) -> tuple[tree.TaskStatement, ...]:
        return tuple(c)

    def once(self, c: Children) -> tree.OncePer:
        return tree.OncePer(reach=Reach(c[2].text), span=span_of(c))

    def after(self, c: Children) -> tree.AfterStatement:
        return tree.AfterStatement(items=c[1], span=span_of(c))

    def dependencies(self, c: Children) -> tuple[tree.DependencyItem, ...]:
        return nodes_of(c)

    def local_dependency(self, c: Children) -> tree.DependencyItem:
        target, _, condition = c
        return tree.DependencyItem(target=target, reach=None, condition=condition, span=span_of(c))

    def far_dependency(self, c: Children) -> tree.DependencyItem:
        target, _, reach, _, condition = c
        return tree.DependencyItem(
            target=target,
            reach=tree.DependencyReach(reach.text),
            condition=condition,
            span=span_of(c),
        )

    def reach(self, c: Children) -> tree.Name:
        return tree.Name(text=" ".join(word.text for word in c), span=span_of(c))

    def operation_statement(self, c: Children) -> tree.OperationStatement:
        return tree.OperationStatement(operation=c[1], span=span_of(c))

    def set_statement(self, c: Children) -> tree.SetStatement:
        _, name, _, value = c
        return tree.SetStatement(attribute=name_of(name), value=value, span=span_of(c))

    def error_statement(self, c: Children) -> tree.ErrorStatement:
        _, _, code, response, *queue = c
        return tree.ErrorStatement(
            code=self._text(code),
            response=ErrorResponse(response.text),
            queue=name_of(queue[0]) if queue else None,
            span=span_of(c),
        )

    def fallout(self, c: Children) -> tree.FalloutStatement:
        return tree.FalloutStatement(queue=name_of(c[1]), span=span_of(c))

    def queue_statement(self, c: Children) -> tree.QueueStatement:
        return tree.QueueStatement(queue=name_of(c[1]), span=span_of(c))

    def due_statement(self, c: Children) -> tree.DueStatement:
        return tree.DueStatement(due=c[1], span=span_of(c))

    def due_business(self, c: Children) -> tree.DueTime:
        return tree.DueTime(
            business_days=self._whole(c[0]),
            business_hours=None,
            exact=None,
            calendar=optional_name(c[4]),
            span=span_of(c),
        )

    def due_business_hours(self, c: Children) -> tree.DueTime:
        return tree.DueTime(
            business_days=None,
            business_hours=self._whole(c[0]),
            exact=None,
            calendar=optional_name(c[4]),
            span=span_of(c),
        )

    def due_exact(self, c: Children) -> tree.DueTime:
        exact = self._length(c[0])
        return tree.DueTime(business_days=None, business_hours=None, exact=exact, calendar=None, span=span_of(c))

    def collect(self, c: Children) -> tree.CollectStatement:
        return tree.CollectStatement(fields=c[2], span=span_of(c))

    def event(self, c: Children) -> tree.EventStatement:
        _, _, event, _, matching = c
        return tree.EventStatement(event=self._text(event), matching=matching, span=span_of(c))

    def pause_for(self, c: Children) -> tree.PauseForStatement:
        return tree.PauseForStatement(length=self._time_span(c[1]), span=span_of(c))

    def until(self, c: Children) -> tree.UntilStatement:
        return tree.UntilStatement(value=c[1], span=span_of(c))

    def within(self, c: Children) -> tree.WithinStatement:
        _, limit, _, response = c
        word, queue = ("fallout", None) if response is None else response.parts
        return tree.WithinStatement(
            limit=self._time_span(limit), otherwise=tree.TimeoutResponse(word), queue=queue, span=span_of(c)
        )

    def timeout_response(self, c: Children) -> _Response:
        return _Response((c[0].text, name_of(c[1]) if len(c) > 1 else None), span_of(c))

    def plan_statement(self, c: Children) -> tree.PlanStatement:
        return tree.PlanStatement(plan=name_of(c[1]), span=span_of(c))

    def cancel_operation(self, c: Children) -> tree.CancelStatement:
        return tree.CancelStatement(operation=c[1], span=span_of(c))

    def undo_operation(self, c: Children) -> tree.UndoOperationStatement:
        return tree.UndoOperationStatement(operation=c[1], span=span_of(c))

    def undo_plan(self, c: Children) -> tree.UndoPlanStatement:
        return tree.UndoPlanStatement(plan=name_of(c[2]), span=span_of(c))

    def amend_plan(self, c: Children) -> tree.AmendPlanStatement:
        return tree.AmendPlanStatement(plan=name_of(c[2]), span=span_of(c))

    def no_return(self, c: Children) -> tree.NoReturnStatement:
        _, _, kind, consequence, _, approval, per, _ = c
        return tree.NoReturnStatement(
            kind=PointOfNoReturn(kind.text),
            consequence=self._optional_text(consequence),
            approval=optional_name(approval),
            bundle=per is not None,
            span=span_of(c),
        )

    def duration(self, c: Children) -> tree.DurationStatement:
        return tree.DurationStatement(length=c[1], span=span_of(c))

    def start_late(self, c: Children) -> tree.StartLateStatement:
        return tree.StartLateStatement(span=span_of(c))

    def visible(self, c: Children) -> tree.VisibleStatement:
        return tree.VisibleStatement(text=self._text(c[1]), span=span_of(c))

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
            span=span_of(c),
        )


class _Response:
    """`fallout noc` on its way into a `WithinStatement`."""

    __slots__ = ("parts", "span")

    def __init__(self, parts: tuple[str, tree.Name | None], span: Span) -> None:
        self.parts = parts
        self.span = span
