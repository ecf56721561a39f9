"""Statements that may stand once only."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol, TypeVar

from orderloom.dsl.findings import Findings
from orderloom.dsl.tree import of_kind
from orderloom.models.source import Label, Span


class Placed(Protocol):
    @property
    def span(self) -> Span: ...


Statement = TypeVar("Statement", bound=Placed)


def only(statements: Iterable[object], kind: type[Statement], word: str, findings: Findings) -> Statement | None:
    """The one statement of a kind, None if there is none; every further one is reported."""
    found = of_kind(statements, kind)
    for extra in found[1:]:
        findings.error(
            "LM4003",
            f"`{word}` stands here twice",
            extra.span,
            help="keep one of them",
            labels=[Label(found[0].span, "first given here")],
        )
    return found[0] if found else None
