"""Decision tables kept as CSV files.

The header names the columns, inputs and results in any order. A cell of an input is `any` (or empty), a value, values
with `|` between, a range `100..500` (both included), or `>= 100`, `> 100`, `<= 5`, `< 5`. A value is written as in a
design, strings without quotes (or in JSON quotes, where `any`, `|` or space at the ends is meant).
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from decimal import Decimal

from orderloom.dsl import tree
from orderloom.dsl.context import Context
from orderloom.dsl.coverage import position_of
from orderloom.dsl.functions import ORDERED
from orderloom.dsl.suggestions import listing, suggestion
from orderloom.models.conversion import from_json
from orderloom.models.rules import AnyCell, Cell, Column, RangeCell, Row, ValueCell
from orderloom.models.source import Span
from orderloom.models.values import Kind, Period, Type, Value

_INTEGER = re.compile(r"-?[0-9]{1,100}")
_DECIMAL = re.compile(r"-?[0-9]{1,100}(\.[0-9]{1,100})?")
_SPAN = re.compile(r"(-?\d+)\s*(ms|s|m|h|d)")
_STEPS = {
    "ms": timedelta(milliseconds=1),
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
}
_BOUND = re.compile(r"(>=|<=|>|<)\s*(.+)", re.DOTALL)
_WORDS = {"true": True, "false": False}


def read_csv(
    context: Context, source: tree.Text, inputs: Sequence[Column], results: Sequence[Column]
) -> tuple[Row, ...] | None:
    """The rows of the file that a table names; None if something is wrong with it."""
    path = context.sources.find(source.span.file, source.value)
    if path is None:
        tables = [path for path in context.sources.files if path.endswith(".csv")]
        context.findings.error(
            "LM1014",
            f"the bundle has no file `{source.value}`",
            source.span,
            help=suggestion(source.value, tables, what="CSV file"),
        )
        return None
    try:
        records = list(_records(path, context.sources.files[path].replace("\ufeff", " ", 1)))
    except csv.Error as error:
        context.findings.error("LM3205", f"`{path}` is no CSV: {error}", source.span, help="save it as CSV in UTF-8")
        return None
    if not records:
        context.findings.error("LM3205", f"`{source.value}` is empty", source.span, help="write a header and rows")
        return None
    (header, header_span), *body = records
    names = [name.strip() for name in header]
    wanted = [column.name for column in (*inputs, *results)]
    if sorted(names) != sorted(wanted):
        context.findings.error(
            "LM3205",
            f"the columns of this file are {listing(names)}, the table declares {listing(wanted)}",
            header_span,
            help="the first row names each column of the table once",
        )
        return None
    places = {name: place for place, name in enumerate(names)}
    rows: list[Row] = []
    sound = True
    for record, span in body:
        row = _row(context, record, span, inputs, results, places)
        if row is None:
            sound = False
        else:
            rows.append(row)
    return tuple(rows) if sound else None


def _records(path: str, text: str) -> Iterator[tuple[list[str], Span]]:
    """The records that hold anything, each with its place."""
    lines = text.splitlines(keepends=True)
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))
    reader = csv.reader(lines, skipinitialspace=True)
    before = 0
    for record in reader:
        start, end = starts[before], starts[reader.line_num]
        if any(cell.strip() for cell in record):
            end = start + len(text[start:end].rstrip("\r\n"))
            yield record, Span(path, start, end, before + 1, 1)
        before = reader.line_num


def _row(
    context: Context,
    record: Sequence[str],
    span: Span,
    inputs: Sequence[Column],
    results: Sequence[Column],
    places: dict[str, int],
) -> Row | None:
    if len(record) != len(places):
        context.findings.error(
            "LM3203",
            f"this row has {len(record)} cells, the header {len(places)}",
            span,
            help="write `any` or a value in each",
        )
        return None
    cells: list[Cell] = []
    values: list[Value] = []
    for column in inputs:
        text = record[places[column.name]].strip()
        cell = _cell(context, text, column.type)
        if cell is None:
            _unreadable(context, span, column, text)
            return None
        cells.append(cell)
    for column in results:
        text = record[places[column.name]].strip()
        if not text and column.type.optional:
            values.append(None)
            continue
        value = _value(context, text, column.type)
        if value is None:
            _unreadable(context, span, column, text)
            return None
        values.append(value)
    return Row(cells=tuple(cells), results=tuple(values), span=span)


def _unreadable(context: Context, span: Span, column: Column, text: str) -> None:
    help = "write it as in a design"
    if column.type.kind is Kind.ENUM:
        help = suggestion(text, context.enums[column.type.name].values, what="value")
    context.findings.error(
        "LM3204", f"`{text}` in column `{column.name}` is no `{column.type.required()}`", span, help=help
    )


def _cell(context: Context, text: str, type_: Type) -> Cell | None:
    if text in ("", "any"):
        return AnyCell()
    if type_.kind in ORDERED:
        bound = _BOUND.fullmatch(text)
        if bound is not None:
            value = _value(context, bound[2].strip(), type_)
            included = bound[1].endswith("=")
            if value is None:
                return None
            below = bound[1].startswith("<")
            return RangeCell(None, value, True, included) if below else RangeCell(value, None, included, True)
        if ".." in text:
            low, high = (_value(context, part.strip(), type_) for part in text.split("..", 1))
            if low is None or high is None or position_of(low) > position_of(high):
                return None
            return RangeCell(low, high)
    values = tuple(_value(context, part.strip(), type_) for part in text.split("|"))
    return None if None in values else ValueCell(values)


def _value(context: Context, text: str, type_: Type) -> Value:
    """The value that is written; None if it is none of the type."""
    try:
        match type_.kind:
            case Kind.BOOLEAN:
                return _WORDS.get(text)
            case Kind.INTEGER:
                return int(text) if _INTEGER.fullmatch(text) else None
            case Kind.DECIMAL:
                return Decimal(text) if _DECIMAL.fullmatch(text) else None
            case Kind.STRING:
                return json.loads(text) if text.startswith('"') else text
            case Kind.DATE:
                return date.fromisoformat(text)
            case Kind.DATETIME:
                return from_json(text, type_.required(), context.enums)
            case Kind.DURATION:
                return _span(text)
            case Kind.PERIOD:
                return Period(int(text.removesuffix("months").removesuffix("month").strip()))
            case Kind.ENUM:
                return text if text in context.enums[type_.name].values else None
            case Kind.LIST:
                return _items(context, text, type_.item)
    except (ValueError, OverflowError):
        return None


def _span(text: str) -> timedelta | None:
    found = _SPAN.fullmatch(text)
    return None if found is None else int(found[1]) * _STEPS[found[2]]


def _items(context: Context, text: str, item: Type | None) -> Value:
    if item is None:
        return None
    values = tuple(_value(context, part.strip(), item) for part in text.split("|")) if text else ()
    return None if None in values else values
