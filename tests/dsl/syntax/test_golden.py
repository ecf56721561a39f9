"""Each `golden/X.loom` gives the tree in `golden/X.tree`. To accept a changed tree: ORDERLOOM_GOLDEN=write pytest …"""

import os
from dataclasses import fields, is_dataclass
from datetime import timedelta
from enum import Enum
from pathlib import Path

import pytest

from orderloom.dsl import tree
from orderloom.dsl.parser import grammar, parse
from orderloom.models.source import Span
from orderloom.models.values import Period

GOLDEN = Path(__file__).parent / "golden"
CASES = sorted(GOLDEN.glob("*.loom"))


def shown(value: object, indent: str = "") -> str:
    """A tree as indented text, without spans and without fields that are empty."""
    deeper = indent + "  "
    match value:
        case Enum():
            return str(value.value)
        case timedelta():
            return f"{value.total_seconds():g}s"
        case tree.Name() | tree.Path() | tree.DottedName():
            return value.text
        case tree.Text() | tree.Number() | tree.TimeSpan():
            return shown(value.value)
        case tree.Literal():
            return f"Literal {shown(value.value)}"
        case tuple():
            return "".join(f"\n{deeper}- {shown(item, deeper)}" for item in value)
    if not is_dataclass(value) or isinstance(value, Period):
        return repr(value)
    held = [(field.name, getattr(value, field.name)) for field in fields(value)]
    parts = [
        f"\n{deeper}{name}:{shown(part, deeper) if isinstance(part, tuple) else f' {shown(part, deeper)}'}"
        for name, part in held
        if name not in ("span", "operator_span")
        and part is not None
        and part != ""
        and part != ()
        and part is not False
    ]
    return type(value).__name__ + "".join(parts)


def nodes(value: object) -> list[object]:
    """All nodes of a tree, parents first."""
    if isinstance(value, tuple):
        return [node for item in value for node in nodes(item)]
    if not is_dataclass(value) or isinstance(value, Span):
        return []
    return [value, *(node for each in fields(value) for node in nodes(getattr(value, each.name)))]


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_tree(path: Path) -> None:
    parsed = parse(path.read_text(), path.name)
    assert parsed.diagnostics == ()
    assert parsed.tree is not None
    text = "\n".join(shown(declaration) for declaration in parsed.tree.declarations) + "\n"
    golden = path.with_suffix(".tree")
    if os.environ.get("ORDERLOOM_GOLDEN") == "write":
        golden.write_text(text)
    assert text == golden.read_text()


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_spans_hold_what_they_name(path: Path) -> None:
    source = path.read_text()
    lines = source.split("\n")
    for node in nodes(parse(source, path.name).tree):
        span = getattr(node, "span", None)
        if span is None:
            continue
        assert span.file == path.name
        assert source[: span.start].count("\n") + 1 == span.line
        assert source[span.start : span.end].startswith(
            lines[span.line - 1][span.column - 1 :][: span.end - span.start]
        )
        if isinstance(node, tree.Name):
            assert source[span.start : span.end] == node.text
        for child in nodes(node)[1:]:
            inner = getattr(child, "span", span)
            assert span.start <= inner.start <= inner.end <= span.end, (node, child)


def test_every_rule_of_the_grammar_has_a_golden_tree() -> None:
    used: set[str] = set()

    def noting(name: str, build: object) -> object:
        def made(children: list[object]) -> object:
            used.add(name)
            return build(children)  # type: ignore[operator]  # a builder's method

        return made

    parser = grammar().parser.parser.parser
    original = dict(parser.callbacks)
    names = {rule: rule.alias or str(rule.origin.name) for rule in original if not rule.origin.name.startswith("__")}
    for rule, name in names.items():
        parser.callbacks[rule] = noting(name, original[rule])
    try:
        parse.cache_clear()
        for path in CASES:
            parse(path.read_text(), path.name)
    finally:
        parser.callbacks.update(original)
    assert set(names.values()) - used == {"$root_file"} & set(names.values())
