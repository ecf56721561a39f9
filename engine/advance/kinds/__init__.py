"""How a task of each kind starts. A new kind is one module and one line here."""

from collections.abc import Callable, Mapping

from orderloom.engine.advance.kinds.auto import start_auto
from orderloom.engine.advance.kinds.call import start_call
from orderloom.engine.advance.kinds.manual import start_manual
from orderloom.engine.advance.kinds.milestone import start_milestone
from orderloom.engine.advance.kinds.pause import start_pause
from orderloom.engine.advance.kinds.subplan import start_subplan
from orderloom.engine.advance.kinds.wait import start_wait
from orderloom.engine.advance.turn import Turn
from orderloom.models.plan import Task
from orderloom.models.tasks import TaskKind

#: each takes a task that is running, and takes it as far as it goes by itself
STARTERS: Mapping[TaskKind, Callable[[Turn, Task], None]] = {
    TaskKind.CALL: start_call,
    TaskKind.MANUAL: start_manual,
    TaskKind.AUTO: start_auto,
    TaskKind.WAIT: start_wait,
    TaskKind.MILESTONE: start_milestone,
    TaskKind.SUBPLAN: start_subplan,
    TaskKind.PAUSE: start_pause,
}

__all__ = ["STARTERS"]
