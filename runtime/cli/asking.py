"""Forms filled in on a terminal, field by field; each answer is read as it is given."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping

import click

from orderloom.models.catalog import Attribute, Enum
from orderloom.models.conversion import Json
from orderloom.models.values import Kind
from orderloom.runtime import forms
from orderloom.runtime.cli import screen
from orderloom.runtime.cli.values import read_value
from orderloom.runtime.errors import ValuesRefused


def on_terminal() -> bool:
    """Whether somebody can be asked."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def ask_form(form: Iterable[Attribute], given: Mapping[str, Json], enums: Mapping[str, Enum]) -> dict[str, Json]:
    """What was given, with what is asked for the other fields; an optional one may be left empty."""
    values = dict(given)
    for field in form:
        if field.name not in values:
            answer = _ask(field, enums)
            if answer is not None:
                values[field.name] = answer
    return values


def _ask(field: Attribute, enums: Mapping[str, Enum]) -> Json:
    label = f"{screen.clean(field.title or field.name)} ({expected(field, enums)})"
    default = screen.value_text(field.default) if field.default is not None else "" if not field.required else None
    while True:
        text = click.prompt(label, default=default, show_default=bool(default), err=True)
        if text == "" or text == default:
            return None
        try:
            value = read_value(field.name, text)
            forms.read_form([field], {field.name: value}, enums)
        except (click.BadParameter, ValuesRefused) as error:
            why = error.problems[0] if isinstance(error, ValuesRefused) else error.message
            screen.remark(str(why))
        else:
            return value


def expected(field: Attribute, enums: Mapping[str, Enum]) -> str:
    """What may be entered into a field."""
    if field.type.kind is Kind.ENUM and field.type.name in enums:
        return " | ".join(enums[field.type.name].values)
    return str(field.type.required())
