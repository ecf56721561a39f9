"""Rules of connectors and operations."""

from __future__ import annotations

from dataclasses import replace

from orderloom.dsl import tree
from orderloom.dsl.builder.words import Children, WordBuilder, name_of, span_of


class IntegrationBuilder(WordBuilder):
    """Rules of connectors and operations."""

    def connector(self, c: Children) -> tree.ConnectorDeclaration:
        keyword, name, title, kind, _, statements, _ = c
        return tree.ConnectorDeclaration(
            name=name_of(name),
            title=self._optional_text(title),
            kind=name_of(kind),
            statements=statements,
            doc=keyword.doc,
            span=span_of(c),
        )

    def connector_statements(self, c: Children) -> tuple[tree.ConnectorStatement, ...]:
        return tuple(c)

    def option(self, c: Children) -> tree.OptionStatement:
        name, value = c
        return tree.OptionStatement(name=name_of(name), value=value, doc=name.doc, span=span_of(c))

    def auth(self, c: Children) -> tree.AuthStatement:
        _, kind, value, options = c
        if value is not None:
            options = (tree.AuthOption(name=None, value=value, span=value.span), *options)
        return tree.AuthStatement(kind=name_of(kind), options=options, span=span_of(c))

    def auth_options(self, c: Children) -> tuple[tree.AuthOption, ...]:
        return tuple(c)

    def auth_option(self, c: Children) -> tree.AuthOption:
        return tree.AuthOption(name=name_of(c[0]), value=c[1], span=span_of(c))

    def setting(self, c: Children) -> tree.SettingReference:
        return tree.SettingReference(name=name_of(c[1]), span=span_of(c))

    def secret(self, c: Children) -> tree.SecretReference:
        return tree.SecretReference(name=name_of(c[1]), span=span_of(c))

    def limit(self, c: Children) -> tree.LimitStatement:
        _, concurrent, _, _, _, per_second, _, _ = c
        return tree.LimitStatement(
            concurrent=self._number(concurrent), per_second=self._optional_number(per_second), span=span_of(c)
        )

    def rate_limit(self, c: Children) -> tree.LimitStatement:
        return tree.LimitStatement(concurrent=None, per_second=self._number(c[1]), span=span_of(c))

    def breaker(self, c: Children) -> tree.BreakerStatement:
        _, _, _, failures, _, _, pause = c
        return tree.BreakerStatement(failures=self._number(failures), pause=self._time_span(pause), span=span_of(c))

    def operation(self, c: Children) -> tree.OperationDeclaration:
        keyword, name, title, _, statements, _ = c
        return tree.OperationDeclaration(
            name=name, title=self._optional_text(title), statements=statements, doc=keyword.doc, span=span_of(c)
        )

    def operation_statements(self, c: Children) -> tuple[tree.OperationClause, ...]:
        return tuple(c)

    def request(self, c: Children) -> tree.RequestStatement:
        return tree.RequestStatement(path=self._text(c[1]), span=span_of(c))

    def response(self, c: Children) -> tree.ResponseStatement:
        return tree.ResponseStatement(path=self._text(c[1]), span=span_of(c))

    def timeout(self, c: Children) -> tree.TimeoutStatement:
        return tree.TimeoutStatement(limit=self._time_span(c[1]), span=span_of(c))

    def retry_on(self, c: Children) -> tree.RetryOnStatement:
        statuses = []
        for token in c[2::2]:
            if token.type == "STATUS_CLASS":
                first = int(token.text[0]) * 100
                statuses.append((first, first + 99))
            elif token.type == "INTEGER":
                status = self._whole(token)
                statuses.append((status, status))
        words = {token.text for token in c[2::2]}
        return tree.RetryOnStatement(
            statuses=tuple(statuses), timeout="timeout" in words, connection="connection" in words, span=span_of(c)
        )

    def output(self, c: Children) -> tree.OutputStatement:
        attribute = c[1] if not c[0].doc else replace(c[1], doc=c[0].doc)
        return tree.OutputStatement(attribute=attribute, span=span_of(c))

    def callback(self, c: Children) -> tree.CallbackStatement:
        _, _, correlate, _, within, _, _, response = c
        return tree.CallbackStatement(
            correlate=name_of(correlate),
            within=self._time_span(within),
            response=self._optional_text(response),
            span=span_of(c),
        )
