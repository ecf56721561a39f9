"""`orderloom migrate`, see `changes`."""

from orderloom.runtime.cli.changes import migrate as command

__all__ = ["command"]
