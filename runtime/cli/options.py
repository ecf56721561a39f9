"""Options that many commands share."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click

Function = TypeVar("Function", bound=Callable[..., Any])


@dataclass(slots=True)
class Place:
    """Which store a command works on."""

    home: Path | None = None
    database_url: str | None = None
    environment: str = "default"

    @classmethod
    def of_environment(cls) -> Place:
        home = os.environ.get("ORDERLOOM_HOME")
        return cls(
            home=Path(home) if home else None,
            database_url=os.environ.get("ORDERLOOM_DATABASE_URL") or None,
            environment=os.environ.get("ORDERLOOM_ENVIRONMENT") or "default",
        )


def place(ctx: click.Context) -> Place:
    """The store named on the command line, before the command or after it, else by environment variables."""
    root = ctx.find_root()
    if not isinstance(root.obj, Place):
        root.obj = Place.of_environment()
    return root.obj


def _keep(ctx: click.Context, parameter: click.Parameter, value: Any) -> None:
    if value is not None and parameter.name:
        setattr(place(ctx), parameter.name, Path(value) if parameter.name == "home" else value)


def store_options(function: Function) -> Function:
    """`--home`, `--database-url` and `--environment`; read them with `place`."""
    for option in (
        click.option(
            "--environment",
            metavar="NAME",
            expose_value=False,
            callback=_keep,
            is_eager=True,
            help="Whose settings of the bundles to use [env: ORDERLOOM_ENVIRONMENT; default: default].",
        ),
        click.option(
            "--database-url",
            metavar="URL",
            expose_value=False,
            callback=_keep,
            is_eager=True,
            help="A database in place of the home's own [env: ORDERLOOM_DATABASE_URL].",
        ),
        click.option(
            "--home",
            metavar="DIR",
            type=click.Path(file_okay=False),
            expose_value=False,
            callback=_keep,
            is_eager=True,
            help="Folder of the store [env: ORDERLOOM_HOME; default: ~/.orderloom].",
        ),
    ):
        function = option(function)
    return function


#: set in the root context's `meta` where results, and so errors, are to be JSON
JSON = "orderloom.json"


def _note_json(ctx: click.Context, parameter: click.Parameter, value: bool) -> bool:
    if value:
        ctx.find_root().meta[JSON] = True
    return value


def json_option(function: Function) -> Function:
    """`--json`, as the argument `as_json`; errors are JSON then too, on standard error."""
    return click.option("--json", "as_json", is_flag=True, callback=_note_json, help="Print JSON.")(function)
