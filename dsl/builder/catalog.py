"""Rules of files, enums and specs."""

from __future__ import annotations

from dataclasses import replace

from orderloom.dsl import tree
from orderloom.dsl.builder.literals import LiteralBuilder
from orderloom.dsl.builder.words import Children, name_of, span_of
from orderloom.dsl.lexer import Lexeme
from orderloom.models.catalog import Level, RelationKind, Scope
from orderloom.models.source import Span


class CatalogBuilder(LiteralBuilder):
    """Rules of files, enums and specs."""

    def file(self, c: Children) -> tuple[tree.Declaration, ...]:
        return tuple(c)

    def import_(self, c: Children) -> tree.Import:
        _, path = c
        return tree.Import(path=self._text(path), span=span_of(c))

    def enum(self, c: Children) -> tree.EnumDeclaration:
        _, name, title, _, values, _ = c
        return tree.EnumDeclaration(
            name=name_of(name), title=self._optional_text(title), values=values, doc=c[0].doc, span=span_of(c)
        )

    def enum_values(self, c: Children) -> tuple[tree.EnumValue, ...]:
        return tuple(c)

    def enum_value(self, c: Children) -> tree.EnumValue:
        name, title = c
        return tree.EnumValue(name=name_of(name), title=self._optional_text(title), doc=name.doc, span=span_of(c))

    def spec(self, c: Children) -> tree.SpecDeclaration:
        keyword, name, title, clauses, _, statements, _ = c
        return tree.SpecDeclaration(
            keyword=tree.SpecKeyword(keyword.text),
            name=name_of(name),
            title=self._optional_text(title),
            clauses=clauses,
            statements=statements,
            doc=keyword.doc,
            span=span_of(c),
        )

    def spec_clauses(self, c: Children) -> tuple[tree.SpecClause, ...]:
        return tuple(c)

    def extends(self, c: Children) -> tree.ExtendsClause:
        return tree.ExtendsClause(spec=name_of(c[1]), span=span_of(c))

    def facing(self, c: Children) -> tree.FacingClause:
        return tree.FacingClause(level=Level(c[0].text), span=span_of(c))

    def scope_clause(self, c: Children) -> tree.ScopeClause:
        return tree.ScopeClause(scope=Scope(c[2].text), key=None, span=span_of(c))

    def key_clause(self, c: Children) -> tree.ScopeClause:
        return tree.ScopeClause(scope=Scope.KEY, key=c[4], span=span_of(c))

    def version(self, c: Children) -> tree.VersionClause:
        _, version, _, _, start, _, end = c
        return tree.VersionClause(
            version=self._text(version),
            valid_from=self._optional_date(start),
            valid_until=self._optional_date(end),
            span=span_of(c),
        )

    def _optional_date(self, token: Lexeme | None) -> tree.Literal | None:
        return None if token is None else self.date([token])

    def spec_statements(self, c: Children) -> tuple[tree.SpecStatement, ...]:
        return tuple(c)

    def contains(self, c: Children) -> tree.ContainsStatement:
        keyword, spec, cardinality = c
        least, most = (1, 1) if cardinality is None else cardinality.bounds
        return tree.ContainsStatement(spec=name_of(spec), least=least, most=most, doc=keyword.doc, span=span_of(c))

    def cardinality(self, c: Children) -> _Cardinality:
        least, _, most = c
        upper = None if most.type == "STAR" else self._whole(most)
        return _Cardinality((self._whole(least), upper), span_of(c))

    def relies_on(self, c: Children) -> tree.RelationStatement:
        return self._relation(RelationKind.RELIES_ON, c)

    def requires(self, c: Children) -> tree.RelationStatement:
        return self._relation(RelationKind.REQUIRES, c)

    def excludes(self, c: Children) -> tree.RelationStatement:
        return self._relation(RelationKind.EXCLUDES, c)

    def _relation(self, kind: RelationKind, c: Children) -> tree.RelationStatement:
        return tree.RelationStatement(kind=kind, spec=name_of(c[-1]), doc=c[0].doc, span=span_of(c))

    def attribute(self, c: Children) -> tree.AttributeDeclaration:
        name, title, type_, required, _, default = c
        return tree.AttributeDeclaration(
            name=name_of(name),
            title=self._optional_text(title),
            type=type_,
            required=required is not None,
            default=default,
            doc=name.doc,
            span=span_of(c),
        )

    def attributes(self, c: Children) -> tuple[tree.AttributeDeclaration, ...]:
        return tuple(c)

    def named_type(self, c: Children) -> tree.NamedType:
        name, unit, optional = c
        return tree.NamedType(name=name_of(name), unit=unit, optional=optional is not None, span=span_of(c))

    def list_type(self, c: Children) -> tree.ListType:
        return self._nested(tree.ListType(item=c[2], optional=False, span=span_of(c)), c)

    def enclosed_list_type(self, c: Children) -> tree.ListType:
        _, _, _, item, _, optional = c
        return self._nested(tree.ListType(item=item, optional=optional is not None, span=span_of(c)), c)

    def unit(self, c: Children) -> tree.Text:
        text = self._text(c[1])
        return replace(text, span=span_of(c))


class _Cardinality:
    """`0..3` on its way into a `ContainsStatement`."""

    __slots__ = ("bounds", "span")

    def __init__(self, bounds: tuple[int, int | None], span: Span) -> None:
        self.bounds = bounds
        self.span = span
