"""Same design, order and events in, same bytes out, whatever the hash seed of the interpreter."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

SCENARIO = """
from dataclasses import replace
from hashlib import sha256
from conftest import Kit as kit
from orderloom.engine.simulation import Reply, Script, simulate
from orderloom.models.callout import Outcome
from orderloom.models.catalog import Action
from orderloom.models.expression import Root
from orderloom.models.order import OrderItem
from orderloom.models.tasks import Reach

names = [f"P.t{n}" for n in range(8)]
tasks = [
    kit.task("call", name, sets=(kit.sets(name[2:], kit.read("ref", Root.RESPONSE)),), retry=kit.retry("fixed", 1, 9))
    for name in names
]
tasks.append(kit.task("call", "P.once", once=Reach.ORDER, after=names))
tasks.append(kit.task("wait", "P.all", until=kit.present("t7"), after=("P.once",)))
spec = kit.spec("S", *(kit.attribute(name[2:]) for name in names))
program = kit.program([spec], [kit.plan("P", "S", *tasks)])
items = tuple(OrderItem(id=str(n), action=Action.ADD, spec="S") for n in range(5))
script = Script(replies={"sys.do": (Reply(outcome=Outcome.RETRIABLE), Reply(outputs={"ref": "r"}))})
result = simulate(program, replace(kit.order(), items=items), script=script)
print(result.state.status, sha256(repr((result.state, result.journal, result.commands)).encode()).hexdigest())
"""


def test_the_hash_seed_does_not_matter() -> None:
    kit = str(Path(__file__).parents[1])
    found = set()
    for seed in ("0", "1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": kit}
        run = [sys.executable, "-c", SCENARIO]
        found.add(subprocess.run(run, env=environment, capture_output=True, text=True, check=True).stdout)
    assert len(found) == 1
    assert found.pop().startswith("completed ")
