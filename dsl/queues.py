"""Queues, times and retry policies."""

from __future__ import annotations

from datetime import timedelta

from orderloom.dsl import tree
from orderloom.dsl.assigning import assign_rules
from orderloom.dsl.clauses import only
from orderloom.dsl.context import Context
from orderloom.dsl.suggestions import suggestion
from orderloom.models.design import DEFAULT_FALLOUT_QUEUE
from orderloom.models.source import Span
from orderloom.models.tasks import Due, Queue, RetryKind, RetryPolicy

#: of a term in business days or hours: years, and still quickly counted
MOST_BUSINESS = 10_000


def build_queues(context: Context) -> None:
    """The declared queues, and the queue of failed tasks that always exists."""
    for name, node in context.symbols.queues.items():
        if name == DEFAULT_FALLOUT_QUEUE and not node.fallout:
            context.findings.error(
                "LM4007",
                f"the queue `{name}` is the one for failed tasks",
                node.name.span,
                help="write `fallout` after its name, or choose another name",
            )
        sla = only(node.statements, tree.SlaStatement, "sla", context.findings)
        context.queues[name] = Queue(
            name=name,
            title=node.title.value if node.title is not None else name,
            fallout=node.fallout,
            assign=assign_rules(context, node),
            sla=due(context, sla.due) if sla is not None else None,
            doc=node.doc,
            span=node.name.span,
        )
    if DEFAULT_FALLOUT_QUEUE not in context.queues:
        context.queues[DEFAULT_FALLOUT_QUEUE] = Queue(name=DEFAULT_FALLOUT_QUEUE, title="Fallout", fallout=True)


def known_queue(context: Context, name: tree.Name) -> bool:
    """Whether a queue exists; reported if not."""
    if name.text in context.symbols.queues or name.text == DEFAULT_FALLOUT_QUEUE:
        return True
    context.findings.error(
        "LM1010",
        f"there is no queue `{name.text}`",
        name.span,
        help=suggestion(name.text, context.symbols.queues, what="queue"),
    )
    return False


def queue(context: Context, name: tree.Name, *, fallout: bool) -> str:
    """The name of a queue of the wanted kind; "" if it is wrong."""
    if not known_queue(context, name):
        return ""
    if context.queues[name.text].fallout is not fallout:
        found, wanted = ("failed", "manual") if not fallout else ("manual", "failed")
        context.findings.error(
            "LM4007",
            f"`{name.text}` is a queue for {found} tasks, and a queue for {wanted} ones is expected",
            name.span,
            help="name another queue, or " + ("write `fallout` after its name" if fallout else "drop its `fallout`"),
        )
        return ""
    return name.text


def due(context: Context, node: tree.DueTime, what: str = "a due time") -> Due:
    """A time by which something is to be done, or for which it lasts."""
    business = node.business_days if node.business_days is not None else node.business_hours
    if business is None:
        exact = node.exact or timedelta(0)
        if exact <= timedelta(0):
            _not_positive(context, what, node.span)
        return Due(span=exact)
    if business < 1:
        _not_positive(context, what, node.span)
    if business > MOST_BUSINESS:
        context.findings.error(
            "LM4016", f"{what} is at most {MOST_BUSINESS} business days or hours", node.span, help="write fewer"
        )
    calendar = _calendar(context, node.calendar) if node.calendar is not None else ""
    if node.business_days is not None:
        return Due(business_days=business, calendar=calendar)
    return Due(business_time=timedelta(hours=min(business, MOST_BUSINESS)), calendar=calendar)


def _calendar(context: Context, name: tree.Name) -> str:
    """The name of a calendar that `bundle.yaml` has; "" if it has none."""
    if name.text in context.sources.calendars:
        return name.text
    context.findings.error(
        "LM1020",
        f"there is no calendar `{name.text}`",
        name.span,
        help=suggestion(name.text, context.sources.calendars, what="calendar")
        if context.sources.calendars
        else "add it to `calendars` of `bundle.yaml`",
    )
    return ""


def length(context: Context, node: tree.TimeSpan, what: str) -> timedelta:
    """A span of time that must be longer than nothing."""
    if node.value <= timedelta(0):
        _not_positive(context, what, node.span)
    return node.value


def count(context: Context, node: tree.Number, what: str) -> int:
    """A number that must be at least 1."""
    if node.value < 1:
        _not_positive(context, what, node.span)
    return node.value


def _not_positive(context: Context, what: str, span: Span) -> None:
    context.findings.error("LM4008", f"{what} must be more than zero", span, help="write a positive one")


def retry_policy(context: Context, node: tree.RetryStatement) -> RetryPolicy:
    """The policy that a `retry` statement describes."""
    intervals = tuple(length(context, each, "the time between attempts") for each in node.intervals)
    times = count(context, node.times, "the number of retries") if node.times is not None else None
    if node.kind is RetryKind.STAGGERED:
        return RetryPolicy(kind=node.kind, retries=len(intervals), intervals=intervals)
    if node.kind is RetryKind.FOREVER:
        return RetryPolicy(kind=node.kind, retries=None, intervals=intervals)
    cap = length(context, node.cap, "the longest time between attempts") if node.cap is not None else None
    if node.cap is not None and intervals and node.cap.value < intervals[0]:
        context.findings.error(
            "LM4009", "the longest interval is shorter than the first", node.cap.span, help="write a longer one"
        )
    if node.jitter is not None and node.jitter.value > 100:
        context.findings.error(
            "LM4009", "the jitter is at most 100%", node.jitter.span, help="write a percentage from 0 to 100"
        )
    return RetryPolicy(
        kind=node.kind,
        retries=times or 0,
        intervals=intervals,
        cap=cap,
        jitter=node.jitter.value if node.jitter is not None else 0,
    )
