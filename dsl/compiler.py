"""Text → checked design: runs the stages in order and collects what they find.

A bundle with syntax errors goes no further than its syntax, since a recovered tree says things that nobody wrote.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from orderloom.dsl import branches, calls, literals, operators, paths, quantifiers, tree
from orderloom.dsl.bundle import Sources
from orderloom.dsl.calendars import calendars
from orderloom.dsl.catalog import build_enums, build_specs
from orderloom.dsl.checks import CHECKS
from orderloom.dsl.context import Context
from orderloom.dsl.decomposition import build_rejections, build_rules, build_scope_keys, build_structure
from orderloom.dsl.escalating import build_escalations
from orderloom.dsl.findings import Findings
from orderloom.dsl.integration import build_connectors, build_operations
from orderloom.dsl.parser import parse
from orderloom.dsl.plans import build_plans
from orderloom.dsl.queues import build_queues
from orderloom.dsl.supply import build_supply
from orderloom.dsl.symbols import collect
from orderloom.dsl.tables import build_tables
from orderloom.dsl.watches import build_watches
from orderloom.models.design import Design
from orderloom.models.source import Diagnostic

#: the modules that check each kind of expression; importing them registers them
EXPRESSIONS = (literals, paths, operators, branches, calls, quantifiers)


@dataclass(frozen=True, slots=True, kw_only=True)
class Compiled:
    """The outcome of a compilation; `design` is None exactly if one of the diagnostics is an error."""

    design: Design | None
    diagnostics: tuple[Diagnostic, ...]


#: each stage may use what those before it put into the context
STAGES: tuple[Callable[[Context], None], ...] = (
    build_enums,
    build_specs,
    build_structure,
    build_tables,
    build_queues,
    build_escalations,
    build_connectors,
    build_operations,
    build_supply,
    build_scope_keys,
    build_rules,
    build_rejections,
    build_plans,
    build_watches,
    *CHECKS,
)


def compile_bundle(sources: Sources) -> Compiled:
    """Checks a bundle and lowers it to a design. The same sources give the same design and diagnostics."""
    findings = Findings()
    files: list[tree.File] = []
    for path in sources.designs:
        parsed = parse(sources.files[path], path)
        findings.take(parsed.diagnostics)
        if parsed.tree is not None:
            files.append(parsed.tree)
    if findings.errors:
        return Compiled(design=None, diagnostics=findings.sorted())
    context = Context(sources=sources, findings=findings, symbols=collect(files, findings))
    for stage in STAGES:
        stage(context)
    return Compiled(design=None if findings.errors else _design(sources, context), diagnostics=findings.sorted())


def _design(sources: Sources, context: Context) -> Design:
    return Design(
        name=sources.name,
        version=sources.version,
        digest=sources.digest,
        enums=context.enums,
        specs=context.specs,
        rules=tuple(context.rules),
        tables=context.tables,
        rejections=tuple(context.rejections),
        plans=context.plans,
        queues=context.queues,
        connectors=context.connectors,
        operations=context.operations,
        settings=sources.settings,
        time_zone=sources.time_zone,
        calendars=calendars(sources.calendars, sources.time_zone),
        calendar=sources.calendar,
        jeopardy=sources.jeopardy,
        watches=context.watches,
        pause_reasons=sources.pause_reasons,
        account_sequence=sources.account_sequence,
    )
