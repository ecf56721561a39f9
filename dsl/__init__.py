"""The design language: text → checked design, with every mistake explained."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from orderloom.dsl.cache import compile_cached
    from orderloom.dsl.compiler import Compiled, compile_bundle

__all__ = ["Compiled", "compile_bundle", "compile_cached"]


def __getattr__(name: str) -> object:
    """The compiler is loaded when it is first asked for: a design from the cache needs no parser."""
    if name == "compile_cached":
        from orderloom.dsl.cache import compile_cached

        return compile_cached
    if name in ("Compiled", "compile_bundle"):
        from orderloom.dsl import compiler

        return getattr(compiler, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
