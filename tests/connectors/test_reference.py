"""The examples of connectors/README.md do what it says."""

from __future__ import annotations

import json
import textwrap
from pathlib import Path

from orderloom.connectors.simulator import Script
from orderloom.connectors.templates.answer import AnswerReader
from orderloom.connectors.templates.request import RequestTemplate
from orderloom.connectors.templates.sandbox import FILTERS, TESTS
from orderloom.models.callout import Outcome
from orderloom.models.integration import Template
from orderloom.models.values import INTEGER, STRING

from .systems import operation

README = (Path(__file__).parents[2] / "connectors" / "README.md").read_text(encoding="utf-8")


def example(start: str) -> str:
    """The indented block that starts with this text."""
    lines = README[README.index(f"\n    {start}") + 1 :].split("\n")
    end = next(index for index, line in enumerate(lines) if line and not line.startswith("    "))
    return textwrap.dedent("\n".join(lines[:end])).strip() + "\n"


def test_the_request_example() -> None:
    request = RequestTemplate(Template(path="README.md", text=example("POST /sites"))).render(
        {
            "line": {"site": "S/1", "profile": "P", "options": ("a", "b")},
            "order": {"id": "O-1", "external_id": "X"},
            "account": {"name": None},
        }
    )
    assert request.target == "/sites/S%2F1/reservations?order=O-1"
    assert ("X-Reference", "X") in request.headers
    assert json.loads(request.body) == {"profile": "P", "note": "for a customer", "options": ["a", "b"]}


def test_the_response_example() -> None:
    found = operation(response=example("outcome: {{"), outputs={"port_id": STRING, "vlan": INTEGER})
    reader = AnswerReader(found, {})
    assert reader.read(201, {}, {"port": {"id": "P", "vlan": 7}}).outputs == {"port_id": "P", "vlan": 7}
    failed = reader.read(404, {}, {"error": {"text": "gone"}})
    assert (failed.outcome, failed.code, failed.message) == (Outcome.FATAL, "status_404", "inventory says: gone")


def test_the_script_example() -> None:
    script = Script.parse(example("seed: 11"))
    assert set(script.operations) == {"inventory.reserve_port", "billing.start", "numbers.request_port"}


def test_every_filter_and_test_is_listed() -> None:
    for name in {*FILTERS} - {"d", "count"}:
        assert f"`{name}`" in README
    for name in {*TESTS} - {"undefined"}:
        assert f"`is {name}`" in README
