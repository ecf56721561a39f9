"""What a formula reads: decides what has to be looked at again when an attribute changes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from functools import lru_cache

from orderloom.models.expression import Formula, Quantified, Reference, Root, Variable
from orderloom.models.values import Type


@dataclass(frozen=True, slots=True)
class Read:
    """One attribute that a formula looks at; `root` is None where a quantifier's variable may be any line."""

    root: Root | None
    name: str
    type: Type


@lru_cache(maxsize=4096)
def reads(formula: Formula) -> tuple[Read, ...]:
    """The attributes that the formula may read, each once, in the order of their first use; built-ins are left out."""
    found: dict[Read, None] = {}
    for node in _nodes(formula):
        match node:
            case Reference(root, name, kind, meta):
                if not meta:
                    found[Read(root, name, kind)] = None
            case Variable(_, name, kind, meta):
                if not meta:
                    found[Read(None, name, kind)] = None
    return tuple(found)


def looks_wide(formula: Formula) -> bool:
    """Whether the formula looks at more than attributes of lines that it names: at built-ins, or at lines at large."""
    return any(isinstance(node, Quantified) or (isinstance(node, Reference) and node.meta) for node in _nodes(formula))


def _nodes(formula: Formula) -> Iterator[object]:
    """The references, variables and other nodes of a formula, in the order of their text."""
    open_nodes: list[object] = [formula.expression]
    while open_nodes:
        node = open_nodes.pop()
        yield node
        match node:
            case Reference() | Variable():
                pass
            case tuple():
                open_nodes.extend(reversed(node))
            case _ if is_dataclass(node) and not isinstance(node, Type):
                open_nodes.extend(getattr(node, each.name) for each in reversed(fields(node)))
