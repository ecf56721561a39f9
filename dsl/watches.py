"""Watch rules: what they count, and what they do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from orderloom.dsl import queues, tree
from orderloom.dsl.clauses import only
from orderloom.dsl.context import Context
from orderloom.dsl.dependencies import plans_with_task
from orderloom.dsl.suggestions import suggestion
from orderloom.models.watching import (
    HoldConnector,
    Notify,
    OpenWatchWork,
    RaisePriority,
    WatchAction,
    Watched,
    WatchKey,
    WatchRule,
)

#: so many instants of one rule are kept at most
MOST_COUNTED = 1_000

_EVENTS = {
    "failure": Watched.FAILURES,
    "failures": Watched.FAILURES,
    "breach": Watched.BREACHES,
    "breaches": Watched.BREACHES,
    "warning": Watched.WARNINGS,
    "warnings": Watched.WARNINGS,
    "fallout": Watched.FALLOUT,
}
_KEYS = {str(key): key for key in WatchKey}
_VERBS = ("hold", "notify", "open", "raise")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Subject:
    """Whose events are counted; one of them is set, none where the design is wrong."""

    connector: str = ""
    operation: str = ""
    tasks: tuple[str, ...] = ()
    queue: str = ""


def build_watches(context: Context) -> None:
    """The watch rules; to be run once queues, connectors, operations and plans are known."""
    for name, node in context.symbols.watches.items():
        trigger = only(node.statements, tree.WatchTrigger, "when", context.findings)
        response = only(node.statements, tree.WatchResponse, "do", context.findings)
        for missing, word, example in (
            (trigger is None, "when", "when 5 failures of inventory within 10m"),
            (response is None, "do", "do notify noc"),
        ):
            if missing:
                context.findings.error(
                    "LM4020", f"the watch rule `{name}` says no `{word}`", node.name.span, help=f"add `{example}`"
                )
        actions = tuple(_actions(context, response)) if response is not None else ()
        watched = _event(context, trigger) if trigger is not None else None
        if trigger is None or watched is None:
            continue
        subject = _subject(context, watched, trigger.subject)
        context.watches[name] = WatchRule(
            name=name,
            title=node.title.value if node.title is not None else name,
            watched=watched,
            count=_count(context, trigger.count),
            within=queues.length(context, trigger.window, "the time within which it counts"),
            connector=subject.connector,
            operation=subject.operation,
            tasks=subject.tasks,
            queue=subject.queue,
            error=_error(context, watched, trigger),
            per=_key(context, trigger.per),
            actions=actions,
            doc=node.doc,
            span=node.name.span,
        )


def _event(context: Context, trigger: tree.WatchTrigger) -> Watched | None:
    found = _EVENTS.get(trigger.event.text)
    if found is None:
        _unknown(context, f"a watch rule cannot count `{trigger.event.text}`", trigger.event, "event", _EVENTS)
    return found


def _key(context: Context, name: tree.Name | None) -> WatchKey | None:
    if name is None:
        return None
    if name.text not in _KEYS:
        _unknown(context, f"a watch rule cannot count per `{name.text}`", name, "key", _KEYS)
    return _KEYS.get(name.text)


def _count(context: Context, node: tree.Number) -> int:
    if node.value > MOST_COUNTED:
        context.findings.error(
            "LM4024", f"a watch rule counts to {MOST_COUNTED} at most", node.span, help="write a smaller number"
        )
    return queues.count(context, node, "the number that is counted to")


def _error(context: Context, watched: Watched, trigger: tree.WatchTrigger) -> str:
    if trigger.error is None:
        return ""
    if watched not in (Watched.FAILURES, Watched.FALLOUT):
        context.findings.error(
            "LM4023",
            f"{watched} have no error code",
            trigger.error.span,
            help="drop `with error`, or count failures or fallout",
        )
    return trigger.error.value


def _subject(context: Context, watched: Watched, name: tree.DottedName) -> _Subject:
    first = name.parts[0]
    if watched is not Watched.FAILURES:
        if len(name.parts) > 1:
            _not_one(context, name, f"{watched} are those of a queue", "write the name of a queue")
            return _Subject()
        if watched is Watched.FALLOUT:
            return _Subject(queue=queues.queue(context, first, fallout=True))
        return _Subject(queue=first.text if queues.known_queue(context, first) else "")
    if len(name.parts) == 1:
        return _Subject(connector=_connector(context, first))
    if first.text in context.specs:
        found = plans_with_task(context, name)
        return _Subject(tasks=tuple(f"{each.name.text}.{name.parts[1].text}" for each in found))
    whole = ".".join(part.text for part in name.parts)
    if whole not in context.symbols.operations:
        context.findings.error(
            "LM1011",
            f"there is no operation `{whole}`, and no product, service or resource `{first.text}`",
            name.span,
            help=suggestion(whole, context.symbols.operations, what="operation"),
        )
        return _Subject()
    return _Subject(operation=whole)


def _actions(context: Context, response: tree.WatchResponse) -> Iterator[WatchAction]:
    for node in response.actions:
        found = _action(context, node)
        if found is not None:
            yield found


def _action(context: Context, node: tree.WatchAction) -> WatchAction | None:
    verb, target = node.verb.text, ".".join(part.text for part in node.target.parts)
    if (verb == "open") is not (node.queue is not None):
        _not_one(context, node, "only work is opened in a queue", 'write `open work in QUEUE "what to do"`')
    elif verb == "hold":
        if len(node.target.parts) == 1:
            return HoldConnector(connector=_connector(context, node.target.parts[0]))
        _not_one(context, node.target, "only whole connectors can be held", f"write `hold {node.target.parts[0].text}`")
    elif verb == "notify":
        return Notify(name=target)
    elif verb == "open" and target == "work" and node.queue is not None and node.title is not None:
        return OpenWatchWork(queue=queues.queue(context, node.queue, fallout=False), title=node.title.value)
    elif verb == "raise" and target == "priority":
        return RaisePriority()
    elif verb in _VERBS:
        _not_one(
            context, node, f"a watch rule cannot {verb} `{target}`", "`open` takes `work`, `raise` takes `priority`"
        )
    else:
        _unknown(context, f"a watch rule cannot `{verb}`", node.verb, "action", _VERBS)
    return None


def _connector(context: Context, name: tree.Name) -> str:
    if name.text not in context.symbols.connectors:
        context.findings.error(
            "LM1012",
            f"there is no connector `{name.text}`",
            name.span,
            help=suggestion(name.text, context.symbols.connectors, what="connector"),
        )
        return ""
    return name.text


def _unknown(context: Context, message: str, name: tree.Name, what: str, known: Iterable[str]) -> None:
    context.findings.error("LM1022", message, name.span, help=suggestion(name.text, list(known), what=what))


def _not_one(context: Context, node: tree.DottedName | tree.WatchAction, message: str, help: str) -> None:
    context.findings.error("LM4023", message, node.span, help=help)
