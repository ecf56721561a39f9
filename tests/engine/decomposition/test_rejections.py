"""`reject` rules refuse an order in the designer's words."""

from __future__ import annotations

from orderloom.engine.decomposition import decompose
from orderloom.models.expression import Binary, BinaryOperator
from orderloom.models.fulfillment import ProblemKind
from orderloom.models.rules import Rejection
from orderloom.models.values import BOOLEAN, INTEGER
from tests.engine.building import attribute, formula, item, lit, order, program, ref, spec

TOO_SLOW = Binary(BinaryOperator.LESS, ref("speed", INTEGER), lit(500, INTEGER), BOOLEAN)
PROGRAM = program(
    [
        spec("Line", "product", attribute("speed", INTEGER)),
        spec("FastLine", "product", attribute("speed", INTEGER), lineage=("Line",)),
    ],
    rejections=[Rejection(id="r", message="Too slow for this", spec="Line", when=formula(TOO_SLOW))],
)


def test_each_line_that_is_refused_is_told() -> None:
    found = decompose(
        PROGRAM, order(item("1", "Line", speed=100), item("2", "Line", speed=500), item("3", "FastLine", speed=1))
    )

    assert [(problem.kind, problem.line, problem.message) for problem in found.problems] == [
        (ProblemKind.REJECTED, "1", "Too slow for this"),
        (ProblemKind.REJECTED, "3", "Too slow for this"),
    ]


def test_an_unknown_condition_does_not_reject() -> None:
    assert not decompose(PROGRAM, order(item("1", "Line"))).problems
