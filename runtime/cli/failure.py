"""Errors as the command line shows them: what is wrong, where, and what to do; never a traceback."""

from __future__ import annotations

import json
import sys
from typing import IO, Any

import click
from rich.text import Text

from orderloom.runtime import errors
from orderloom.runtime.cli import screen
from orderloom.runtime.store.errors import StoreError

#: problems shown of one document
_SHOWN = 20


class Failure(click.ClickException):
    """An error for the terminal, with details and help; exit code 1."""

    def __init__(self, message: str, details: tuple[str, ...] = (), help: str = "") -> None:
        super().__init__(message)
        self.details = details
        self.help = help

    def show(self, file: IO[Any] | None = None) -> None:
        console = screen.err()
        console.print(Text("error: ", style="bold red") + Text(screen.clean(self.message), style="default"))
        for detail in self.details[:_SHOWN]:
            console.print(Text("  " + screen.clean(detail)))
        if len(self.details) > _SHOWN:
            console.print(Text(f"  … and {len(self.details) - _SHOWN} more"))
        if self.help:
            console.print(Text("help: ", style="bold") + Text(screen.clean(self.help)))


def failure(error: Exception) -> click.ClickException:
    """What to show for an error."""
    if isinstance(error, (errors.OrderRefused, errors.ValuesRefused)):
        what = "the order" if isinstance(error, errors.OrderRefused) else "the values"
        return Failure(f"{what} cannot be taken", tuple(map(str, error.problems)), error.help)
    if isinstance(error, errors.OrderNotDecomposed):
        details = tuple(f"{each.line or 'order'}: {each.message}" for each in error.problems)
        return Failure("the order cannot be decomposed", details, error.help)
    if isinstance(error, errors.OrderNotPlanned):
        return Failure("the order cannot be planned", error.problems, error.help)
    if isinstance(error, errors.OrderloomError):
        return Failure(str(error), help=error.help)
    if isinstance(error, StoreError):
        return Failure(str(error))
    if isinstance(error, OSError):
        place = f"`{error.filename}`: " if error.filename else ""
        return Failure(f"{place}{(error.strerror or str(error)).lower()}")
    if isinstance(error, json.JSONDecodeError):
        return Failure(f"not JSON: {error}")
    print_name = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    return Failure(
        f"internal error: {print_name}",
        help="run again with ORDERLOOM_DEBUG=1 for the details, and report them",
    )


def not_found(what: str, name: str) -> Failure:
    return Failure(f"there is no {what} `{name}`")


def exit_with(code: int) -> None:
    """Ends the command with findings."""
    sys.exit(code)
