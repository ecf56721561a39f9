"""Values on the command line: `--set name=value` and files of JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from orderloom.models.conversion import Json
from orderloom.runtime.errors import Unreadable

Function = TypeVar("Function", bound=Callable[..., Any])


def _assignments(ctx: click.Context, parameter: click.Parameter, texts: Sequence[str]) -> dict[str, Json]:
    """`name=value` each; values are read against their types later, lists as JSON."""
    values: dict[str, Json] = {}
    for each in texts:
        name, equals, text = each.partition("=")
        name = name.strip()
        if not equals or not name:
            raise click.BadParameter(f"expected NAME=VALUE, found {each!r}", ctx, parameter)
        if name in values:
            raise click.BadParameter(f"{name!r} is given twice", ctx, parameter)
        try:
            values[name] = read_value(name, text)
        except click.BadParameter as error:
            raise click.BadParameter(error.message, ctx, parameter) from None
    return values


def read_value(name: str, text: str) -> Json:
    """A value as it is written: a list as JSON, anything else as it stands."""
    if not text.startswith("["):
        return text
    try:
        found: Json = json.loads(text)
    except json.JSONDecodeError as error:
        raise click.BadParameter(f"{name}: not a JSON list: {error}") from None
    return found


def set_option(function: Function) -> Function:
    """`--set NAME=VALUE`, any number, as the argument `values`."""
    return click.option(
        "--set", "values", multiple=True, callback=_assignments, metavar="NAME=VALUE", help="A value; repeat for more."
    )(function)


def read_bytes(path: str) -> bytes:
    """The content of a file, or of standard input for `-`."""
    if path == "-":
        return sys.stdin.buffer.read()
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise Unreadable(path=path, why=(error.strerror or str(error)).lower()) from error


def read_json(path: str) -> Any:
    """A file of JSON, or standard input for `-`."""
    try:
        return json.loads(read_bytes(path))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise Unreadable(path=path, why=f"not JSON: {error}") from None
