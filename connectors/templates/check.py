"""Checks of a design's templates before anything runs.

| code   | finding                                                                      |
|--------|------------------------------------------------------------------------------|
| LM6001 | a template that is not one: syntax, a place where no value can stand         |
| LM6002 | a name outside what the template may use                                     |
| LM6003 | an output that is set but not declared                                       |
| LM6004 | a required output that is declared but never set                             |
| LM6005 | a body that is no well-formed JSON or XML (a warning if only in some branch) |
| LM6006 | an attribute that is sent before a task supplies it (a warning)              |
| LM6007 | an outcome that a response template cannot have, or that ends no callback    |
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from difflib import get_close_matches

from orderloom.connectors.templates.arrival import Arrivals, unguarded
from orderloom.connectors.templates.expression import Expression, Text
from orderloom.connectors.templates.names import Path, paths
from orderloom.connectors.templates.outcomes import CALLBACK_STATUS, failing_callback, unknown_outcomes
from orderloom.connectors.templates.problem import TemplateProblem
from orderloom.connectors.templates.request import RequestTemplate
from orderloom.connectors.templates.response import OUTCOMES, ResponseTemplate, compile_response
from orderloom.connectors.templates.sandbox import parse
from orderloom.connectors.templates.skeleton import malformed
from orderloom.models.design import Design
from orderloom.models.integration import Operation, Template
from orderloom.models.source import Diagnostic, Label, Severity, Span
from orderloom.models.structure import Structure, structure_of
from orderloom.models.tasks import TaskDefinition, TaskKind

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
#: in a request that cancels a call: that call
CANCELLED = "cancelled"
_SOME_WAY = "it happens with some of the template's conditions true and others false"
_ANSWER_NAMES = ("status", "headers", "body")


def check_templates(design: Design) -> tuple[Diagnostic, ...]:
    """All findings about the templates of a design, by operation; a template used twice is reported once."""
    found: dict[tuple[str, str, Span], Diagnostic] = {}
    structure, arrivals = structure_of(design.specs, design.rules), Arrivals(design)
    for operation in design.operations.values():
        names = _request_names(design, structure, operation)
        checked = (*_check_operation(operation, names), *_check_callers(design, structure, operation))
        for diagnostic in (*checked, *_check_arrival(arrivals, operation)):
            found.setdefault((diagnostic.code, diagnostic.message, diagnostic.span), diagnostic)
    return tuple(found.values())


def _check_operation(operation: Operation, names: Mapping[str, frozenset[str]]) -> Iterator[Diagnostic]:
    if operation.request is not None:
        yield from _check_request(operation.request, names)
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
        yield from _check_outcome(operation, template, compiled[-1])
    if responses and len(compiled) == len(responses):
        yield from _never_set(operation, responses[-1], compiled)


def _check_request(template: Template, names: Mapping[str, frozenset[str]]) -> Iterator[Diagnostic]:
    try:
        tree = parse(template.text)
        used = tuple(paths(tree))
        RequestTemplate.of_tree(template, tree)
    except TemplateProblem as problem:
        yield _finding("LM6001", problem.message, template, problem.line, problem.help)
        return
    unknown = False
    for path in used:
        for finding in _check_name(path, names, template):
            unknown = True
            yield finding
    if unknown:
        return
    findings, always = malformed(template)
    if findings:
        finding = _finding("LM6005", findings[0].message, template, findings[0].line)
        yield finding if always else replace(finding, severity=Severity.WARNING, help=_SOME_WAY)


def _check_callers(design: Design, structure: Structure, operation: Operation) -> Iterator[Diagnostic]:
    """An operation that several plans call: each of their specs needs what the request sends."""
    template = operation.request
    if template is None:
        return
    calls = [(plan, task) for plan in design.plans.values() for task in plan.tasks if _calls(task, operation)]
    having = {plan.spec: _attributes(design, structure.family.get(plan.spec, ())) for plan, _ in calls}
    somewhere = frozenset().union(*having.values())
    try:
        sent = unguarded(template) & somewhere
    except TemplateProblem:
        return
    for plan, task in calls:
        for name in sorted(sent - having[plan.spec]):
            marked = f"line.{name}"
            line = next((at for at, text in enumerate(template.text.split("\n"), 1) if marked in text), 1)
            found = _finding(
                "LM6002",
                f"task `{task.id}` sends this for lines of `{plan.spec}`, which has no `{name}`",
                template,
                line,
                f"give `{plan.spec}` the attribute, write `{marked} | default(…)`, or call another operation",
                marked=marked,
            )
            labels = (Label(task.span, "this task"),) if task.span is not None else ()
            yield replace(found, labels=labels)


def _check_arrival(arrivals: Arrivals, operation: Operation) -> Iterator[Diagnostic]:
    template = operation.request
    if template is None:
        return
    try:
        early = tuple(arrivals.early(operation.name, template))
    except TemplateProblem:
        return
    for each in early:
        marked = f"line.{each.attribute}"
        line = next((at for at, text in enumerate(template.text.split("\n"), 1) if marked in text), 1)
        given = f"; {' or '.join(f'`{name}`' for name in each.givers)} gives it" if each.givers else ""
        found = _finding(
            "LM6006",
            f"task `{each.task.id}` may send this before `{each.attribute}` of `{each.spec}` has a value{given}",
            template,
            line,
            f"write `after {each.attribute}` in task `{each.task.name}`, or `{marked} | default(…)` here",
            marked=marked,
        )
        labels = (Label(each.task.span, "this task does not wait for it"),) if each.task.span is not None else ()
        yield replace(found, severity=Severity.WARNING, labels=labels)


def _check_name(path: Path, names: Mapping[str, frozenset[str]], template: Template) -> Iterator[Diagnostic]:
    first, *rest = path.names
    if first == CANCELLED and first not in names:
        message = f"`{first}` is known only where a call is cancelled, and no task names this operation with `cancel`"
        yield _finding("LM6002", message, template, path.line, marked=str(path))
    elif first not in names:
        yield _unknown(f"no `{first}` is known in a request template", first, names, template, path)
    elif rest and rest[0] not in names[first]:
        finding = _unknown(f"`{first}` has no `{rest[0]}`", rest[0], names[first], template, path)
        homes = [f"`{home}.{rest[0]}`" for home in ("line", "parent", "root") if rest[0] in names[home]]
        yield replace(finding, help=f"there is {' and '.join(homes)}") if homes else finding
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


def _check_outcome(operation: Operation, template: Template, response: ResponseTemplate) -> Iterator[Diagnostic]:
    for unknown in unknown_outcomes(response):
        help = _suggestion(unknown.text, OUTCOMES, "")
        yield _finding("LM6007", f"`{unknown.text}` is no outcome", template, unknown.line, help, marked=unknown.text)
    callback = operation.callback
    if callback is None or template != (callback.response or operation.response) or response.outcome is None:
        return
    if outcome := failing_callback(response):
        found = _finding(
            "LM6007",
            f"every callback of `{operation.name}` ends as `{outcome}`: its message is read by this template with "
            f"status {CALLBACK_STATUS}",
            template,
            response.outcome.line,
            f'say `completed` for {CALLBACK_STATUS}, or give the callback a template: `callback … with response "…"`',
        )
        yield replace(found, severity=Severity.WARNING)


def _never_set(operation: Operation, last: Template, compiled: Iterable[ResponseTemplate]) -> Iterator[Diagnostic]:
    responses = list(compiled)
    if any(response.outcome is None and not response.set for response in responses):
        return
    for name, attribute in operation.outputs.items():
        if attribute.required and not any(name in response.set for response in responses):
            message = f"the output `{name}` of `{operation.name}` is required, but no response template sets it"
            yield _finding("LM6004", message, last, 1, f"add `{name}: {{{{ body.… }}}}` under `set`")


def _request_names(design: Design, structure: Structure, operation: Operation) -> dict[str, frozenset[str]]:
    """What a request template may use: what the lines have that it can be called for, what those above, fixed fields.

    Of an operation that nothing calls, any attribute may be named.
    """
    callers = {
        plan.spec for plan in design.plans.values() for task in plan.tasks if _calls(task, operation)
    } or design.specs.keys()
    kin = {member for caller in callers for member in structure.family.get(caller, ())}
    above = {upper for caller in callers for upper in structure.parents(caller)}
    tops = {top for caller in callers for top in structure.roots(caller)}
    return {
        "line": _attributes(design, callers & design.specs.keys()),
        "parent": _attributes(design, above or kin),
        "root": _attributes(design, tops),
        **{name: frozenset(fields) for name, fields in FIELDS.items()},
        **_cancelled(design, operation),
    }


def _calls(task: TaskDefinition, operation: Operation) -> bool:
    """Whether the task calls the operation, or what takes it back or cancels it does."""
    return operation.name in (task.undo, task.cancel) or (
        task.kind is TaskKind.CALL and task.operation == operation.name
    )


def _cancelled(design: Design, operation: Operation) -> dict[str, frozenset[str]]:
    """What there is to say of a call that the operation cancels: its own fields, and what it may have delivered."""
    calls = [task for plan in design.plans.values() for task in plan.tasks if task.cancel == operation.name]
    outputs = {name for task in calls if task.operation for name in design.operations[task.operation].outputs}
    return {CANCELLED: frozenset((*FIELDS["task"], *outputs))} if calls else {}


def _attributes(design: Design, specs: Iterable[str]) -> frozenset[str]:
    return frozenset((*LINE_FIELDS, *(name for spec in specs for name in design.specs[spec].attributes)))


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
