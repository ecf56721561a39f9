"""What the files of a bundle declare, by kind and name; each kind is one namespace over all files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol, TypeVar

from orderloom.dsl import tree
from orderloom.dsl.calls import CONVERT
from orderloom.dsl.findings import Findings
from orderloom.dsl.functions import FUNCTIONS
from orderloom.models.source import Label, Span

#: the enum that the language brings along
ACTION_ENUM = "Action"
#: names of types that are no enums
BUILT_IN_TYPES = frozenset(
    {"boolean", "integer", "decimal", "string", "date", "datetime", "duration", "period", "list", "quantity"}
)


class Named(Protocol):
    @property
    def text(self) -> str: ...
    @property
    def span(self) -> Span: ...


class Declared(Protocol):
    @property
    def name(self) -> Named: ...


Declaration = TypeVar("Declaration", bound=Declared)


@dataclass(frozen=True, slots=True, kw_only=True)
class Symbols:
    """All declarations, in the order of the files' paths and of the source."""

    enums: Mapping[str, tree.EnumDeclaration]
    specs: Mapping[str, tree.SpecDeclaration]
    tables: Mapping[str, tree.TableDeclaration]
    plans: Mapping[str, tree.PlanDeclaration]
    queues: Mapping[str, tree.QueueDeclaration]
    watches: Mapping[str, tree.WatchDeclaration]
    connectors: Mapping[str, tree.ConnectorDeclaration]
    operations: Mapping[str, tree.OperationDeclaration]
    #: single rules and groups
    rules: tuple[tree.DecomposeDeclaration | tree.DecomposeGroup, ...]
    rejections: tuple[tree.RejectDeclaration, ...]


def collect(files: Iterable[tree.File], findings: Findings) -> Symbols:
    """Sorts the declarations by kind; of a name declared twice the first stays."""
    declarations = [each for file in files for each in file.declarations]
    symbols = Symbols(
        enums=unique("enum", tree.of_kind(declarations, tree.EnumDeclaration), findings),
        specs=unique("spec", tree.of_kind(declarations, tree.SpecDeclaration), findings),
        tables=unique("table", tree.of_kind(declarations, tree.TableDeclaration), findings),
        plans=unique("plan", tree.of_kind(declarations, tree.PlanDeclaration), findings),
        queues=unique("queue", tree.of_kind(declarations, tree.QueueDeclaration), findings),
        watches=unique("watch", tree.of_kind(declarations, tree.WatchDeclaration), findings),
        connectors=unique("connector", tree.of_kind(declarations, tree.ConnectorDeclaration), findings),
        operations=unique("operation", tree.of_kind(declarations, tree.OperationDeclaration), findings),
        rules=tuple(each for each in declarations if isinstance(each, tree.DecomposeDeclaration | tree.DecomposeGroup)),
        rejections=tree.of_kind(declarations, tree.RejectDeclaration),
    )
    for name, enum in symbols.enums.items():
        if name == ACTION_ENUM or name in BUILT_IN_TYPES:
            _reserved("type", enum.name, findings)
    for name, table in symbols.tables.items():
        if name == CONVERT or name in FUNCTIONS:
            _reserved("function", table.name, findings)
    return symbols


def unique(kind: str, found: Iterable[Declaration], findings: Findings) -> dict[str, Declaration]:
    """By name; a second declaration of a name is reported and left out."""
    kept: dict[str, Declaration] = {}
    for declaration in found:
        name = declaration.name.text
        if name in kept:
            findings.error(
                "LM1001",
                f"{kind} `{name}` is defined twice",
                declaration.name.span,
                help="rename or remove one of them",
                labels=[Label(kept[name].name.span, "first defined here")],
            )
        else:
            kept[name] = declaration
    return kept


def _reserved(kind: str, name: tree.Name, findings: Findings) -> None:
    findings.error("LM1016", f"`{name.text}` is a built-in {kind}", name.span, help="choose another name")
