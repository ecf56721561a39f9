"""The host: stores, workers, the library face, the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from orderloom.runtime.runtime import Runtime
    from orderloom.runtime.synchronous import SyncRuntime

__all__ = ["Runtime", "SyncRuntime"]


def __getattr__(name: str) -> object:
    """Loaded when first asked for: the command's help and the store do without."""
    if name == "Runtime":
        from orderloom.runtime.runtime import Runtime

        return Runtime
    if name == "SyncRuntime":
        from orderloom.runtime.synchronous import SyncRuntime

        return SyncRuntime
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
