"""Checks of a design's templates before anything runs.

| code   | finding                                                                      |
|--------|------------------------------------------------------------------------------|
| LM6001 | a template that is not one: syntax, a place where no value can stand         |
| LM6002 | a name outside what the template may use                                     |
| LM6003 | an output that is set but not declared                                       |
| LM6004 | a required output that is declared but never set                             |
| LM6005 | a body that is no well-formed JSON or XML (a warning if only in some branch) |
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from difflib import get_close_matches

from orderloom.connectors.templates.expression import Expression, Text
from orderloom.connectors.templates.names import Path, paths
from orderloom.connectors.templates.problem import TemplateProblem
from orderloom.connectors.templates.request import RequestTemplate
from orderloom.connectors.templates.response import ResponseTemplate, compile_response
from orderloom.connectors.templates.sandbox import parse
from orderloom.connectors.templates.skeleton import malformed
from orderloom.models.design import Design
from orderloom.models.integration import Operation, Template
from orderloom.models.source import Diagnostic, Severity, Span
from orderloom.models.tasks import TaskKind

#: what `line`, `parent` and `root` have besides the attributes of their spec
LINE_FIELDS = ("id", "action", "spec", "quantity")
#: what the other parts of a request template's context have
FIELDS: Mapping[str, tuple[str, ...]] = {
    "order": (
        "id", "external_id", "category", "description", "priority", "requested_start", "requested_completion",
        "order_date", "channel",
    ),
    "account": ("id", "name"),
    "task": ("id", "name", "attempt", "key"),
}  # fmt: skip
_SOME_WAY = "it happens with some of the template's conditions true and others false"
_ANSWER_NAMES = ("status", "headers", "body")


def check_templates(design: Design) -> tuple[Diagnostic, ...]:
    """All findings about the templates of a design, by operation; a template used twice is reported once."""
    found: dict[tuple[str, str, Span], Diagnostic] = {}
    for operation in design.operations.values():
        for diagnostic in _check_operation(design, operation):
            found.setdefault((diagnostic.code, diagnostic.message, diagnostic.span), diagnostic)
    return tuple(found.values())


def _check_operation(design: Design, operation: Operation) -> Iterator[Diagnostic]:
    if operation.request is not None:
        yield from _check_request(operation.request, _request_names(design, operation))
    responses = [operation.response] if operation.response else []
    if operation.callback is not None and operation.callback.response is not None:
        responses.append(operation.callback.response)
    compiled: list[ResponseTemplate] = []
    for template in responses:
        try:
            compiled.append(compile_response(template))
        except TemplateProblem as problem:
            yield _finding("LM6001", problem.message, template, problem.line, problem.help)
            continue
        yield from _check_response(operation, template, compiled[-1])
    if responses and len(compiled) == len(responses):
        yield from _never_set(operation, responses[-1], compiled)


def _check_request(template: Template, names: Mapping[str, frozenset[str]]) -> Iterator[Diagnostic]:
    try:
        RequestTemplate(template)
    except TemplateProblem as problem:
        yield _finding("LM6001", problem.message, template, problem.line, problem.help)
        return
    unknown = False
    for path in paths(parse(template.text)):
        for finding in _check_name(path, names, template):
            unknown = True
            yield finding
    if unknown:
        return
    findings, always = malformed(template)
    if findings:
        finding = _finding("LM6005", findings[0].message, template, findings[0].line)
        yield finding if always else replace(finding, severity=Severity.WARNING, help=_SOME_WAY)


def _check_name(path: Path, names: Mapping[str, frozenset[str]], template: Template) -> Iterator[Diagnostic]:
    first, *rest = path.names
    if first not in names:
        yield _unknown(f"no `{first}` is known in a request template", first, names, template, path)
    elif rest and rest[0] not in names[first]:
        yield _unknown(f"`{first}` has no `{rest[0]}`", rest[0], names[first], template, path)
    elif len(rest) > 1:
        message = f"`{first}.{rest[0]}` is a single value and has no `{rest[1]}`"
        yield _finding("LM6002", message, template, path.line, marked=str(path))


def _check_response(operation: Operation, template: Template, response: ResponseTemplate) -> Iterator[Diagnostic]:
    for _, entry in response.entries():
        parts = entry.parts if isinstance(entry, Text) else (entry,)
        for part in parts:
            if not isinstance(part, Expression):
                continue
            for path in paths(part.tree, part.line):
                if path.names[0] not in _ANSWER_NAMES:
                    message = f"no `{path.names[0]}` is known in a response template"
                    yield _unknown(message, path.names[0], _ANSWER_NAMES, template, path)
                elif path.names[0] == "status" and len(path.names) > 1:
                    message = f"`status` is a number and has no `{path.names[1]}`"
                    yield _finding("LM6002", message, template, path.line, marked=str(path))
    correlate = operation.callback.correlate if operation.callback else ""
    for name in response.set:
        if name not in operation.outputs and name != correlate:
            line = response.set_lines[name]
            message = f"`{name}` is set but is no output of `{operation.name}`"
            help = _suggestion(name, operation.outputs, f"declare it: `output {name} …`")
            yield _finding("LM6003", message, template, line, help, marked=name)


def _never_set(operation: Operation, last: Template, compiled: Iterable[ResponseTemplate]) -> Iterator[Diagnostic]:
    responses = list(compiled)
    if any(response.outcome is None and not response.set for response in responses):
        return
    for name, attribute in operation.outputs.items():
        if attribute.required and not any(name in response.set for response in responses):
            message = f"the output `{name}` of `{operation.name}` is required, but no response template sets it"
            yield _finding("LM6004", message, last, 1, f"add `{name}: {{{{ body.… }}}}` under `set`")


def _request_names(design: Design, operation: Operation) -> dict[str, frozenset[str]]:
    """What a request template may use: the attributes of the lines that it can be called for, and fixed fields."""
    callers = {
        plan.spec
        for plan in design.plans.values()
        for task in plan.tasks
        if (task.kind is TaskKind.CALL and task.operation == operation.name) or task.undo == operation.name
    }
    anywhere = frozenset(name for spec in design.specs.values() for name in spec.attributes)
    own = (
        frozenset(name for spec in callers & design.specs.keys() for name in design.specs[spec].attributes) or anywhere
    )
    line = frozenset(LINE_FIELDS)
    fixed = {name: frozenset(fields) for name, fields in FIELDS.items()}
    return {"line": own | line, "parent": anywhere | line, "root": anywhere | line, **fixed}


def _unknown(message: str, name: str, known: Iterable[str], template: Template, path: Path) -> Diagnostic:
    return _finding("LM6002", message, template, path.line, _suggestion(name, known, ""), marked=str(path))


def _suggestion(name: str, known: Iterable[str], otherwise: str) -> str:
    names = sorted(known)
    if near := get_close_matches(name, names, 1):
        return f"did you mean `{near[0]}`?"
    return otherwise or f"there are {', '.join(names[:12])}{', …' if len(names) > 12 else ''}"


def _finding(code: str, message: str, template: Template, line: int, help: str = "", marked: str = "") -> Diagnostic:
    return Diagnostic(code=code, message=message, span=_span(template, line, marked), help=help)


def _span(template: Template, line: int, marked: str) -> Span:
    """`marked` in that line of the template, else the whole line without its margins."""
    lines = template.text.split("\n")
    line = min(max(line, 1), len(lines))
    text = lines[line - 1]
    before = sum(len(other) + 1 for other in lines[: line - 1])
    at = text.find(marked) if marked else -1
    start, length = (at, len(marked)) if at >= 0 else (len(text) - len(text.lstrip()), len(text.strip()))
    return Span(template.path, before + start, before + start + length, line, start + 1)
