"""Expressions that choose: `default`, `if`, `case`."""

from __future__ import annotations

from orderloom.dsl import tree
from orderloom.dsl.checker import Checker, handles
from orderloom.dsl.facts import if_false, if_true
from orderloom.dsl.literals import constants
from orderloom.dsl.operators import alike, all_alike, maybe
from orderloom.dsl.wording import shown
from orderloom.models.expression import Arm, Case, Default, Expression, If
from orderloom.models.values import BOOLEAN, Kind, Type, Value


@handles(tree.Default)
def default(checker: Checker, node: tree.Default, wanted: Type | None) -> Expression | None:
    found = alike((checker, node.operand), (checker, node.fallback), wanted)
    if found is None:
        return None
    operand, fallback = found
    return Default(operand, fallback, operand.type if not operand.type.optional else fallback.type)


@handles(tree.If)
def choice(checker: Checker, node: tree.If, wanted: Type | None) -> Expression | None:
    condition = checker.check(node.condition, BOOLEAN)
    yes = checker if condition is None else checker.assuming(if_true(condition))
    no = checker if condition is None else checker.assuming(if_false(condition))
    found = alike((yes, node.then), (no, node.otherwise), wanted)
    if condition is None or found is None:
        return None
    then, otherwise = found
    return If(condition, then, otherwise, maybe(then.type.required(), condition, then, otherwise))


@handles(tree.Case)
def case(checker: Checker, node: tree.Case, wanted: Type | None) -> Expression | None:
    subject = checker.infer(node.subject)
    results = all_alike(tuple((checker, each) for each in (*(arm.result for arm in node.arms), *_others(node))), wanted)
    if subject is None:
        return None
    accepted = _accepted(checker, node, subject.type)
    if results is None or accepted is None or not _exhaustive(checker, node, subject.type, accepted):
        return None
    arms = tuple(Arm(values, result) for values, result in zip(accepted, results, strict=False))
    otherwise = results[-1] if node.otherwise is not None else None
    return Case(subject, arms, otherwise, maybe(results[0].type.required(), subject, *results))


def _others(node: tree.Case) -> tuple[tree.Expression, ...]:
    return () if node.otherwise is None else (node.otherwise,)


def _accepted(checker: Checker, node: tree.Case, subject: Type) -> list[tuple[Value, ...]] | None:
    """The values of each arm; a value in two arms is an error."""
    accepted: list[tuple[Value, ...]] = []
    seen: set[Value] = set()
    sound = True
    for arm in node.arms:
        values = constants(checker, arm.values, subject)
        if values is None:
            sound = False
            continue
        for value, place in zip(values, arm.values, strict=True):
            if value in seen:
                sound = False
                checker.findings.error(
                    "LM2009",
                    f"`{shown(value, subject)}` stands in this `case` twice, so this arm is never reached",
                    place.span,
                    help="remove it here or above",
                )
            seen.add(value)
        accepted.append(values)
    return accepted if sound else None


def _exhaustive(checker: Checker, node: tree.Case, subject: Type, accepted: list[tuple[Value, ...]]) -> bool:
    values = _all_values(checker, subject)
    seen = {value for arm in accepted for value in arm}
    if values is None:
        if node.otherwise is None:
            checker.findings.error(
                "LM2008",
                f"this `case` over `{subject.required()}` does not say what happens for other values",
                node.span,
                help="add `else:`",
            )
        return node.otherwise is not None
    missing = [value for value in values if value not in seen]
    if missing and node.otherwise is None:
        names = ", ".join(f"`{shown(value, subject)}`" for value in missing)
        checker.findings.error(
            "LM2008", f"this `case` does not say what happens for {names}", node.span, help="add the arm, or `else:`"
        )
        return False
    if not missing and node.otherwise is not None:
        checker.findings.warning(
            "LM2014",
            "this `else` is never reached: the arms cover every value",
            node.otherwise.span,
            help="remove it, so that a value added later is not overlooked",
        )
    return True


def _all_values(checker: Checker, subject: Type) -> tuple[Value, ...] | None:
    if subject.kind is Kind.BOOLEAN:
        return (True, False)
    if subject.kind is Kind.ENUM:
        return checker.known.enums[subject.name].values
    return None
