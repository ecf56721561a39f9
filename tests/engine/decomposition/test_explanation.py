"""Why a line is as it is, why a rule did not fire."""

from __future__ import annotations

import pytest

from orderloom.engine.decomposition import decompose
from orderloom.engine.explanation import explain_line, explain_rule
from orderloom.models.catalog import Scope
from orderloom.models.values import BOOLEAN
from tests.engine.building import attribute, item, order, program, ref, rule, spec

PROGRAM = program(
    [
        spec("Internet", "product", attribute("static_ip", BOOLEAN, default=False), attribute("site")),
        spec("Access", "cfs", attribute("site"), scope=Scope.BUNDLE),
        spec("Line", "rfs", attribute("site"), scope=Scope.BUNDLE),
        spec("Address", "resource"),
    ],
    [
        rule("Internet", "Access", sets={"site": ref("site")}),
        rule("Access", "Line", sets={"site": ref("site")}),
        rule("Internet", "Address", when=ref("static_ip", BOOLEAN)),
    ],
)
ORDER = order(item("1", "Internet", site="S-1"), item("2", "Internet", static_ip=True))


def test_the_story_of_a_line_leads_back_to_the_order() -> None:
    story = explain_line(PROGRAM, decompose(PROGRAM, ORDER), "Line:O1:1")

    assert (story.action, story.reason) == ("add", "inventory has none")
    (site,) = story.attributes
    assert (site.value, site.before, site.missing) == ("S-1", None, False)
    assert site.provenance is not None
    assert (site.provenance.by, site.provenance.source) == ("Access->Line", "Access:O1:1")
    (access,) = story.sources
    assert (access.rule, access.line.id) == ("Access->Line", "Access:O1:1")
    assert access.line.sources[0].line.id == "1"
    assert access.line.sources[0].line.reason == "as ordered"


def test_the_story_of_a_rule_tells_for_each_line_why_it_did_or_did_not_fire() -> None:
    story = explain_rule(PROGRAM, ORDER, "Internet->Address")

    assert [(verdict.line, verdict.fires) for verdict in story.verdicts] == [("1", False), ("2", True)]
    assert [verdict.line for verdict in story.fired] == ["2"]
    assert story.verdicts[0].near_miss
    assert story.verdicts[0].failing[0].values == (("static_ip", False),)
    assert story.verdicts[0].failing[0].accepted == "true"


def test_an_unknown_rule_or_line_is_an_error() -> None:
    with pytest.raises(KeyError):
        explain_rule(PROGRAM, ORDER, "Internet->Nothing")
    with pytest.raises(KeyError):
        explain_line(PROGRAM, decompose(PROGRAM, ORDER), "3")
