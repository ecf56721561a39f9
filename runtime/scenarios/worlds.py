"""Reads what a scenario's world does: systems, people, events, callbacks and actions."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import yaml

from orderloom.connectors.simulator import Script as SystemsScript
from orderloom.connectors.templates.operation import OperationTemplates
from orderloom.engine.program import Program
from orderloom.engine.simulation.acts import CallBack, Change, Correct, Resolve, Work
from orderloom.engine.simulation.script import Delivery, Elsewhere, Happening, Person, Reply, Script
from orderloom.models.callout import Answer, Outcome
from orderloom.models.design import Design
from orderloom.models.inventory import EMPTY
from orderloom.models.journal import (
    AmendmentRequested,
    CancellationRequested,
    FalloutAction,
    MigrationRequested,
    OrderHeld,
    OrderReleased,
    RelatedOrdersWaived,
    SendCallout,
)
from orderloom.models.order import ProductOrder
from orderloom.models.values import Value
from orderloom.runtime.errors import NotSimulated
from orderloom.runtime.rehearsal import Rehearsal
from orderloom.runtime.scenarios.names import Names
from orderloom.runtime.scenarios.nodes import Node
from orderloom.runtime.scenarios.orders import Orders

#: keys of a scenario, and of each of its orders, that say what the world does
WORLD = ("systems", "people", "events", "callbacks", "actions", "elsewhere")
_OUTCOMES = tuple(str(each) for each in Outcome)
#: what an answer or a callback says in terms of the core
_TOLD = ("outcome", "outputs", "code", "message")
_REPLY_KEYS = (*_TOLD, "latency", "callback")
_ACTIONS = ("hold", "release", "start", "retry", "skip", "complete", "correct", "work", "amend", "cancel", "migrate")
_ACTION_KEYS = (*_ACTIONS, "after", "at", "by", "reason", "values", "outputs", "accept", "roles", "force")


class Worlds:
    """Makes the script of an order from what its scenario says of the world."""

    def __init__(self, names: Names, orders: Orders, design: Callable[[Node], Program | None]) -> None:
        """`design` reads another version of the design, in place or from its folder."""
        self._names = names
        self._orders = orders
        self._design = design
        #: what migrations go to, by digest
        self.versions: dict[str, Program] = {}
        self._wired: dict[int, _Systems] = {}

    def script(self, found: Mapping[str, Node], order: ProductOrder) -> Script:
        """`found` holds the entries of the keys in `WORLD`."""
        replies, wire = self._systems(found["systems"]) if "systems" in found else ({}, {})
        events = found.get("events")
        acts = list(self._callbacks(found["callbacks"], order)) if "callbacks" in found else []
        acts += self._actions(found["actions"], order) if "actions" in found else []
        return Script(
            replies=replies,
            answer=self._answering(wire, found.get("systems"), replies),
            people=dict(self._people(found["people"])) if "people" in found else {},
            events=tuple(self._events(events, order)) if events else (),
            spontaneous=timedelta(minutes=1) if events is None else None,
            elsewhere=tuple(self._elsewhere(found["elsewhere"], order)) if "elsewhere" in found else None,
            interventions=tuple(acts),
            versions=self.versions,
        )

    def _answering(self, wire: Mapping[str, object], node: Node | None, replies: Collection[str]) -> _Systems | None:
        """The systems of one place in the file; those of the scenario last over all its orders."""
        line = node.line if node else 0
        if line not in self._wired:
            try:
                self._wired[line] = _Systems(self._names.design, wire, replies)
            except NotSimulated as problem:
                if node is not None:
                    node.problem(str(problem))
                return None
        return self._wired[line]

    def reset(self) -> None:
        """Puts the systems back to where they begin."""
        for each in self._wired.values():
            each.reset()

    def _systems(self, node: Node) -> tuple[dict[str, tuple[Reply, ...]], dict[str, object]]:
        """Replies in terms of the core, and scripts of answers on the wire, both by operation."""
        replies: dict[str, tuple[Reply, ...]] = {}
        wire: dict[str, object] = {}
        for name, given in node.mapping().items():
            if not self._names.operation(name, given):
                continue
            answers = list(given.items())
            if all(each.is_mapping and "outcome" in each.mapping() for each in answers):
                replies[name] = tuple(self._reply(name, each) for each in answers)
                continue
            if self._names.design.operations[name].request is None:
                given.problem(f"`{name}` has no request template, so its answers say `outcome`")
                continue
            plain = given.plain()
            try:
                SystemsScript.parse({name: plain})
                wire[name] = plain
            except ValueError as problem:
                given.problem(str(problem).removeprefix("simulator script: "))
        return replies, wire

    def _reply(self, operation: str, node: Node) -> Reply:
        found = node.mapping(_REPLY_KEYS)
        latency = found["latency"].span() if "latency" in found else timedelta(milliseconds=100)
        reply = self._told(operation, found, latency)
        if "callback" not in found:
            return reply
        later = found["callback"].mapping(("after", *_TOLD))
        after = later["after"].span() if "after" in later else timedelta(minutes=1)
        return replace(reply, callback=self._told(operation, later, after))

    def _told(self, operation: str, found: Mapping[str, Node], latency: timedelta) -> Reply:
        """What an answer or a callback says."""
        outcome = found["outcome"].choice(_OUTCOMES, "outcome") if "outcome" in found else ""
        return Reply(
            outcome=Outcome(outcome or Outcome.COMPLETED),
            outputs=self._outputs(operation, found.get("outputs")),
            code=found["code"].text() if "code" in found else "",
            message=found["message"].text() if "message" in found else "",
            latency=latency,
        )

    def _outputs(self, operation: str, node: Node | None) -> dict[str, Value]:
        if node is None:
            return {}
        return self._names.values(node, dict(self._names.design.operations[operation].outputs), "output")

    def _people(self, node: Node) -> Iterator[tuple[str, Person | None]]:
        for name, given in node.mapping().items():
            task = self._names.task(name, given)
            if task is None:
                continue
            if not given.is_mapping:
                given.choice(("never",), "answer of a person (`never`, or a mapping)")
                yield name, None
                continue
            found = given.mapping(("after", "values", "by"))
            form = {each.name: each for each in task.form}
            yield (
                name,
                Person(
                    after=found["after"].span() if "after" in found else timedelta(hours=1),
                    values=self._names.values(found["values"], form, "field of the form") if "values" in found else {},
                    by=found["by"].text() if "by" in found else "somebody",
                ),
            )

    def _events(self, node: Node, order: ProductOrder) -> Iterator[Delivery]:
        if not node.is_list:
            node.expected("a list of events")
            return
        for each in node.items():
            found = each.mapping(("event", "name", "payload", "after", "at"))
            named = found.get("event") or found.get("name")
            if named is None:
                each.expected("an event with its `event`")
                continue
            if named.text() not in self._names.events:
                named.unknown(named.text(), self._names.events, "event of a wait")
            payload = found["payload"].mapping() if "payload" in found else {}
            yield Delivery(
                event=named.text(),
                payload={key: value.plain() for key, value in payload.items()},
                after=_when(each, found, order.order_date),
            )

    def _callbacks(self, node: Node, order: ProductOrder) -> Iterator[tuple[timedelta, Happening]]:
        for each in node.items():
            found = each.mapping(("task", "after", "at", "attempt", "body", *_TOLD))
            if "task" not in found:
                each.expected("a callback with the `task` that it is for")
                continue
            named = found["task"]
            task = self._names.task(named.text(), named)
            if task is None:
                continue
            if not task.operation:
                named.problem(f"`{named.text()}` calls nothing, so nothing calls back")
                continue
            told: Reply | Answer = self._told(task.operation, found, timedelta(0))
            if "body" in found:
                operation = self._names.design.operations[task.operation]
                reader = OperationTemplates(operation, self._names.design.enums).reader
                _, told = reader.message({}, found["body"].plain())
            act = CallBack(
                task=named.text(),
                outcome=told.outcome,
                outputs=told.outputs,
                code=told.code,
                message=told.message,
                attempt=found["attempt"].integer() if "attempt" in found else 0,
            )
            yield _when(each, found, order.order_date), act

    def _elsewhere(self, node: Node, order: ProductOrder) -> Iterator[Elsewhere]:
        for each in node.items():
            found = each.mapping(("order", "task", "after", "at", "problem"))
            if "order" not in found or "task" not in found:
                each.expected("the `order` and its `task`")
                continue
            if found["order"].text() not in order.related:
                found["order"].unknown(found["order"].text(), order.related, "related order")
            task = self._names.task(found["task"].text(), found["task"])
            if task is not None:
                yield Elsewhere(
                    order=found["order"].text(),
                    task=task.id,
                    after=_when(each, found, order.order_date),
                    problem=found["problem"].text() if "problem" in found else "",
                )

    def _actions(self, node: Node, order: ProductOrder) -> Iterator[tuple[timedelta, Happening]]:
        for each in node.items():
            found = each.mapping(_ACTION_KEYS, "action")
            chosen = [name for name in _ACTIONS if name in found]
            if len(chosen) != 1:
                each.expected(f"one action out of {', '.join(_ACTIONS)}")
                continue
            act = self._act(chosen[0], found, order)
            if act is not None:
                yield _when(each, found, order.order_date), act

    def _act(self, name: str, found: Mapping[str, Node], order: ProductOrder) -> Happening | None:
        node = found[name]
        by = found["by"].text() if "by" in found else "somebody"
        reason = found["reason"].text() if "reason" in found else ""
        match name:
            case "hold":
                return OrderHeld(by=by, reason=node.text())
            case "release":
                return OrderReleased(by=by, reason=node.text())
            case "start":
                return RelatedOrdersWaived(by=by, reason=node.text())
            case "correct":
                return self._correct(node, found.get("values"), by, reason)
            case "amend" | "cancel" | "migrate":
                return self._change(name, found, order, by, reason)
        task = self._names.task(node.text(), node)
        if task is None:
            return None
        if name == "work":
            form = {each.name: each for each in task.form}
            values = self._names.values(found["values"], form, "field of the form") if "values" in found else {}
            return Work(task=node.text(), values=values, by=by)
        outputs = self._outputs(task.operation, found.get("outputs")) if task.operation else {}
        return Resolve(task=node.text(), action=FalloutAction(name), outputs=outputs, by=by, reason=reason)

    def _correct(self, node: Node, values: Node | None, by: str, reason: str) -> Happening | None:
        spec = self._names.spec(node.text(), node)
        if spec is None:
            return None
        if values is None:
            node.problem("`correct` goes with the `values` that are right")
            return None
        typed = self._names.values(values, dict(spec.attributes), f"attribute of `{spec.name}`")
        return Correct(line=node.text(), values=typed, by=by, reason=reason)

    def _change(
        self, name: str, found: Mapping[str, Node], order: ProductOrder, by: str, reason: str
    ) -> Happening | None:
        node = found[name]
        terms: dict[str, Any] = {
            "by": by,
            "reason": reason,
            "accept": found["accept"].flag() if "accept" in found else False,
            "force": found["force"].flag() if "force" in found else False,
            "roles": found["roles"].texts() if "roles" in found else (),
        }
        if name == "amend":
            wanted = self._orders.read(node, id=order.id, date=order.order_date)
            if wanted is None:
                return None
            wanted = replace(wanted, id=order.id, account=order.account)
            return Change(AmendmentRequested(order=wanted, inventory=EMPTY, **terms))
        if name == "migrate":
            program = self._design(node)
            if program is None:
                return None
            self._names.learn(program.design)
            self.versions[program.design.digest] = program
            digest = program.design.digest
            return Change(MigrationRequested(design=digest, inventory=EMPTY, **terms))
        items = () if node.plain() == "all" else tuple(str(each.plain()) for each in node.items())
        for each in items:
            if each not in {item.id for item in order.items}:
                node.unknown(each, [item.id for item in order.items], "item of the order")
        return Change(CancellationRequested(items=items, inventory=EMPTY, **terms))


class _Systems:
    """Systems that answer what the design's own templates send, see `engine.simulation.Script.answer`."""

    def __init__(self, design: Design, wire: Mapping[str, object], replies: Collection[str]) -> None:
        """`wire` is what they answer by operation; `replies` names operations that are answered elsewhere."""
        self._design = design
        self._script = yaml.safe_dump({"operations": dict(wire)})
        self._replies = frozenset(replies)
        self.reset()

    def __call__(self, command: SendCallout, number: int) -> Reply | None:
        return None if command.callout.operation in self._replies else self._rehearsal.answer(command, number)

    def reset(self) -> None:
        self._rehearsal = Rehearsal(self._design, self._script)


def _when(node: Node, found: Mapping[str, Node], submitted: datetime) -> timedelta:
    """Time since the submission."""
    if "at" in found:
        return found["at"].instant() - submitted
    if "after" in found:
        return found["after"].span()
    node.expected("`after` (time since the submission) or `at` (an instant)")
    return timedelta(0)
