"""The same design, order and inventory give the same bytes, whatever the seed of Python's hashes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
SCRIPT = """
from orderloom.engine.decomposition import decompose
from orderloom.models.catalog import Action
from orderloom.models.inventory import EMPTY
from tests.engine.building import carried_out, item, order
from tests.engine.decomposition.test_fiber import NEW, PROGRAM

def written(line):
    return {name: sorted(value) if isinstance(value, frozenset) else value
            for name in line.__slots__ for value in [getattr(line, name)]}

first = order(*NEW, id="O1")
inventory = carried_out(first, decompose(PROGRAM, first), EMPTY)
again = order(*NEW, item("9", "FiberInternet", Action.DELETE, product="O1:1"), id="O2")
wrong = order(item("1", "FibreInternet", x=1, y=2), item("2", "FiberInternet", b=1, a=2))
for each in (first, again, wrong):
    found = decompose(PROGRAM, each, inventory if each is again else EMPTY)
    print([written(line) for line in found.lines.values()], found.problems)
"""


def test_bytes_do_not_depend_on_the_hash_seed() -> None:
    outputs = set()
    for seed in ("0", "1", "4242"):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)}
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT], env=environment, cwd=ROOT, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        outputs.add(done.stdout)

    assert len(outputs) == 1
    assert "InternetAccess@bundle:O2:1" in next(iter(outputs))
