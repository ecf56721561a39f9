"""Each scope merges what it says, in one order and across orders."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from orderloom.engine.decomposition import decompose
from orderloom.engine.program import Program
from orderloom.models.catalog import Action, RelationKind, Scope
from orderloom.models.expression import Expression
from orderloom.models.fulfillment import ProblemKind
from orderloom.models.inventory import EMPTY
from orderloom.models.values import INTEGER
from tests.engine.building import attribute, carried_out, formula, item, lit, order, program, ref, rule, spec


def shop(scope: Scope, quantity: Expression | None = None) -> Program:
    key = formula(ref("site"), "site") if scope is Scope.KEY else None
    return program(
        [
            spec("Bundle", "product", contains=[("Phone", 0, None)]),
            spec("Phone", "product", attribute("site")),
            spec("Shared", "cfs", scope=scope, key=key),
        ],
        [rule("Phone", "Shared", quantity=quantity)],
    )


ITEMS = (
    item("a", "Bundle"),
    item("a1", "Phone", parent="a", site="x"),
    item("a2", "Phone", parent="a", site="y", relies_on="a1"),
    item("b", "Bundle"),
    item("b1", "Phone", parent="b", site="x"),
)


@pytest.mark.parametrize(
    ("scope", "groups"),
    [
        (Scope.LINE, {"Shared:O1:a1": "a1", "Shared:O1:a2": "a2", "Shared:O1:b1": "b1"}),
        (Scope.PARENT, {"Shared:O1:a": "a1 a2", "Shared:O1:b": "b1"}),
        (Scope.BUNDLE, {"Shared:O1:a": "a1 a2", "Shared:O1:b": "b1"}),
        (Scope.RELATION, {"Shared:O1:a1": "a1 a2", "Shared:O1:b1": "b1"}),
        (Scope.KEY, {"Shared:ACC/x": "a1 b1", "Shared:ACC/y": "a2"}),
        (Scope.ORDER, {"Shared:O1": "a1 a2 b1"}),
        (Scope.ACCOUNT, {"Shared:ACC": "a1 a2 b1"}),
    ],
)
def test_scope_merges(scope: Scope, groups: dict[str, str]) -> None:
    found = decompose(shop(scope), order(*ITEMS))

    assert not found.problems
    technical = {line.id: line for line in found.lines.values() if line.spec == "Shared"}
    assert {id: " ".join(each.line for each in line.sources) for id, line in technical.items()} == groups
    assert all(line.quantity == 1 for line in technical.values())
    assert all(line.asset == f"Shared@{scope}:{id.removeprefix('Shared:')}" for id, line in technical.items())


@pytest.mark.parametrize(
    ("scope", "action", "asset"),
    [
        (Scope.LINE, Action.ADD, "Shared@line:O2:n"),
        (Scope.ORDER, Action.ADD, "Shared@order:O2"),
        (Scope.KEY, Action.NO_CHANGE, "Shared@key:ACC/x"),
        (Scope.ACCOUNT, Action.NO_CHANGE, "Shared@account:ACC"),
    ],
)
def test_a_later_order_shares_what_its_scope_says(scope: Scope, action: Action, asset: str) -> None:
    made = shop(scope)
    first = order(*ITEMS)
    inventory = carried_out(first, decompose(made, first), EMPTY)
    found = decompose(made, order(item("n", "Phone", site="x"), id="O2"), inventory)

    (line,) = (line for line in found.lines.values() if line.spec == "Shared" and "n" in {e.line for e in line.sources})
    assert (line.action, line.asset) == (action, asset)
    assert line.users_added == {"O2:n"}


def test_an_absent_key_is_a_problem() -> None:
    found = decompose(shop(Scope.KEY), order(item("1", "Phone")))

    assert [problem.message for problem in found.problems] == [
        "rule `Phone->Shared` cannot tell which `Shared` is meant: its key `site` is absent"
    ]


@pytest.mark.parametrize(
    ("quantity", "expected"),
    [(lambda: lit(2, INTEGER), 6), (lambda: ref("quantity", INTEGER, meta=True), 3), (lambda: lit(0, INTEGER), None)],
)
def test_quantities_are_summed(quantity: Callable[[], Expression], expected: int | None) -> None:
    found = decompose(shop(Scope.ACCOUNT, quantity()), order(*ITEMS))

    line = found.lines.get("Shared:ACC")
    assert (line.quantity if line else None) == expected


RELATED = program(
    [
        spec("Base", "product"),
        spec("Option", "product", relations=[(RelationKind.RELIES_ON, "Base")]),
        spec("Extra", "product", relations=[(RelationKind.REQUIRES, "Base"), (RelationKind.EXCLUDES, "Rival")]),
        spec("Rival", "product"),
    ]
)


def test_relies_on_what_is_stated_or_the_only_one() -> None:
    only = decompose(RELATED, order(item("1", "Base"), item("2", "Option")))
    stated = decompose(RELATED, order(item("1", "Base"), item("2", "Base"), item("3", "Option", relies_on="2")))

    assert [relation.line for relation in only.lines["2"].relations] == ["1"]
    assert [relation.line for relation in stated.lines["3"].relations] == ["2"]


def test_relations_that_do_not_hold_are_told() -> None:
    found = decompose(
        RELATED,
        order(item("1", "Option"), item("2", "Extra"), item("3", "Rival")),
    )
    assert [problem.message for problem in found.problems] == [
        "a `Option` relies on a `Base`; there is none",
        "a `Extra` requires a `Base`; neither the order nor the account has one",
        "a `Extra` excludes a `Rival`; with this order there is one: `3`",
    ]
    several = decompose(RELATED, order(item("1", "Base"), item("2", "Base"), item("3", "Option")))
    assert several.problems[0].message == "a `Option` relies on a `Base`; there are several: `1`, `2`; say which"


def test_what_another_relies_on_is_not_deleted_alone() -> None:
    first = order(item("1", "Base"), item("2", "Option"))
    inventory = carried_out(first, decompose(RELATED, first), EMPTY)
    assert inventory.assets["O1:2"].relies_on == {"O1:1"}

    gone = item("1", "Base", Action.DELETE, product="O1:1")
    alone = decompose(RELATED, order(gone, item("2", "Option", Action.NO_CHANGE, product="O1:2"), id="O2"), inventory)
    both = decompose(RELATED, order(gone, item("2", "Option", Action.DELETE, product="O1:2"), id="O2"), inventory)
    assert [problem.message for problem in alone.problems] == [
        "it is deleted, but `2` (`Option`) relies on it; delete that too, or neither"
    ]
    assert not both.problems


def test_items_in_a_circle_and_without_a_parent_are_told() -> None:
    found = decompose(
        shop(Scope.LINE),
        order(item("1", "Bundle", parent="2"), item("2", "Bundle", parent="1"), item("3", "Phone", parent="9")),
    )
    messages = [problem.message for problem in found.problems]
    assert "the item `2` stands under itself" in messages
    assert "it stands under the item `9`, which the order does not have" in messages


def test_relations_of_products_that_the_order_does_not_name() -> None:
    first = order(item("1", "Base"), item("2", "Extra"))
    shared = program(
        [
            *RELATED.specs.values(),
            # a scope broader than the bundle, so that all of the account's products are looked at
            spec("Platform", "cfs", scope=Scope.ACCOUNT),
        ]
    )
    inventory = carried_out(first, decompose(shared, first), EMPTY)

    required = decompose(shared, order(item("1", "Base", Action.DELETE, product="O1:1"), id="O2"), inventory)
    excluded = decompose(shared, order(item("1", "Rival"), id="O2"), inventory)
    unrelated = decompose(shared, order(item("1", "Base"), id="O2"), inventory)
    assert [(problem.line, problem.kind) for problem in required.problems] == [("O1:2", ProblemKind.RELATION)]
    assert [(problem.line, problem.kind) for problem in excluded.problems] == [("O1:2", ProblemKind.RELATION)]
    assert not unrelated.problems
