"""Whole files."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

from orderloom.dsl.tree.catalog import EnumDeclaration, Import, SpecDeclaration
from orderloom.dsl.tree.decomposition import DecomposeDeclaration, DecomposeGroup, RejectDeclaration, TableDeclaration
from orderloom.dsl.tree.integration import ConnectorDeclaration, OperationDeclaration
from orderloom.dsl.tree.queues import QueueDeclaration, WatchDeclaration
from orderloom.dsl.tree.tasks import PlanDeclaration
from orderloom.models.source import Span

Declaration = (
    Import
    | EnumDeclaration
    | SpecDeclaration
    | DecomposeDeclaration
    | DecomposeGroup
    | TableDeclaration
    | RejectDeclaration
    | PlanDeclaration
    | QueueDeclaration
    | WatchDeclaration
    | ConnectorDeclaration
    | OperationDeclaration
)


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """One `.loom` file."""

    path: str
    declarations: tuple[Declaration, ...]
    span: Span


Node = TypeVar("Node")


def of_kind(nodes: Iterable[object], kind: type[Node]) -> tuple[Node, ...]:
    """The nodes of one class, in order: `of_kind(task.statements, AfterStatement)`."""
    return tuple(node for node in nodes if isinstance(node, kind))
