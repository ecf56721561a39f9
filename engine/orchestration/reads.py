"""What a formula reads: decides what has to be looked at again when an attribute changes."""

from __future__ import annotations

from dataclasses import dataclass, fields, is_dataclass
from functools import lru_cache

from orderloom.models.expression import Formula, Reference, Root, Variable
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
    open_nodes: list[object] = [formula.expression]
    while open_nodes:
        node = open_nodes.pop()
        match node:
            case Reference(root, name, kind, meta):
                if not meta:
                    found[Read(root, name, kind)] = None
            case Variable(_, name, kind, meta):
                if not meta:
                    found[Read(None, name, kind)] = None
            case tuple():
                open_nodes.extend(reversed(node))
            case _ if is_dataclass(node) and not isinstance(node, Type):
                open_nodes.extend(getattr(node, each.name) for each in reversed(fields(node)))
    return tuple(found)
