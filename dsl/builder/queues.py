"""Rules of queues and watches."""

from __future__ import annotations

from orderloom.dsl import tree
from orderloom.dsl.builder.words import Children, WordBuilder, name_of, nodes_of, optional_name, span_of


class QueueBuilder(WordBuilder):
    """Rules of queues and watches."""

    def queue(self, c: Children) -> tree.QueueDeclaration:
        keyword, name, title, fallout, _, statements, _ = c
        return tree.QueueDeclaration(
            name=name_of(name),
            title=self._optional_text(title),
            fallout=fallout is not None,
            statements=statements,
            doc=keyword.doc,
            span=span_of(c),
        )

    def queue_statements(self, c: Children) -> tuple[tree.QueueClause, ...]:
        return tuple(c)

    def assign(self, c: Children) -> tree.AssignStatement:
        _, mode, skills, _, condition = c
        return tree.AssignStatement(mode=name_of(mode), skills=skills or (), condition=condition, span=span_of(c))

    def sla(self, c: Children) -> tree.SlaStatement:
        _, due, _, _, percent = c
        return tree.SlaStatement(due=due, warn_at=self._optional_number(percent), span=span_of(c))

    def escalate(self, c: Children) -> tree.EscalateStatement:
        return tree.EscalateStatement(queue=name_of(c[2]), after=c[4], span=span_of(c))

    def watch(self, c: Children) -> tree.WatchDeclaration:
        keyword, name, title, _, statements, _ = c
        return tree.WatchDeclaration(
            name=name_of(name),
            title=self._optional_text(title),
            statements=statements,
            doc=keyword.doc,
            span=span_of(c),
        )

    def watch_statements(self, c: Children) -> tuple[tree.WatchStatement, ...]:
        return tuple(c)

    def watch_trigger(self, c: Children) -> tree.WatchTrigger:
        _, count, event, _, subject, _, _, error, _, window, _, per = c
        return tree.WatchTrigger(
            count=self._number(count),
            event=name_of(event),
            subject=subject,
            error=self._optional_text(error),
            window=self._time_span(window),
            per=optional_name(per),
            span=span_of(c),
        )

    def watch_response(self, c: Children) -> tree.WatchResponse:
        return tree.WatchResponse(actions=nodes_of(c), span=span_of(c))

    def watch_action(self, c: Children) -> tree.WatchAction:
        verb, target, _, queue, title = c
        return tree.WatchAction(
            verb=name_of(verb),
            target=target,
            queue=optional_name(queue),
            title=self._optional_text(title),
            span=span_of(c),
        )
