"""Whether a request is well formed whatever its values: rendered with stand-ins, once for each way through it.

Values cannot change a request's structure, so stand-ins show every structure that it can have, up to loops, which are
tried with no turn, one and two. Conditions that hang together are not recognised as such, so a way that fails while
others do not may be one that never happens.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice, product

from jinja2 import nodes

from orderloom.connectors.templates.problem import BadValue
from orderloom.connectors.templates.request import RequestTemplate
from orderloom.connectors.templates.sandbox import parse
from orderloom.models.integration import Template

#: ways through the branches that are tried; a template with more is tried in part
_MOST_WAYS = 256


@dataclass(frozen=True, slots=True)
class Malformed:
    """A way through a template that gives no well-formed body."""

    message: str
    line: int


def malformed(template: Template) -> tuple[tuple[Malformed, ...], bool]:
    """What is malformed, and whether every way through the template is."""
    found: list[Malformed] = []
    ways = 0
    tree = parse(template.text)
    choices = map(_ways, _branches(tree))
    for way in islice(product(*choices), _MOST_WAYS):
        # trying a way changes the tree
        tree = parse(template.text) if ways else tree
        ways += 1
        for node, choice in zip(_branches(tree), way, strict=True):
            _choose(node, choice)
        _stand_in(tree)
        try:
            RequestTemplate.of_tree(template, tree).render({})
        except BadValue as problem:
            found.append(Malformed(str(problem), _body_line(template.text)))
    return tuple(found), len(found) == ways


def _branches(tree: nodes.Template) -> list[nodes.If | nodes.For]:
    """The branches to choose in; a condition on `loop` decides itself."""
    branches = [node for node in tree.find_all((nodes.If, nodes.For)) if isinstance(node, (nodes.If, nodes.For))]
    return [node for node in branches if isinstance(node, nodes.For) or not _about_loop(node)]


def _about_loop(node: nodes.If) -> bool:
    return all(_reads_loop(branch.test) for branch in (node, *node.elif_))


def _reads_loop(test: nodes.Node) -> bool:
    return any(name.name == "loop" for name in test.find_all(nodes.Name))


def _ways(node: nodes.If | nodes.For) -> tuple[int, ...]:
    return (0, 1, 2) if isinstance(node, nodes.For) else tuple(range(2 + len(node.elif_)))


def _choose(node: nodes.If | nodes.For, choice: int) -> None:
    line = node.lineno
    if isinstance(node, nodes.For):
        node.iter = nodes.List([nodes.Const("x", lineno=line)] * choice, lineno=line)
        node.test = None
        return
    for index, branch in enumerate((node, *node.elif_)):
        branch.test = nodes.Const(index == choice, lineno=line)


def _stand_in(tree: nodes.Template) -> None:
    """Puts a text in place of what is printed and set, so that no value is needed."""
    for output in tree.find_all(nodes.Output):
        output.nodes = [
            node if isinstance(node, nodes.TemplateData) else nodes.Const("x", lineno=node.lineno)
            for node in output.nodes
        ]
    for assigned in tree.find_all(nodes.Assign):
        assigned.node = nodes.Const("x", lineno=assigned.lineno)


def _body_line(text: str) -> int:
    head, found, _ = text.partition("\n\n")
    return head.count("\n") + 3 if found else 1
