"""Which statements each kind of task takes, and which it needs."""

from __future__ import annotations

from collections.abc import Mapping

from orderloom.dsl import tree
from orderloom.dsl.context import Context
from orderloom.dsl.wording import one_of
from orderloom.models.tasks import TaskKind

#: in every task
COMMON = frozenset(
    {
        tree.When,
        tree.AfterStatement,
        tree.OncePer,
        tree.NoReturnStatement,
        tree.DurationStatement,
        tree.StartLateStatement,
        tree.VisibleStatement,
        tree.UndoOperationStatement,
        tree.UndoPlanStatement,
        tree.AmendPlanStatement,
    }
)

ALLOWED: Mapping[TaskKind, frozenset[type]] = {
    TaskKind.CALL: COMMON
    | {
        tree.OperationStatement,
        tree.SetStatement,
        tree.RetryStatement,
        tree.ErrorStatement,
        tree.FalloutStatement,
        tree.CancelStatement,
    },
    TaskKind.MANUAL: COMMON | {tree.QueueStatement, tree.DueStatement, tree.CollectStatement, tree.SetStatement},
    TaskKind.AUTO: COMMON | {tree.SetStatement},
    TaskKind.WAIT: COMMON | {tree.EventStatement, tree.UntilStatement, tree.WithinStatement, tree.SetStatement},
    TaskKind.MILESTONE: COMMON,
    TaskKind.PAUSE: COMMON | {tree.PauseForStatement, tree.UntilStatement},
    TaskKind.SUBPLAN: COMMON | {tree.PlanStatement},
}

#: of each group exactly one
NEEDED: Mapping[TaskKind, tuple[type, ...]] = {
    TaskKind.CALL: (tree.OperationStatement,),
    TaskKind.MANUAL: (tree.QueueStatement,),
    TaskKind.AUTO: (tree.SetStatement,),
    TaskKind.WAIT: (tree.EventStatement, tree.UntilStatement),
    TaskKind.MILESTONE: (),
    TaskKind.PAUSE: (tree.PauseForStatement, tree.UntilStatement),
    TaskKind.SUBPLAN: (tree.PlanStatement,),
}

#: may stand more than once
REPEATED = frozenset({tree.AfterStatement, tree.SetStatement, tree.ErrorStatement, tree.CollectStatement})

WORDS: Mapping[type, str] = {
    tree.When: "when",
    tree.AfterStatement: "after",
    tree.OncePer: "once per",
    tree.NoReturnStatement: "no return",
    tree.DurationStatement: "duration",
    tree.StartLateStatement: "start as late as possible",
    tree.VisibleStatement: "visible",
    tree.CancelStatement: "cancel",
    tree.UndoOperationStatement: "undo",
    tree.UndoPlanStatement: "undo with",
    tree.AmendPlanStatement: "amend with",
    tree.OperationStatement: "operation",
    tree.SetStatement: "set",
    tree.RetryStatement: "retry",
    tree.ErrorStatement: "on error",
    tree.FalloutStatement: "fallout",
    tree.QueueStatement: "queue",
    tree.DueStatement: "due",
    tree.CollectStatement: "collect",
    tree.EventStatement: "for event",
    tree.UntilStatement: "until",
    tree.WithinStatement: "within",
    tree.PauseForStatement: "for",
    tree.PlanStatement: "plan",
}


def check_clauses(context: Context, node: tree.TaskDeclaration) -> None:
    """Reports statements that the task's kind does not take, and those that it lacks."""
    for statement in node.statements:
        kind = type(statement)
        if kind not in ALLOWED[node.kind]:
            takers = one_of([f"`{each}`" for each, allowed in ALLOWED.items() if kind in allowed])
            context.findings.error(
                "LM4001",
                f"`{WORDS[kind]}` does not belong into a `{node.kind}` task",
                statement.span,
                help=f"it belongs into {takers}",
            )
    needed = NEEDED[node.kind]
    given = [statement for statement in node.statements if isinstance(statement, needed)]
    words = one_of([f"`{WORDS[kind]}`" for kind in needed]) if needed else ""
    if needed and not given:
        context.findings.error(
            "LM4002", f"the `{node.kind}` task `{node.name.text}` has no {words}", node.name.span, help=f"add {words}"
        )
    if len(needed) > 1 and len({type(each) for each in given}) > 1:
        context.findings.error(
            "LM4003", f"a `{node.kind}` task has either {words}", given[1].span, help="keep one of them"
        )
