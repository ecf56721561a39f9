"""Calls that send what another task supplies: they come after it, or are warned of."""

from __future__ import annotations

import pytest

from orderloom.connectors.templates.check import check_templates
from orderloom.dsl.bundle import read_files
from orderloom.dsl.compiler import compile_bundle
from orderloom.models.source import Severity

DESIGN = """
product Box { site string required }
service Visit resource_facing one per bundle { serial string? }
service Access resource_facing one per bundle { site string required  serial string required  port string? }
decompose Box into Visit { }
decompose Box into Access { site = site }
decompose Visit into Device { serial = serial }
resource Device one per bundle { serial string required }

plan Survey for Visit on add {
  call look { operation net.look  set serial = response.serial }
}
plan Build for Access on add {
  call reserve { operation net.look  set serial = response.serial  set port = response.serial }
  call send { operation net.send  %s }
  milestone reserved { after reserve }
}
plan Ship for Device on add {
  call post { operation net.post  %s }
}
plan Change for Access on modify { call send_again { operation net.send } }
connector net http { base_url "https://net.example" }
operation net.look { request "templates/look.http.j2" response "templates/look.yaml.j2" output serial string required }
operation net.send { request "templates/send.http.j2" }
operation net.post { request "templates/post.http.j2" }
"""


def findings(*, send: str = "after reserve", post: str = "after serial", sent: str = "line.serial") -> list[str]:
    files = {
        "bundle.yaml": "name: box\nversion: 1.0.0\n",
        "box.loom": DESIGN % (send, post),
        "templates/look.http.j2": "GET /look/{{ line.id }}\n",
        "templates/look.yaml.j2": "set: { serial: {{ body.serial }} }\n",
        "templates/send.http.j2": f"GET /send/{{{{ {sent} }}}}\n",
        "templates/post.http.j2": "GET /post/{{ line.serial }}\n",
    }
    read = read_files(files)
    assert read.sources is not None
    compiled = compile_bundle(read.sources)
    assert compiled.design is not None, compiled.diagnostics
    found = check_templates(compiled.design)
    assert all((each.code, each.severity) == ("LM6006", Severity.WARNING) for each in found)
    for each in found:
        assert files[each.span.file][each.span.start : each.span.end] == "line.serial"
    return [each.message for each in found]


def test_a_call_that_does_not_wait_is_warned_of() -> None:
    (message,) = findings(send="")
    assert message.startswith("task `Build.send` may send this before `serial` of `Access` has a value")
    assert message.endswith("`Build.reserve` gives it")


@pytest.mark.parametrize(
    "send",
    [
        "after reserve",
        "after serial",
        "after reserved",
        "when serial is present",
        "after Access.reserve within bundle",
    ],
)
def test_a_call_that_waits_is_not(send: str) -> None:
    assert findings(send=send) == []


@pytest.mark.parametrize("sent", ['line.serial | default("none")', 'line.serial if line.serial is present else "x"'])
def test_a_template_that_provides_for_absence_is_not(sent: str) -> None:
    assert findings(send="", sent=sent) == []


def test_what_comes_down_from_another_line_is_followed_to_its_task() -> None:
    (message,) = findings(post="after Access.send within bundle")
    assert "`Ship.post`" in message
    assert message.endswith("`Survey.look` gives it")
    assert findings(post="after Visit.look within bundle") == []
