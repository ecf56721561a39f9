"""Expressions of the design language, compiled once to Python code objects."""

from orderloom.engine.expressions.compiled import CompiledExpression, Expressions
from orderloom.engine.expressions.scope import NOTHING, Collections, Scope, Snapshot, Subject

__all__ = ["NOTHING", "Collections", "CompiledExpression", "Expressions", "Scope", "Snapshot", "Subject"]
