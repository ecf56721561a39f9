"""Processes that are killed. Each is forked from one that has everything imported, so that it costs no start-up."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
import time
import traceback
from collections.abc import Callable, Coroutine
from typing import Any

#: what a process does as long as it lives
Life = Callable[[], Coroutine[Any, Any, None]]


def begun(life: Life) -> int:
    """A new process that lives this life and then ends, with 0 if nothing went wrong; its id."""
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        asyncio.run(life())
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


def lived(life: Life) -> int:
    """Lets a process live until it ends by itself; its exit code."""
    return os.waitstatus_to_exitcode(os.waitpid(begun(life), 0)[1])


def killed(life: Life, number: int, chance: random.Random, shortest: float, longest: float) -> None:
    """Kills a process after a random time, in seconds; ends this one where that one ended by itself."""
    pid = begun(life)
    time.sleep(chance.uniform(shortest, longest))
    os.kill(pid, signal.SIGKILL)
    if not os.WIFSIGNALED(os.waitpid(pid, 0)[1]):
        sys.exit(f"life {number} ended by itself")
