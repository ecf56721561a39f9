"""Rules of constants and dotted names."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

from orderloom.dsl import tree
from orderloom.dsl.builder.words import Children, WordBuilder, names_of, span_of
from orderloom.dsl.lexer import Lexeme
from orderloom.models.source import Span
from orderloom.models.values import Period


class LiteralBuilder(WordBuilder):
    """Rules of constants and dotted names."""

    def boolean(self, c: Children) -> tree.Literal:
        return tree.Literal(value=c[0].text == "true", span=c[0].span)

    def integer(self, c: Children) -> tree.Literal:
        return tree.Literal(value=self._whole(c[0]), span=c[0].span)

    def decimal(self, c: Children) -> tree.Literal:
        return tree.Literal(value=Decimal(self._digits(c[0], c[0].text)), span=c[0].span)

    def string(self, c: Children) -> tree.Literal:
        return tree.Literal(value=self._unescaped(c[0]), span=c[0].span)

    def date(self, c: Children) -> tree.Literal:
        try:
            value = date.fromisoformat(c[0].text)
        except ValueError:
            self._problem("LM0007", f"there is no date `{c[0].text}`", c[0].span, "dates are written `2026-01-31`")
            value = date.min
        return tree.Literal(value=value, span=c[0].span)

    def datetime(self, c: Children) -> tree.Literal:
        try:
            value = datetime.fromisoformat(c[0].text).astimezone(UTC)
        except (ValueError, OverflowError):
            self._problem(
                "LM0007",
                f"there is no date and time `{c[0].text}`",
                c[0].span,
                "they are written `2026-01-31T12:00:00Z` or with an offset, `2026-01-31T12:00+01:00`",
            )
            value = datetime.min.replace(tzinfo=UTC)
        return tree.Literal(value=value, span=c[0].span)

    def duration_literal(self, c: Children) -> tree.Literal:
        return tree.Literal(value=self._length(c[0]), span=c[0].span)

    def period(self, c: Children) -> tree.Literal:
        digits, unit = c[0].text.split()
        months = int(self._digits(c[0], digits)) * (12 if unit.startswith("year") else 1)
        return tree.Literal(value=Period(months), span=c[0].span)

    def quantity(self, c: Children) -> tree.QuantityLiteral:
        token = c[0]
        digits, unit = token.text.split()
        gap = len(digits) + 1
        place = Span(token.file, token.start + gap, token.end, token.line, token.column + gap)
        return tree.QuantityLiteral(
            value=self._exact(token, digits), unit=tree.Text(value=unit, span=place), span=token.span
        )

    def unit_quantity(self, c: Children) -> tree.QuantityLiteral:
        number, unit = c
        return tree.QuantityLiteral(value=self._exact(number, number.text), unit=unit, span=span_of(c))

    def _exact(self, token: Lexeme, digits: str) -> int | Decimal:
        text = self._digits(token, digits)
        return Decimal(text) if "." in text else int(text)

    def dotted(self, c: Children) -> tree.DottedName:
        return tree.DottedName(parts=names_of(c), span=span_of(c))
