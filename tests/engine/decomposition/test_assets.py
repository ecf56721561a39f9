"""What `asset.` is while rules fire: the source's item in conditions, the target's in mappings and quantities."""

from __future__ import annotations

import pytest

from orderloom.engine.decomposition import decompose
from orderloom.engine.program import Program
from orderloom.models.catalog import Action, Scope
from orderloom.models.expression import Binary, BinaryOperator, Default, Presence, Root
from orderloom.models.inventory import EMPTY
from orderloom.models.values import INTEGER, STRING
from tests.engine.building import attribute, carried_out, item, lit, order, program, ref, rule, spec

SOURCE_HELD = Presence(ref("size", STRING.maybe(), Root.ASSET), True)


def counting(scope: Scope) -> Program:
    """`visits` of T counts the orders; U is made of what was there before."""
    before = Default(ref("visits", INTEGER.maybe(), Root.ASSET), lit(0, INTEGER), INTEGER)
    more = Binary(BinaryOperator.PLUS, before, lit(1, INTEGER), INTEGER)
    return program(
        [
            spec("P", "product", attribute("size"), attribute("visits", INTEGER)),
            spec("T", "resource", attribute("visits", INTEGER), scope=scope),
            spec("U", "resource", scope=scope),
        ],
        [rule("P", "T", sets={"visits": more}), rule("P", "U", when=SOURCE_HELD)],
    )


@pytest.mark.parametrize("scope", [Scope.LINE, Scope.PARENT, Scope.BUNDLE, Scope.ORDER, Scope.ACCOUNT])
def test_a_mapping_reads_the_item_of_the_line_that_it_makes(scope: Scope) -> None:
    design = counting(scope)
    first = order(item("1", "P", size="s", visits=70))
    made = decompose(design, first, EMPTY)
    held = carried_out(first, made, EMPTY)
    product = next(line.asset for line in made.lines.values() if line.spec == "P")
    again = decompose(design, order(item("1", "P", Action.MODIFY, product=product, size="l"), id="O2"), held)

    assert [line.attributes["visits"] for line in made.lines.values() if line.spec == "T"] == [1]
    (target,) = (line for line in again.lines.values() if line.spec == "T")
    assert (target.attributes["visits"], target.before["visits"]) == (2, 1)


def test_a_condition_reads_the_item_of_the_source() -> None:
    design = counting(Scope.LINE)
    first = order(item("1", "P", size="s"))
    made = decompose(design, first, EMPTY)
    product = next(line.asset for line in made.lines.values() if line.spec == "P")
    again = decompose(
        design,
        order(item("1", "P", Action.MODIFY, product=product, size="l"), id="O2"),
        carried_out(first, made, EMPTY),
    )

    assert [line.spec for line in made.lines.values()] == ["P", "T"]
    assert {line.spec for line in again.lines.values()} == {"P", "T", "U"}


def test_sources_that_feed_one_line_read_one_item() -> None:
    design = counting(Scope.ACCOUNT)
    first = order(item("1", "P", size="s"))
    held = carried_out(first, decompose(design, first, EMPTY), EMPTY)
    both = decompose(design, order(item("1", "P"), item("2", "P"), id="O2"), held)

    assert both.problems == ()
    assert [line.attributes["visits"] for line in both.lines.values() if line.spec == "T"] == [2]
