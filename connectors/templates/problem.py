"""What is wrong with a template, or with the values given to it."""

from __future__ import annotations

from jinja2.exceptions import TemplateRuntimeError


class TemplateProblem(Exception):
    """A template that cannot be used, found when it is compiled; `line` counts from 1 in the template's file."""

    def __init__(self, message: str, line: int, help: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.line = line
        self.help = help


class BadValue(TemplateRuntimeError):
    """A value that cannot stand where a template puts it, or a name that has no value."""
