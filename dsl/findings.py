"""What the checks found, collected over the whole run: one mistake does not hide the next."""

from __future__ import annotations

from collections.abc import Iterable

from orderloom.models.source import Diagnostic, Label, Severity, Span


class Findings:
    """Diagnostics in the order in which they were found; the same finding is kept once."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, Span, str], Diagnostic] = {}

    def error(self, code: str, message: str, span: Span, *, help: str = "", labels: Iterable[Label] = ()) -> None:
        """Adds an error; `code` is listed in `dsl/diagnostics.py`."""
        self._add(Diagnostic(code=code, message=message, span=span, help=help, labels=tuple(labels)))

    def warning(self, code: str, message: str, span: Span, *, help: str = "", labels: Iterable[Label] = ()) -> None:
        """Adds a warning, which does not keep the bundle from being deployed."""
        self._add(
            Diagnostic(
                code=code, message=message, span=span, help=help, labels=tuple(labels), severity=Severity.WARNING
            )
        )

    def take(self, diagnostics: Iterable[Diagnostic]) -> None:
        """Adds what an earlier stage found."""
        for diagnostic in diagnostics:
            self._add(diagnostic)

    @property
    def errors(self) -> int:
        return sum(found.severity is Severity.ERROR for found in self._found.values())

    def sorted(self) -> tuple[Diagnostic, ...]:
        """By file, place and code."""
        return tuple(
            sorted(
                self._found.values(), key=lambda found: (found.span.file, found.span.start, found.code, found.message)
            )
        )

    def _add(self, diagnostic: Diagnostic) -> None:
        self._found.setdefault((diagnostic.code, diagnostic.span, diagnostic.message), diagnostic)
