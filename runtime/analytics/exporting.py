"""Reports as CSV and as Parquet; series for sparklines are left out."""

from __future__ import annotations

import csv
import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from orderloom.runtime.analytics.figures import Cell, Column, Report
from orderloom.runtime.errors import ExtraMissing

#: unit -> what is added to a column's name
_UNITS = {"s": "_seconds", "share": "_share", "change": "_change", "points": "_points"}


def write_csv(report: Report, path: Path) -> None:
    """With a line of names; spans are seconds, shares parts of 1, what there is not is empty."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(_names(report))
        writer.writerows([_plain(cell) for cell in row] for row in _rows(report))


def write_parquet(report: Report, path: Path) -> None:
    """Raises ExtraMissing where `pyarrow` is not installed."""
    try:
        arrow = importlib.import_module("pyarrow")
        parquet = importlib.import_module("pyarrow.parquet")
    except ImportError:
        raise ExtraMissing(what="Parquet", package="pyarrow", extra="parquet") from None
    columns = list(zip(*_rows(report), strict=True)) or [()] * len(_names(report))
    data = {name: _typed(arrow, list(column)) for name, column in zip(_names(report), columns, strict=True)}
    parquet.write_table(arrow.table(data), path)


def _typed(arrow: Any, values: list[Cell]) -> object:
    kind = arrow.string() if any(isinstance(each, str) for each in values) else None
    if kind is None:
        whole = all(isinstance(each, int) for each in values) and values
        kind = arrow.int64() if whole else arrow.float64()
    return arrow.array(values, type=kind)


def _shown(report: Report) -> list[tuple[int, Column]]:
    return [(place, column) for place, column in enumerate(report.columns) if column.unit != "trend"]


def _names(report: Report) -> list[str]:
    return [column.name.replace(" ", "_") + _unit(column) for _, column in _shown(report)]


def _unit(column: Column) -> str:
    ending = _UNITS.get(column.unit, "")
    return "" if ending == f"_{column.name}" else ending


def _rows(report: Report) -> Iterator[list[Cell]]:
    for row in report.rows:
        yield [row[place] for place, _ in _shown(report)]


def _plain(cell: Cell) -> Cell:
    if isinstance(cell, str) and cell[:1] in ("=", "+", "-", "@", "\t", "\r"):
        # spreadsheets would take it for a formula
        return "'" + cell
    return cell
