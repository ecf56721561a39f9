"""Errors as the command line shows them: what is wrong, where, and what to do; never a traceback."""

from __future__ import annotations

import json
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

    def __init__(self, message: str, details: tuple[str, ...] = (), help: str = "", code: str = "error") -> None:
        super().__init__(message)
        self.details = details
        self.help = help
        #: a short name that stays the same, for programs
        self.code = code
        self.as_json = False

    def show(self, file: IO[Any] | None = None) -> None:
        if self.as_json:
            found = {"code": self.code, "message": self.message, "details": self.details, "help": self.help}
            click.echo(json.dumps({"error": found}, ensure_ascii=False), err=True)
            return
        console = screen.err()
        console.print(Text("error: ", style="bold red") + Text(screen.clean(self.message), style="default"))
        for detail in self.details[:_SHOWN]:
            console.print(Text("  " + screen.clean(detail)))
        if len(self.details) > _SHOWN:
            console.print(Text(f"  … and {len(self.details) - _SHOWN} more"))
        if self.help:
            console.print(Text("help: ", style="bold") + Text(screen.clean(self.help)))


def failure(error: Exception) -> Failure:
    """What to show for an error."""
    if isinstance(error, Failure):
        return error
    if isinstance(error, click.ClickException):
        return Failure(error.format_message())
    if isinstance(error, (errors.OrderRefused, errors.ValuesRefused)):
        what = "the order" if isinstance(error, errors.OrderRefused) else "the values"
        return Failure(f"{what} cannot be taken", tuple(map(str, error.problems)), error.help, error.code)
    if isinstance(error, errors.OrderNotDecomposed):
        details = tuple(f"{each.line or 'order'}: {each.message}" for each in error.problems)
        return Failure("the order cannot be decomposed", details, error.help, error.code)
    if isinstance(error, errors.OrderNotPlanned):
        return Failure("the order cannot be planned", error.problems, error.help, error.code)
    if isinstance(error, errors.OrderloomError):
        return Failure(str(error), help=error.help, code=error.code)
    if isinstance(error, StoreError):
        return Failure(str(error), code="store")
    if isinstance(error, OSError):
        place = f"`{error.filename}`: " if error.filename else ""
        return Failure(f"{place}{(error.strerror or str(error)).lower()}")
    if isinstance(error, json.JSONDecodeError):
        return Failure(f"not JSON: {error}")
    if isinstance(error, UnicodeEncodeError):
        place = screen.clean(error.object[error.start : error.end])
        return Failure(f"text that holds `{place}` cannot be kept", help="give it in UTF-8", code="not-text")
    print_name = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    return Failure(
        f"internal error: {print_name}",
        help="run again with ORDERLOOM_DEBUG=1 for the details, and report them",
    )
