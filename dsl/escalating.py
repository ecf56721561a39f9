"""What becomes of work that is not done in time: warnings before, and queues that it goes to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

from orderloom.dsl import queues, tree
from orderloom.dsl.context import Context
from orderloom.dsl.cycles import cycles
from orderloom.models.source import Label
from orderloom.models.tasks import Due, Escalation

_AT_ONCE = Due(span=timedelta(0))


def build_escalations(context: Context) -> None:
    """Puts into each queue when people are warned and where late work goes; to be run once all queues are known."""
    for name, node in context.symbols.queues.items():
        queue = context.queues[name]
        escalations = tuple(_escalations(context, node, fallout=queue.fallout))
        context.queues[name] = replace(queue, warn_at=_warning(context, node), escalations=escalations)
    _refuse_circles(context)


def _warning(context: Context, node: tree.QueueDeclaration) -> int:
    found = next(iter(tree.of_kind(node.statements, tree.SlaStatement)), None)
    if found is None or found.warn_at is None:
        return 0
    share = found.warn_at.value
    if not 0 < share < 100:
        context.findings.error(
            "LM4018", f"a warning at {share}% comes too early or too late", found.warn_at.span, help="write 1% to 99%"
        )
    return share


def _escalations(context: Context, node: tree.QueueDeclaration, *, fallout: bool) -> Iterator[Escalation]:
    known: dict[Due, tree.EscalateStatement] = {}
    for statement in tree.of_kind(node.statements, tree.EscalateStatement):
        target = queues.queue(context, statement.queue, fallout=fallout)
        after = _AT_ONCE
        if statement.after is not None:
            after = queues.due(context, statement.after, "the time after the breach")
        if after in known:
            context.findings.error(
                "LM4019",
                "late work cannot go to two queues at once",
                statement.span,
                help=f"say when it goes on, as in `escalate to {statement.queue.text} after 4h`",
                labels=[Label(known[after].span, "it goes to another one then")],
            )
        known.setdefault(after, statement)
        yield Escalation(queue=target, after=after)


def _refuse_circles(context: Context) -> None:
    graph = {name: [each.queue for each in queue.escalations if each.queue] for name, queue in context.queues.items()}
    for circle in cycles(graph):
        node = context.symbols.queues[circle[0]]
        statements = tree.of_kind(node.statements, tree.EscalateStatement)
        context.findings.error(
            "LM4017",
            "late work would go in a circle: " + " → ".join(f"`{name}`" for name in circle),
            next(each.queue.span for each in statements if each.queue.text == circle[1]),
            help="let the last of these queues keep it",
        )
