"""Several sources, one technical line: whose value holds, how many units, and where sources contradict each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from orderloom.engine.decomposition.work import Work
from orderloom.engine.expressions.wording import value_text
from orderloom.engine.firing import FiringRule
from orderloom.models.fulfillment import Line, Origin, ProblemKind, Provenance
from orderloom.models.values import Value


@dataclass(slots=True)
class Contribution:
    """What one rule, fired for one source line, asks of the target."""

    source: Line
    rule: FiringRule
    #: attribute -> value, absent results left out
    values: dict[str, Value]
    #: None where the rule says nothing of the quantity
    quantity: int | None
    #: whether the order may change what it asks for: its source is touched, or something that the rule looks at is
    live: bool


@dataclass(slots=True)
class Group:
    """The contributions that merge into one technical line."""

    rule: FiringRule
    #: see `Asset.anchor`, without spec and scope
    anchor: str
    contributions: list[Contribution]


def merge_values(
    work: Work, id: str, contributions: Sequence[Contribution]
) -> tuple[dict[str, Value], dict[str, Provenance]]:
    """Per attribute the value of the highest priority; among equal priorities all must agree."""
    values: dict[str, Value] = {}
    setters: dict[str, Contribution] = {}
    for contribution in contributions:
        for name, value in contribution.values.items():
            setter = setters.get(name)
            if setter is None or contribution.rule.rule.priority > setter.rule.rule.priority:
                values[name] = value
                setters[name] = contribution
    if len(contributions) > 1:
        _find_conflicts(work, id, contributions, setters)
    provenance = {
        name: Provenance(origin=Origin.RULE, by=setter.rule.id, source=setter.source.id, text=_text(setter.rule, name))
        for name, setter in setters.items()
    }
    return values, provenance


def merge_quantity(contributions: Sequence[Contribution]) -> int:
    """The sum of what the rules with a quantity ask for; 1 where none has one."""
    asked = [each.quantity for each in contributions if each.quantity is not None]
    return sum(asked) if asked else 1


def _find_conflicts(
    work: Work, id: str, contributions: Sequence[Contribution], setters: dict[str, Contribution]
) -> None:
    told: set[str] = set()
    for contribution in contributions:
        for name, value in contribution.values.items():
            setter = setters[name]
            if (
                setter is contribution
                or name in told
                or setter.values[name] == value
                or contribution.rule.rule.priority != setter.rule.rule.priority
            ):
                continue
            told.add(name)
            kind = setter.rule.target.attributes[name].type.kind if name in setter.rule.target.attributes else None
            work.problem(
                ProblemKind.CONFLICT,
                id,
                f"{_setters(setter, contribution)} `{name}` differently: `{setter.rule.id}` for line "
                f"`{setter.source.id}` to {value_text(setter.values[name], kind)}, `{contribution.rule.id}` for line "
                f"`{contribution.source.id}` to {value_text(value, kind)}; {_remedy(setter, contribution)}",
            )


def _setters(setter: Contribution, other: Contribution) -> str:
    return "one rule sets" if setter.rule.id == other.rule.id else "two rules of the same priority set"


def _remedy(setter: Contribution, other: Contribution) -> str:
    if setter.rule.id != other.rule.id:
        return "give one of them a higher priority"
    return f"make `{setter.rule.target.name}` one per line, or the value from their parent, so that it is the same"


def _text(rule: FiringRule, attribute: str) -> str:
    return next(each.value.text for each in reversed(rule.mappings) if each.attribute == attribute)
