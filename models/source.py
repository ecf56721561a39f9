"""Where something stands in a source file, and what is to be said about it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Span:
    """A half-open range of characters in one file of a bundle."""

    #: path inside the bundle, with forward slashes, e.g. `catalog.loom`
    file: str
    #: offsets in characters from the start of the file
    start: int
    end: int
    #: place of `start`, both counted from 1
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


class Severity(StrEnum):
    """How bad a finding is; only errors keep a bundle from being deployed."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Label:
    """A second place that a diagnostic speaks of, e.g. the first definition of a name defined twice."""

    span: Span
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnostic:
    """One finding about a bundle.

    Messages are lower case, put names in backticks and say what is wrong and what was expected; `help` says what to do.
    """

    #: `LM` and four digits; each code is listed in grammar/README.md
    code: str
    message: str
    span: Span
    help: str = ""
    labels: tuple[Label, ...] = ()
    severity: Severity = Severity.ERROR
