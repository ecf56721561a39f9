"""The dotted names that a template uses, found in its syntax tree."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from jinja2 import nodes


@dataclass(frozen=True, slots=True)
class Path:
    """A name with the keys read from it, e.g. `("line", "site")`; `line` is the line in the template."""

    names: tuple[str, ...]
    line: int

    def __str__(self) -> str:
        return ".".join(self.names)


def paths(tree: nodes.Node, first_line: int = 1) -> Iterator[Path]:
    """All dotted names below `tree`, but for those of loops and `set`; `first_line` is where the tree starts."""
    own = {name.name for name in tree.find_all(nodes.Name) if name.ctx == "store"} | {"loop"}
    for names, line in _walk(tree):
        if names[0] not in own:
            yield Path(names, first_line + line - 1)


def _walk(node: nodes.Node) -> Iterator[tuple[tuple[str, ...], int]]:
    if names := dotted(node):
        yield names, node.lineno
        return
    for child in node.iter_child_nodes():
        yield from _walk(child)


def dotted(node: nodes.Node) -> tuple[str, ...]:
    """The name and the keys read from it, e.g. `("body", "port", "id")`; () for any other expression."""
    keys: list[str] = []
    while True:
        match node:
            case nodes.Getattr():
                keys.append(node.attr)
                node = node.node
            case nodes.Getitem(arg=nodes.Const(value=str(key))):
                keys.append(key)
                node = node.node
            case nodes.Name(ctx="load"):
                return (node.name, *reversed(keys))
            case _:
                return ()
