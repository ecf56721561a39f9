"""Rules of decomposition, decision tables and rejections."""

from __future__ import annotations

from orderloom.dsl import tree
from orderloom.dsl.builder.words import Children, WordBuilder, name_of, nodes_of, span_of
from orderloom.models.rules import HitPolicy


class DecompositionBuilder(WordBuilder):
    """Rules of decomposition, decision tables and rejections."""

    def decompose(self, c: Children) -> tree.DecomposeDeclaration:
        return self._rule(c[1:], c)

    def group_rule(self, c: Children) -> tree.DecomposeDeclaration:
        return self._rule(c, c)

    def _rule(self, parts: Children, c: Children) -> tree.DecomposeDeclaration:
        source, _, target, title, _, statements, _ = parts
        return tree.DecomposeDeclaration(
            source=name_of(source),
            target=name_of(target),
            title=self._optional_text(title),
            statements=statements,
            doc=c[0].doc,
            span=span_of(c),
        )

    def decompose_group(self, c: Children) -> tree.DecomposeGroup:
        keyword, _, _, title, _, rules, _ = c
        return tree.DecomposeGroup(title=self._optional_text(title), rules=rules, doc=keyword.doc, span=span_of(c))

    def group_rules(self, c: Children) -> tuple[tree.DecomposeDeclaration, ...]:
        return tuple(c)

    def rule_statements(self, c: Children) -> tuple[tree.RuleStatement, ...]:
        return tuple(c)

    def quantity_statement(self, c: Children) -> tree.QuantityStatement:
        return tree.QuantityStatement(value=c[1], span=span_of(c))

    def priority(self, c: Children) -> tree.PriorityStatement:
        return tree.PriorityStatement(value=c[1], span=span_of(c))

    def signed(self, c: Children) -> tree.Number:
        sign, number = c
        value = self._whole(number)
        return tree.Number(value=value if sign is None else -value, span=span_of(c[1:] if sign is None else c))

    def mapping(self, c: Children) -> tree.MappingStatement:
        name, _, value = c
        return tree.MappingStatement(attribute=name_of(name), value=value, doc=name.doc, span=span_of(c))

    def when(self, c: Children) -> tree.When:
        return tree.When(condition=c[1], span=span_of(c))

    def table(self, c: Children) -> tree.TableDeclaration:
        return self._table(c, None, c[12])

    def table_from(self, c: Children) -> tree.TableDeclaration:
        return self._table(c, self._text(c[12]), ())

    def _table(
        self, c: Children, source: tree.Text | None, rows: tuple[tree.RowDeclaration, ...]
    ) -> tree.TableDeclaration:
        keyword, name, title, _, inputs, _, _, _, results, _, policy = c[:11]
        return tree.TableDeclaration(
            name=name_of(name),
            title=self._optional_text(title),
            inputs=inputs,
            results=results,
            policy=HitPolicy.UNIQUE if policy is None else HitPolicy(policy.text),
            source=source,
            rows=rows,
            doc=keyword.doc,
            span=span_of(c),
        )

    def columns(self, c: Children) -> tuple[tree.ColumnDeclaration, ...]:
        return nodes_of(c)

    def column(self, c: Children) -> tree.ColumnDeclaration:
        name, title, type_ = c
        return tree.ColumnDeclaration(name=name_of(name), title=self._optional_text(title), type=type_, span=span_of(c))

    def rows(self, c: Children) -> tuple[tree.RowDeclaration, ...]:
        return tuple(c)

    def row(self, c: Children) -> tree.RowDeclaration:
        cells, _, results = c
        return tree.RowDeclaration(cells=cells, results=results, span=span_of([cells[0], results]))

    def cells(self, c: Children) -> tuple[tree.Cell, ...]:
        return nodes_of(c)

    def any_cell(self, c: Children) -> tree.AnyCell:
        return tree.AnyCell(span=span_of(c))

    def value_cell(self, c: Children) -> tree.ValueCell:
        return tree.ValueCell(values=nodes_of(c), span=span_of(c))

    def range_cell(self, c: Children) -> tree.RangeCell:
        low, _, high = c
        return tree.RangeCell(low=low, high=high, low_included=True, high_included=True, span=span_of(c))

    def bound_cell(self, c: Children) -> tree.RangeCell:
        sign, bound = c
        included = sign.text.endswith("=")
        if sign.text.startswith(">"):
            return tree.RangeCell(low=bound, high=None, low_included=included, high_included=True, span=span_of(c))
        return tree.RangeCell(low=None, high=bound, low_included=True, high_included=included, span=span_of(c))

    def reject(self, c: Children) -> tree.RejectDeclaration:
        keyword, message, _, spec, _, condition = c
        return tree.RejectDeclaration(
            message=self._text(message), spec=name_of(spec), condition=condition, doc=keyword.doc, span=span_of(c)
        )
