"""A small broadband design through its life: add, modify, share, delete."""

from __future__ import annotations

from orderloom.engine.decomposition import decompose
from orderloom.models.catalog import Action, Enum, Scope
from orderloom.models.expression import Arm, Case
from orderloom.models.fulfillment import Decomposition, Origin, ProblemKind
from orderloom.models.inventory import EMPTY, Inventory
from orderloom.models.order import OrderItem
from orderloom.models.values import BOOLEAN, INTEGER
from tests.engine.building import (
    attribute,
    carried_out,
    enum_type,
    equal,
    item,
    lit,
    order,
    program,
    ref,
    rule,
    spec,
)

SPEED, INSTALL = enum_type("Speed"), enum_type("Install")
ENUMS = (
    Enum(name="Speed", title="", values=("mbps_100", "mbps_500", "gbps_1")),
    Enum(name="Install", title="", values=("self_install", "technician")),
)
PROGRAM = program(
    [
        spec(
            "FiberInternet",
            "product",
            attribute("speed", SPEED, default="mbps_500"),
            attribute("static_ip", BOOLEAN, default=False),
            attribute("install", INSTALL, default="self_install"),
            attribute("site", required=True),
            contains=[("Router", 1, 1), ("WifiExtender", 0, 3)],
        ),
        spec("Router", "product"),
        spec("WifiExtender", "product"),
        spec(
            "InternetAccess",
            "cfs",
            attribute("downstream", INTEGER, required=True),
            attribute("site", required=True),
            scope=Scope.BUNDLE,
        ),
        spec(
            "GponAccess",
            "rfs",
            attribute("profile", required=True),
            attribute("port_id", required=True),
            scope=Scope.BUNDLE,
            supplied_later=["port_id"],
        ),
        spec("StaticAddress", "resource", scope=Scope.ACCOUNT),
        spec("SiteSurvey", "resource"),
        spec("SelfInstallKit", "resource"),
        spec("Device", "resource", scope=Scope.BUNDLE),
    ],
    [
        rule(
            "FiberInternet",
            "InternetAccess",
            sets={
                "downstream": Case(
                    ref("speed", SPEED),
                    (
                        Arm(("mbps_100",), lit(100, INTEGER)),
                        Arm(("mbps_500",), lit(500, INTEGER)),
                        Arm(("gbps_1",), lit(1000, INTEGER)),
                    ),
                    None,
                    INTEGER,
                ),
                "site": ref("site"),
            },
        ),
        rule("InternetAccess", "GponAccess", sets={"profile": ref("site")}),
        rule("FiberInternet", "StaticAddress", when=ref("static_ip", BOOLEAN)),
        rule(
            "FiberInternet",
            "SiteSurvey",
            when=equal(ref("install", INSTALL), lit("technician", INSTALL)),
            group="g",
            rank=0,
        ),
        rule("FiberInternet", "SelfInstallKit", group="g", rank=1),
        rule("Router", "Device", quantity=lit(1, INTEGER)),
        rule("WifiExtender", "Device", quantity=ref("quantity", INTEGER, meta=True)),
    ],
    enums=ENUMS,
)


def run(*items: OrderItem, inventory: Inventory = EMPTY, id: str = "O1") -> Decomposition:
    return decompose(PROGRAM, order(*items, id=id), inventory)


def fulfilled(*items: OrderItem, inventory: Inventory = EMPTY, id: str = "O1") -> Inventory:
    found = run(*items, inventory=inventory, id=id)
    assert not found.problems
    return carried_out(order(*items, id=id), found, inventory)


def actions(found: Decomposition) -> dict[str, str]:
    assert not found.problems, [problem.message for problem in found.problems]
    return {line.id: str(line.action) for line in found.lines.values()}


NEW = (item("1", "FiberInternet", site="S-1", static_ip=True), item("2", "Router", parent="1"))


def test_new_order_goes_down_all_levels() -> None:
    found = run(*NEW)

    assert actions(found) == {
        "1": "add",
        "2": "add",
        "InternetAccess:O1:1": "add",
        "StaticAddress:ACC": "add",
        "SelfInstallKit:O1:1": "add",
        "Device:O1:1": "add",
        "GponAccess:O1:1": "add",
    }
    access = found.lines["InternetAccess:O1:1"]
    assert access.attributes == {"downstream": 500, "site": "S-1"}
    assert access.asset == "InternetAccess@bundle:O1:1"
    assert access.anchor == "InternetAccess bundle O1:1"
    assert access.users_added == {"O1:1"}
    assert (access.parent, access.root) == ("1", "1")
    assert access.provenance["site"].origin is Origin.RULE
    assert access.provenance["site"].by == "FiberInternet->InternetAccess"
    assert access.provenance["site"].source == "1"
    assert found.lines["1"].provenance["speed"].origin is Origin.DEFAULT
    assert found.lines["1"].provenance["site"].origin is Origin.ORDER
    gpon = found.lines["GponAccess:O1:1"]
    assert gpon.missing == ("port_id",)
    assert gpon.users_added == {"InternetAccess@bundle:O1:1"}
    assert (gpon.parent, gpon.root) == ("InternetAccess:O1:1", "1")


