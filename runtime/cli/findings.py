"""Diagnostics on the terminal, and as JSON."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping

import click

from orderloom.dsl.diagnostics import as_json as diagnostics_as_json
from orderloom.dsl.diagnostics import render
from orderloom.models.source import Diagnostic, Severity
from orderloom.runtime.cli import screen


def show_findings(diagnostics: Iterable[Diagnostic], files: Mapping[str, str], as_json: bool) -> None:
    """All findings with their place, then how many there are."""
    found = tuple(diagnostics)
    if as_json:
        screen.show_json(diagnostics_as_json(found))
        return
    if found:
        colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ
        click.echo(render(found, files, colour))
    errors = sum(each.severity is Severity.ERROR for each in found)
    warnings = len(found) - errors
    if found:
        screen.say(", ".join((_count(errors, "error"), _count(warnings, "warning"))))


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
