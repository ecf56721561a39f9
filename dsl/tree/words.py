"""Names, texts and numbers outside of expressions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from orderloom.models.source import Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Name:
    """A name as written: where it is defined and wherever it is used."""

    text: str
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class DottedName:
    """`inventory.reserve_port`, `GponAccess.in_service`, or one bare name."""

    parts: tuple[Name, ...]
    span: Span

    @property
    def text(self) -> str:
        return ".".join(part.text for part in self.parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A string outside of expressions: a title, a message, a path. `value` has its escapes resolved."""

    value: str
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """A whole number outside of expressions; `value` may be negative only in `priority`."""

    value: int
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeSpan:
    """An exact span of time outside of expressions: `10s`, `4h`."""

    value: timedelta
    span: Span