def test_technician_wins_the_exclusive_group() -> None:
    found = run(item("1", "FiberInternet", site="S", install="technician"), item("2", "Router", parent="1"))

    assert "SiteSurvey:O1:1" in found.lines
    assert "SelfInstallKit:O1:1" not in found.lines


def test_quantities_add_up_and_structure_counts() -> None:
    extender = item("3", "WifiExtender", parent="1", quantity=3)

    assert run(*NEW, extender).lines["Device:O1:1"].quantity == 4
    problems = run(*NEW, extender, item("4", "WifiExtender", parent="1")).problems
    assert [problem.message for problem in problems] == [
        "a `FiberInternet` contains 0 to 3 `WifiExtender`; with this order it has 4"
    ]


def test_modify_touches_what_differs_and_releases_what_is_no_longer_asked_for() -> None:
    inventory = fulfilled(*NEW)
    change = item("1", "FiberInternet", Action.MODIFY, product="O1:1", speed="gbps_1", static_ip=False)
    found = run(change, inventory=inventory, id="O2")

    assert actions(found) == {
        "1": "modify",
        "InternetAccess:O1:1": "modify",
        "GponAccess:O1:1": "noChange",
        "SelfInstallKit:O1:1": "noChange",
        "StaticAddress:ACC": "delete",
    }
    access = found.lines["InternetAccess:O1:1"]
    assert access.before == {"downstream": 500, "site": "S-1"}
    assert access.attributes == {"downstream": 1000, "site": "S-1"}
    assert not access.users_added
    assert found.lines["StaticAddress:ACC"].users_removed == {"O1:1"}


def test_a_shared_item_goes_with_its_last_user() -> None:
    inventory = fulfilled(*NEW)
    inventory = fulfilled(*NEW, inventory=inventory, id="O2")
    assert inventory.assets["StaticAddress@account:ACC"].users == {"O1:1", "O2:1"}

    first = run(item("1", "FiberInternet", Action.DELETE, product="O1:1"), inventory=inventory, id="O3")
    assert actions(first) == {
        "1": "delete",
        "O1:2": "delete",
        "InternetAccess:O1:1": "delete",
        "GponAccess:O1:1": "delete",
        "StaticAddress:ACC": "noChange",
        "SelfInstallKit:O1:1": "delete",
        "Device:O1:1": "delete",
        "O2:1": "noChange",
    }
    assert first.lines["O2:1"].context
    inventory = fulfilled(item("1", "FiberInternet", Action.DELETE, product="O1:1"), inventory=inventory, id="O3")
    assert inventory.assets["StaticAddress@account:ACC"].users == {"O2:1"}

    last = run(item("1", "FiberInternet", Action.DELETE, product="O2:1"), inventory=inventory, id="O4")
    assert last.lines["StaticAddress:ACC"].action is Action.DELETE
    assert not fulfilled(item("1", "FiberInternet", Action.DELETE, product="O2:1"), inventory=inventory, id="O4").assets


def test_suspended_with_everything_that_only_it_uses() -> None:
    inventory = fulfilled(*NEW)
    found = run(item("1", "FiberInternet", Action.SUSPEND, product="O1:1"), inventory=inventory, id="O2")

    assert found.lines["InternetAccess:O1:1"].action is Action.SUSPEND
    assert found.lines["GponAccess:O1:1"].action is Action.SUSPEND


def test_all_that_is_wrong_with_the_items_is_told_at_once() -> None:
    found = run(
        item("1", "FibreInternet"),
        item("2", "FiberInternet", sped="gbps_1", speed="fast"),
        item("3", "FiberInternet", Action.MODIFY, product="O9:1"),
        item("4", "InternetAccess", quantity=0),
    )

    assert [(problem.line, problem.kind) for problem in found.problems] == [
        ("1", ProblemKind.UNKNOWN_SPEC),
        ("2", ProblemKind.UNKNOWN_ATTRIBUTE),
        ("2", ProblemKind.BAD_VALUE),
        ("2", ProblemKind.MISSING_VALUE),
        ("3", ProblemKind.INVENTORY),
        ("4", ProblemKind.BAD_VALUE),
        ("4", ProblemKind.UNKNOWN_SPEC),
        ("2", ProblemKind.CARDINALITY),
    ]
    assert "did you mean `FiberInternet`?" in found.problems[0].message
    assert "expected one of mbps_100, mbps_500, gbps_1, found 'fast'" in found.problems[2].message


def test_sources_that_contradict_each_other_are_named() -> None:
    conflicting = program(
        [
            spec("A", "product", attribute("tier")),
            spec("T", "cfs", attribute("tier"), scope=Scope.ACCOUNT),
        ],
        [rule("A", "T", sets={"tier": ref("tier")})],
    )
    found = decompose(conflicting, order(item("1", "A", tier="gold"), item("2", "A", tier="tin")))

    assert [problem.kind for problem in found.problems] == [ProblemKind.CONFLICT]
    message = found.problems[0].message
    assert all(part in message for part in ("`A->T`", "`1`", "`2`", '"gold"', '"tin"', "`tier`"))
