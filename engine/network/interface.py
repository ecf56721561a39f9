"""What a rule network is given, and what it answers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from orderloom.engine.expressions import Scope
from orderloom.models.catalog import Action
from orderloom.models.expression import Formula
from orderloom.models.values import Value


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkRule:
    """One rule as the network sees it, whatever it does when it fires."""

    id: str
    #: lines of this spec or of one that extends it
    spec: str
    #: None: whatever the action
    actions: frozenset[Action] | None = None
    when: Formula | None = None
    #: higher fires first
    priority: int = 0
    #: exclusive group, "" for none: of its rules that hold for a line only the one of the lowest rank fires
    group: str = ""
    rank: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One conjunct of a rule's condition, held against a line."""

    #: as written, e.g. `speed == mbps_100`
    text: str
    #: None: unknown, since something it needs is absent
    outcome: bool | None
    #: what it looked at, e.g. ("speed", "mbps_500"), in the order of reading
    values: tuple[tuple[str, Value], ...]
    #: what it accepts of the one attribute that it tests, in words; "" where it is not such a test
    accepted: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Whether a rule fires for a line, with the proof or the refutation."""

    rule: str
    line: str
    fires: bool
    #: in words, where the line's spec or action already rules it out
    inapplicable: str = ""
    findings: tuple[Finding, ...] = ()
    #: the rule of the same exclusive group that fires in its place, "" for none
    shadowed_by: str = ""

    @property
    def failing(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.outcome is not True)

    @property
    def near_miss(self) -> bool:
        """Whether just one thing keeps it from firing."""
        obstacles = len(self.failing) + bool(self.inapplicable) + bool(self.shadowed_by)
        return not self.fires and obstacles == 1


class RuleNetwork(Protocol):
    """All rules of one family, matched together.

    A rule fires for a line if the line is of its spec, the action is one of its actions, its condition is true, and no
    rule of a lower rank in its exclusive group fires. Rules fire in the order of `rules`: priority, specificity, id.
    """

    @property
    def rules(self) -> Sequence[NetworkRule]:
        """The rules in their order of firing."""
        ...

    def match(self, scope: Scope) -> tuple[int, ...]:
        """The places in `rules` of those that fire for `scope.line`, ascending."""
        ...

    def match_all(self, scopes: Iterable[Scope]) -> list[tuple[int, ...]]:
        """`match` for each of many lines."""
        ...

    def verdict(self, rule: str, scope: Scope) -> Verdict:
        """Why the rule fires for `scope.line`, or why not. Raises KeyError for an unknown rule id."""
        ...
