"""What happens in every scenario, and every word that is kept of it, is the same whatever the seed of Python's hashes:
a worker, a preview and a replay are processes of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = """
from hashlib import sha256
from pathlib import Path
from orderloom.engine.simulation import play
from orderloom.runtime.scenarios import read_scenario
from orderloom.runtime.store.event_codec import entries_bytes
from orderloom.runtime.store.order_codec import state_bytes

root = Path.cwd()
for file in sorted((*root.glob("tests/scenarios/*/*.yaml"), *root.glob("designs/*/tests/*.yaml"))):
    if file.parent.name == "designs":
        continue
    found = sha256()
    for result in play(read_scenario(file)).results:
        found.update(entries_bytes([each for _at, each in result.journal]) + state_bytes(result.state))
        found.update(repr([(each.predicted.lines, each.predicted.tasks) for each in result.changes]).encode())
    print(file.relative_to(root), found.hexdigest())
"""


def test_scenarios_do_not_depend_on_the_hash_seed() -> None:
    told = []
    for seed in ("1", "2", "3"):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)}
        done = subprocess.run(
            [sys.executable, "-P", "-c", SCRIPT], env=environment, cwd=ROOT, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        told.append(done.stdout.splitlines())

    assert len(told[0]) > 80
    assert not [lines[0].split()[0] for lines in zip(*told, strict=True) if len(set(lines)) > 1]
