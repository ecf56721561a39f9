"""Findings about templates at design time: code, message, help and the text they point at."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from orderloom.connectors.templates.check import check_templates
from orderloom.models.catalog import Action, Attribute, Contains, Level, Spec
from orderloom.models.design import Design
from orderloom.models.integration import Callback, Operation
from orderloom.models.source import Diagnostic, Severity
from orderloom.models.tasks import PlanDefinition, TaskDefinition, TaskKind
from orderloom.models.values import STRING

from .systems import REQUEST, RESPONSE, operation

JSON = "POST /x\nContent-Type: application/json\n\n"
XML = "POST /x\nContent-Type: application/xml\n\n"


def spec(name: str, *attributes: str) -> Spec:
    return Spec(
        name=name,
        title="",
        level=Level.RESOURCE_SERVICE,
        attributes={found: Attribute(name=found, title="", type=STRING) for found in attributes},
    )


def design(found: Operation) -> Design:
    task = TaskDefinition(id="P.t", name="t", title="", kind=TaskKind.CALL, operation=found.name)
    plan = PlanDefinition(name="P", title="", spec="GponAccess", actions=(Action.ADD,), tasks=(task,))
    return Design(
        name="d", version="1", digest="", enums={}, rules=(), tables={}, rejections=(), queues={}, connectors={},
        settings={}, specs={s.name: s for s in (spec("GponAccess", "site", "profile"), spec("Fiber", "speed"))},
        plans={"P": plan}, operations={found.name: found},
    )  # fmt: skip


def check(found: Operation) -> tuple[tuple[Diagnostic, str], ...]:
    texts = {t.path: t.text for t in (found.request, found.response) if t is not None}
    return tuple((d, texts[d.span.file][d.span.start : d.span.end]) for d in check_templates(design(found)))


def test_only_what_cancels_a_call_may_name_it() -> None:
    found = operation(request="DELETE /x/{{ cancelled.key }}/{{ cancelled.port_id }}")
    ((problem, text), *_) = check(found)
    assert (problem.code, text) == ("LM6002", "cancelled.key")
    assert "no task names this operation with `cancel`" in problem.message

    task = replace(design(found).plans["P"].tasks[0], cancel=found.name)
    plans = {"P": replace(design(found).plans["P"], tasks=(task,))}
    assert check_templates(replace(design(found), plans=plans)) == ()

    wrong = operation(request="DELETE /x/{{ cancelled.port }}")
    (problem,) = check_templates(replace(design(wrong), plans=plans))
    assert (problem.message, problem.help) == ("`cancelled` has no `port`", "did you mean `port_id`?")


def test_each_spec_that_an_operation_is_called_for_has_what_is_sent() -> None:
    found = operation(request=JSON + "{{ line.site }}")
    first = design(found).plans["P"]
    other = replace(first, name="Q", spec="Fiber", tasks=(replace(first.tasks[0], id="Q.t"),))
    plans = {"P": first, "Q": other}
    (problem,) = check_templates(replace(design(found), plans=plans))
    assert problem.code == "LM6002"
    assert problem.message == "task `Q.t` sends this for lines of `Fiber`, which has no `site`"
    assert "line.site | default(…)" in problem.help

    asked = operation(request=JSON + '{{ line.site | default("nowhere") }}')
    assert check_templates(replace(design(asked), plans=plans)) == ()


def test_good_templates_have_no_findings() -> None:
    assert check(operation()) == ()
    assert check(operation(request=REQUEST.replace("line.site", "root.site"))) == ()


@pytest.mark.parametrize(
    ("request_text", "code", "message", "help", "marked"),
    [
        (JSON + "{{ line.profil }}", "LM6002", "`line` has no `profil`", "did you mean `profile`?", "line.profil"),
        (JSON + "{{ line.speed }}", "LM6002", "`line` has no `speed`", "", "line.speed"),
        (JSON + "{{ root.speed }}", "LM6002", "`root` has no `speed`", "", "root.speed"),
        (JSON + "{{ order.ident }}", "LM6002", "`order` has no `ident`", "", "order.ident"),
        (JSON + "{{ lin.site }}", "LM6002", "no `lin` is known", "did you mean `line`?", "lin.site"),
        (JSON + "{{ line.site.x }}", "LM6002", "single value", "", "line.site.x"),
        (JSON + "{% if line.a == 1 %}1{% endif %}", "LM6002", "`line` has no `a`", "", "line.a"),
        (JSON + "[{% for p in line.b %}{{ p }}{% endfor %}]", "LM6002", "`line` has no `b`", "", "line.b"),
        (JSON + "{{ line.site", "LM6001", "unexpected", "", "{{ line.site"),
        ("GET x\n", "LM6001", "expected `/`", "base_url", "GET x"),
        (JSON + '{"a": {{ line.site }}', "LM6005", "no JSON", "", '{"a": {{ line.site }}'),
        (JSON + '{"a": {{ line.site }},}', "LM6005", "no JSON", "", '{"a": {{ line.site }},}'),
        (XML + "<a>{{ line.site }}</b>", "LM6005", "no XML", "", "<a>{{ line.site }}</b>"),
    ],
)
def test_request_templates(request_text: str, code: str, message: str, help: str, marked: str) -> None:
    ((found, text),) = check(operation(request=request_text))
    assert found.code == code
    assert message in found.message
    assert help in found.help
    assert text == marked
    assert found.span.file == "templates/request.http.j2"
    assert found.span.line == request_text[: request_text.index(marked)].count("\n") + 1
    assert found.severity is Severity.ERROR


def test_a_branch_that_breaks_the_body_is_a_warning() -> None:
    text = JSON + '{"a": 1 {% if line.site == "x" %}"b": 2{% endif %}}\n'
    ((found, _),) = check(operation(request=text))
    assert (found.code, found.severity) == ("LM6005", Severity.WARNING)


def test_a_loop_with_its_own_condition_is_well_formed() -> None:
    text = JSON + "[{% for p in line.site %}{{ p }}{% if not loop.last %}, {% endif %}{% endfor %}]"
    assert check(operation(request=text)) == ()


@pytest.mark.parametrize(
    ("response", "code", "message", "marked"),
    [
        ("set: { port_id: {{ bod.id }} }", "LM6002", "no `bod` is known", "bod.id"),
        ("set: { port_id: {{ status.id }} }", "LM6002", "`status` is a number", "status.id"),
        ("set: { port_id: a, prt: b }", "LM6003", "`prt` is set but is no output", "prt"),
        ("outcome: completed\n", "LM6004", "`port_id` of `inventory.reserve_port` is required", "outcome: completed"),
        ("outcome: done\n", "LM6001", "`done` is no outcome", "outcome: done"),
        (
            'outcome: {{ "done" if status == 200 else "failed" }}\nset: { port_id: a }',
            "LM6007",
            "`done` is no outcome",
            "done",
        ),
        ("outcome: {{ \n", "LM6001", "no `}}`", "outcome: {{"),
    ],
)
def test_response_templates(response: str, code: str, message: str, marked: str) -> None:
    ((found, text),) = check(operation(response=response))
    assert found.code == code
    assert message in found.message
    assert text == marked
    assert found.span.file == "templates/response.yaml.j2"


def test_a_name_of_another_line_is_pointed_out() -> None:
    access = replace(spec("Access", "site", "admin"), contains=(Contains(spec="GponAccess", least=1, most=1),))
    lines = design(operation(request=JSON + "{{ line.admin }}"))
    ((found),) = check_templates(replace(lines, specs={**lines.specs, "Access": access}))
    assert (found.code, found.help) == ("LM6002", "there is `parent.admin` and `root.admin`")


@pytest.mark.parametrize(
    ("outcome", "findings"),
    [
        ('"accepted" if status == 202 else "failed"', 1),
        ('"accepted" if status == 202 else "completed" if status == 200 else "failed"', 0),
        ('"accepted" if status == 202 else "completed" if body.result == "ported" else "failed"', 0),
    ],
)
def test_a_callback_that_can_only_fail(outcome: str, findings: int) -> None:
    text = f"outcome: {{{{ {outcome} }}}}\nset: {{ port_id: {{{{ body.id }}}} }}\n"
    found = check(replace(operation(response=text), callback=Callback(correlate="port_id", within=timedelta(hours=1))))
    assert [(each.code, each.severity) for each, _ in found] == [("LM6007", Severity.WARNING)] * findings
    assert all("read by this template with status 200" in each.message for each, _ in found)


def test_a_template_used_twice_is_reported_once() -> None:
    first = operation(request=JSON + "{{ line.nope }}")
    both = design(first)
    both = replace(both, operations={**both.operations, "inventory.other": replace(first, name="inventory.other")})
    assert len(check_templates(both)) == 1


def test_the_example_of_the_language_is_clean_with_its_callback() -> None:
    assert check(operation(request=REQUEST, response=RESPONSE)) == ()
