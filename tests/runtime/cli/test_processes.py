"""The command line as a process: the demonstration, a worker with commands beside it, pipes and signals."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.runtime.cli.conftest import Shell


def orderloom(*arguments: str, home: Path, exit: int = 0) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, "ORDERLOOM_HOME": str(home), "NO_COLOR": "1"}
    result = subprocess.run(
        [sys.executable, "-m", "orderloom.runtime.cli", *arguments],
        env=environ,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert result.returncode == exit, f"{arguments}: {result.returncode}\n{result.stdout}\n{result.stderr}"
    assert "Traceback" not in result.stderr
    return result


@pytest.mark.parametrize("design", ["fiber", "mobile"])
def test_the_demonstration_ends_as_designed(tmp_path: Path, design: str) -> None:
    result = orderloom("demo", design, "--json", home=tmp_path / "home")
    found = json.loads(result.stdout)
    assert found["as_designed"]
    assert all(order["as_designed"] for order in found["orders"])
    statuses = [order["status"] for order in found["orders"]]
    assert statuses.count("completed") >= 7
    assert "rejected" in statuses
    # some system was unreliable, and every call went over HTTP
    assert sum(order["retries"] for order in found["orders"]) > 0
    assert found["calls"] > 50


def test_the_demonstration_leaves_work_to_the_user(tmp_path: Path) -> None:
    home = tmp_path / "home"
    shown = orderloom("demo", "--hold", home=home).stdout
    assert f"export ORDERLOOM_HOME={home}" in shown
    commands = [line.split()[1:] for line in shown.splitlines() if line.startswith("  orderloom ")]
    assert any(each[:2] == ["work", "complete"] for each in commands)
    for arguments in commands:
        orderloom(*arguments, home=home)
    (held,) = [each[-2] for each in commands if each[:2] == ["orders", "show"]]
    order = json.loads(orderloom("orders", "show", held, "--plan", "--json", home=home).stdout)
    assert order["order"]["status"] == "completed"


@pytest.fixture
def worker(shell: Shell) -> Iterator[subprocess.Popen[str]]:
    shell("deploy", shell.bundle)
    environ = {**os.environ, "ORDERLOOM_HOME": str(shell.home)}
    process = subprocess.Popen(
        [sys.executable, "-m", "orderloom.runtime.cli", "run"], env=environ, stderr=subprocess.PIPE, text=True
    )
    assert process.stderr
    assert "the worker runs on" in process.stderr.readline()
    yield process
    if process.poll() is None:
        process.kill()
    process.wait()
    process.stderr.close()


def eventually(shell: Shell, order: str, status: str) -> None:
    for _ in range(200):
        found = shell.json("orders", "list")
        if [each["status"] for each in found if each["id"] == order] == [status]:
            return
        time.sleep(0.05)
    raise AssertionError(f"{order} is not {status}: {found}")


def test_commands_work_beside_a_running_worker(shell: Shell, worker: subprocess.Popen[str]) -> None:
    order = shell.json("submit", shell.order("one"))["id"]
    eventually(shell, order, "pending")
    assert shell("orders", "hold", order).stdout == f"order {order} is held\n"
    said = shell("orders", "hold", order, exit=1).stderr
    assert "`hold` is not possible" in said
    shell("orders", "resume", order)
    (item,) = shell.json("work", "list")
    assert shell.json("work", "complete", str(item["id"]), "--set", "weight=3")["verdict"] == "applied"
    for _ in range(200):
        if shell.json("event", "parcel.seen", "--set", "tracking=T-1")["tasks"]:
            break
        time.sleep(0.05)
    eventually(shell, order, "completed")
    said = shell("run", exit=1).stderr
    assert "a worker runs on" in said
    assert str(worker.pid) in said
    worker.send_signal(signal.SIGINT)
    assert worker.wait(20) == 0
    assert worker.stderr and "the worker has ended" in worker.stderr.read()


def test_a_reader_that_goes_away_is_no_error(shell: Shell) -> None:
    order = shell.order("one")
    script = f"{sys.executable} -m orderloom.runtime.cli plan {shell.bundle} {order} --tree | head -1"
    result = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=60, check=False)
    assert "Traceback" not in result.stderr
    assert "BrokenPipe" not in result.stderr


def test_help_is_quick_to_load() -> None:
    code = "import sys, orderloom.runtime.cli as cli; print(*sorted(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    heavy = {"rich", "pydantic", "sqlalchemy", "aiohttp", "jinja2", "lark", "orjson", "yaml", "asyncio"}
    assert heavy.isdisjoint(loaded)


def test_completion_offers_the_commands(tmp_path: Path) -> None:
    for shell in ("bash", "zsh", "fish"):
        assert "_ORDERLOOM_COMPLETE" in orderloom("completion", shell, home=tmp_path).stdout
    environ = {**os.environ, "_ORDERLOOM_COMPLETE": "bash_complete", "COMP_WORDS": "orderloom ex", "COMP_CWORD": "1"}
    result = subprocess.run(
        [sys.executable, "-c", "from orderloom.runtime.cli import main; main()"],
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.stdout == "plain,explain\n"
