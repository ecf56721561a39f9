"""Decision tables, written inline or as CSV, and the proofs about them.

A table that has no row for some values is no error by itself: a lookup in it may be absent, and is refused where a
value is needed. Under the policy `unique` no two rows may accept one value; under `first` every row must hit something.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from orderloom.dsl import tree
from orderloom.dsl.attributes import type_of
from orderloom.dsl.checker import Checker
from orderloom.dsl.context import Context
from orderloom.dsl.coverage import gap, hidden, overlap, position_of, regions
from orderloom.dsl.csvtables import read_csv
from orderloom.dsl.environment import NOTHING
from orderloom.dsl.functions import ORDERED
from orderloom.dsl.literals import constant, constants
from orderloom.dsl.symbols import unique
from orderloom.models.rules import AnyCell, Cell, Column, HitPolicy, RangeCell, Row, Table, ValueCell
from orderloom.models.source import Label
from orderloom.models.values import Kind, Type, Value


def build_tables(context: Context) -> None:
    for name, node in context.symbols.tables.items():
        table = _table(context, node)
        if table is None:
            context.broken_tables.add(name)
        else:
            context.tables[name] = table
            _prove(context, node, table)


def _table(context: Context, node: tree.TableDeclaration) -> Table | None:
    unique(f"in table `{node.name.text}` the column", (*node.inputs, *node.results), context.findings)
    inputs = _columns(context, node.inputs)
    results = _columns(context, node.results)
    if inputs is None or results is None:
        return None
    for column, declared in zip(inputs, node.inputs, strict=True):
        if column.type.kind is Kind.LIST or column.type.optional:
            context.findings.error(
                "LM3209",
                f"an input column cannot be `{column.type}`",
                declared.type.span,
                help="an input is a single value that is present; a lookup with an absent argument is absent",
            )
            return None
    if node.source is not None:
        rows = read_csv(context, node.source, inputs, results)
    else:
        rows = _rows(context, node.rows, inputs, results)
    if rows is None:
        return None
    if not rows:
        context.findings.error("LM3207", f"table `{node.name.text}` has no rows", node.name.span, help="add rows")
        return None
    return Table(
        name=node.name.text,
        title=node.title.value if node.title is not None else node.name.text,
        inputs=inputs,
        results=results,
        policy=node.policy,
        rows=rows,
        doc=node.doc,
        span=node.name.span,
    )


def _columns(context: Context, nodes: Iterable[tree.ColumnDeclaration]) -> tuple[Column, ...] | None:
    found: list[Column] = []
    sound = True
    for node in nodes:
        type_ = type_of(context, node.type)
        if type_ is None:
            sound = False
        else:
            found.append(Column(name=node.name.text, type=type_))
    return tuple(found) if sound else None


def _rows(
    context: Context, nodes: Iterable[tree.RowDeclaration], inputs: Sequence[Column], results: Sequence[Column]
) -> tuple[Row, ...] | None:
    checker = context.checker(NOTHING)
    rows: list[Row] = []
    sound = True
    for node in nodes:
        row = _row(checker, node, inputs, results)
        if row is None:
            sound = False
        else:
            rows.append(row)
    return tuple(rows) if sound else None


def _row(
    checker: Checker, node: tree.RowDeclaration, inputs: Sequence[Column], results: Sequence[Column]
) -> Row | None:
    if len(node.cells) != len(inputs) or len(node.results) != len(results):
        checker.findings.error(
            "LM3203",
            f"this row has {len(node.cells)} cells and {len(node.results)} results, "
            f"the table has {len(inputs)} and {len(results)} columns",
            node.span,
            help="write one cell for each column, `any` where every value will do",
        )
        return None
    cells = [_cell(checker, cell, column.type) for cell, column in zip(node.cells, inputs, strict=True)]
    values = [constant(checker, each, column.type) for each, column in zip(node.results, results, strict=True)]
    kept = tuple(cell for cell in cells if cell is not None)
    found = tuple(each.value for each in values if each is not None)
    if len(kept) != len(cells) or len(found) != len(values):
        return None
    return Row(cells=kept, results=found, span=node.span)


def _cell(checker: Checker, node: tree.Cell, type_: Type) -> Cell | None:
    if isinstance(node, tree.AnyCell):
        return AnyCell()
    if isinstance(node, tree.ValueCell):
        values = constants(checker, node.values, type_)
        return None if values is None else ValueCell(values)
    if type_.kind not in ORDERED:
        checker.findings.error(
            "LM3204", f"`{type_}` has no order, so a cell cannot be a range", node.span, help="list the values with `|`"
        )
        return None
    bounds: list[Value] = []
    for bound in (node.low, node.high):
        found = None if bound is None else constant(checker, bound, type_)
        if bound is not None and found is None:
            return None
        bounds.append(None if found is None else found.value)
    cell = RangeCell(bounds[0], bounds[1], node.low_included, node.high_included)
    if is_empty(cell):
        checker.findings.error("LM3204", "this range holds no value", node.span, help="write the lower bound first")
        return None
    return cell


def is_empty(cell: RangeCell) -> bool:
    """Whether a range holds no value, its lower bound being above its upper one."""
    if cell.low is None or cell.high is None:
        return False
    low, high = position_of(cell.low), position_of(cell.high)
    return low > high or (low == high and not (cell.low_included and cell.high_included))


def _prove(context: Context, node: tree.TableDeclaration, table: Table) -> None:
    columns = regions(table, {name: enum.values for name, enum in context.enums.items()})
    if table.policy is not HitPolicy.COLLECT:
        missing = gap(columns, len(table.rows))
        if missing is not None:
            context.gaps[table.name] = missing
    if table.policy is HitPolicy.UNIQUE:
        double = overlap(columns, len(table.rows))
        if double is not None:
            first, second = table.rows[double.first], table.rows[double.second]
            point = ", ".join(f"`{value}`" for value in double.point)
            context.findings.error(
                "LM3201",
                f"two rows of table `{table.name}` accept {point}",
                second.span or node.name.span,
                help="narrow one of them, or make the policy `first`",
                labels=[Label(first.span, "the other row")] if first.span is not None else [],
            )
    elif table.policy is HitPolicy.FIRST:
        for place in hidden(columns, len(table.rows)):
            context.findings.warning(
                "LM3206",
                f"this row of table `{table.name}` never hits: earlier rows accept all that it accepts",
                table.rows[place].span or node.name.span,
                help="move it up or remove it",
            )
