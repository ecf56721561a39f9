"""Proofs about decision tables: every value covered, no value covered twice, no row that can never hit.

Each input column is cut into regions within which no cell tells two values apart: the values of an enum, the points and
gaps between the bounds of a number, the strings that are mentioned and all others. A region knows the set of rows that
accept it as a bit mask, so that a point of the table is a choice of one region a column and its rows are their AND.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

from orderloom.dsl.wording import shown
from orderloom.models.rules import AnyCell, Cell, RangeCell, Table, ValueCell
from orderloom.models.values import Kind, Period, Type, Value

#: how many partial points a search looks at before it gives up
MOST_STATES = 50_000


@dataclass(frozen=True, slots=True)
class Region:
    """Values of a column that every cell treats alike."""

    #: one of the values, as a designer writes it
    label: str
    #: bit i is set if row i accepts the region
    rows: int


@dataclass(frozen=True, slots=True)
class Overlap:
    first: int
    second: int
    #: a value for each input that both rows accept
    point: tuple[str, ...]


def regions(table: Table, enums: Mapping[str, Sequence[str]]) -> tuple[tuple[Region, ...], ...]:
    """The regions of each input column; `enums` gives the values of each enum."""
    return tuple(
        _regions_of(column.type, [row.cells[place] for row in table.rows], enums)
        for place, column in enumerate(table.inputs)
    )


def gap(columns: Sequence[Sequence[Region]], rows: int) -> tuple[str, ...] | None:
    """Values, one for each input, that no row accepts; None if the table is complete."""
    return _search(columns, (1 << rows) - 1, own=0)


def overlap(columns: Sequence[Sequence[Region]], rows: int) -> Overlap | None:
    """The first two rows that accept a common point, and the point; None if there are none."""
    for row in range(rows):
        bit = 1 << row
        common = ~0
        for column in columns:
            beside = 0
            for region in column:
                if region.rows & bit:
                    beside |= region.rows
            common &= beside
        others = common & ((1 << rows) - 1) & ~((bit << 1) - 1)
        if others:
            second = (others & -others).bit_length() - 1
            both = bit | 1 << second
            point = tuple(next(r.label for r in column if r.rows & both == both) for column in columns)
            return Overlap(row, second, point)
    return None


def hidden(columns: Sequence[Sequence[Region]], rows: int) -> tuple[int, ...]:
    """Rows that hit nothing which an earlier row does not hit first."""
    return tuple(row for row in range(rows) if _search(columns, (1 << (row + 1)) - 1, own=1 << row) is None)


def _search(columns: Sequence[Sequence[Region]], rows: int, own: int) -> tuple[str, ...] | None:
    """A point whose rows, among `rows`, are exactly `own`.

    A search that takes too long ends as if there were one, so that nothing is called proven that is not.
    """
    fruitless: set[tuple[int, int]] = set()

    def walk(place: int, mask: int) -> tuple[str, ...] | None:
        if place == len(columns):
            return () if mask == own else None
        if (place, mask) in fruitless:
            return None
        if len(fruitless) > MOST_STATES:
            return tuple("some value" for _ in columns[place:])
        for region in columns[place]:
            if region.rows & own != own:
                continue
            rest = walk(place + 1, mask & region.rows)
            if rest is not None:
                return (region.label, *rest)
        fruitless.add((place, mask))
        return None

    return walk(0, rows)


def _regions_of(type_: Type, cells: Sequence[Cell], enums: Mapping[str, Sequence[str]]) -> tuple[Region, ...]:
    if type_.kind is Kind.BOOLEAN:
        return _merge((shown(value, type_), _accepting(cells, value)) for value in (False, True))
    if type_.kind is Kind.ENUM:
        return _merge((value, _accepting(cells, value)) for value in enums[type_.name])
    if type_.kind is Kind.STRING:
        values = sorted({str(value) for cell in cells if isinstance(cell, ValueCell) for value in cell.values})
        named = [(shown(value, type_), _accepting(cells, value)) for value in values]
        return _merge([*named, ("any other string" if values else "any string", _accepting_all(cells))])
    return _merge(
        (shown(value, type_), _accepting(cells, value))
        for value in (value_at(type_.kind, position) for position in _samples(type_.kind, cells))
    )


def _merge(labelled: Iterable[tuple[str, int]]) -> tuple[Region, ...]:
    """Regions with the same rows are one region; the first label stays."""
    by_rows: dict[int, str] = {}
    for label, rows in labelled:
        by_rows.setdefault(rows, label)
    return tuple(Region(label, rows) for rows, label in by_rows.items())


def _accepting(cells: Sequence[Cell], value: Value) -> int:
    return sum(1 << row for row, cell in enumerate(cells) if accepts(cell, value))


def _accepting_all(cells: Sequence[Cell]) -> int:
    return sum(1 << row for row, cell in enumerate(cells) if isinstance(cell, AnyCell))


def accepts(cell: Cell, value: Value) -> bool:
    """Whether a cell accepts a value that is present."""
    if isinstance(cell, AnyCell):
        return True
    if isinstance(cell, ValueCell):
        return value in cell.values
    place = position_of(value)
    if cell.low is not None:
        low = position_of(cell.low)
        if place < low or (place == low and not cell.low_included):
            return False
    if cell.high is not None:
        high = position_of(cell.high)
        if place > high or (place == high and not cell.high_included):
            return False
    return True


def _samples(kind: Kind, cells: Sequence[Cell]) -> list[Fraction]:
    """One position of each point and gap between the bounds that the cells of an ordered column mention."""
    bounds: set[Fraction] = set()
    for cell in cells:
        if isinstance(cell, ValueCell):
            bounds.update(position_of(value) for value in cell.values)
        elif isinstance(cell, RangeCell):
            bounds.update(position_of(bound) for bound in (cell.low, cell.high) if bound is not None)
    if not bounds:
        return [Fraction(0) if kind is not Kind.DATE else Fraction(date(2000, 1, 1).toordinal())]
    points = sorted(bounds)
    samples = [points[0] - _STEP]
    for point, following in zip(points, [*points[1:], None], strict=True):
        samples.append(point)
        if following is None:
            samples.append(point + _STEP)
        elif kind is Kind.DECIMAL:
            samples.append((point + following) / 2)
        elif following - point > _STEP:
            samples.append(point + _STEP)
    return samples


def position_of(value: Value) -> Fraction:
    """Where a value of an ordered type stands on a line: its number, day, microsecond or month."""
    if isinstance(value, datetime):
        return Fraction((value - _EPOCH) // _MICROSECOND)
    if isinstance(value, date):
        return Fraction(value.toordinal())
    if isinstance(value, timedelta):
        return Fraction(value // _MICROSECOND)
    if isinstance(value, Period):
        return Fraction(value.months)
    if isinstance(value, int | Decimal):
        return Fraction(value)
    raise TypeError(f"values of this type have no order: {value!r}")


def value_at(kind: Kind, position: Fraction) -> Value:
    """The value of an ordered type at a position; the reverse of `position_of`."""
    if kind is Kind.DECIMAL:
        return (Decimal(position.numerator) / Decimal(position.denominator)).normalize()
    whole = int(position)
    if kind is Kind.DATE:
        return date.fromordinal(min(max(whole, date.min.toordinal()), date.max.toordinal()))
    if kind is Kind.DATETIME:
        return _EPOCH + whole * _MICROSECOND
    if kind is Kind.DURATION:
        return whole * _MICROSECOND
    if kind is Kind.PERIOD:
        return Period(whole)
    return whole


_MICROSECOND = timedelta(microseconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
#: from one value to the next; decimals are dense, so for them it is just some step
_STEP = Fraction(1)
