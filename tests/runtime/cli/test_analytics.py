"""`orderloom analytics`: tables, JSON, CSV, Parquet."""

from __future__ import annotations

import csv
import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from orderloom.runtime.cli.analytics import sparkline
from tests.runtime.cli.conftest import Shell


@pytest.fixture
def lived(shell: Shell, packed: Callable[..., str]) -> Shell:
    """An order that is on its way, and one that fell out and was skipped past it."""
    packed("first")
    order = packed("second", weight=30, account="A-2")
    (item,) = shell.json("fallout", "list", "--order", order)
    shell("fallout", "skip", str(item["id"]), "--by", "bo")
    shell("run", "--until-idle")
    return shell


def rows(found: Any, key: str) -> dict[str, Any]:
    return {row[key]: row for row in found["rows"]}


def test_reports_tell_what_happened(lived: Shell) -> None:
    summary = lived.json("analytics", "summary", "--last", "3")
    assert rows(summary, "measure")["orders submitted"]["now"] == 2
    assert (summary["period"], summary["zone"], summary["uncounted"]) == ("day", "UTC", 0)
    cycle = rows(lived.json("analytics", "cycle"), "name")
    assert (cycle["Ship.pack"]["count"], cycle["Ship.pack"]["of"]) == (2, "step")
    assert cycle["Ship.pack"]["p50"] <= cycle["Ship.pack"]["p99"]
    queues = rows(lived.json("analytics", "queues"), "queue")
    assert (queues["packers"]["open"], queues["packers"]["done"], queues["trouble"]["done"]) == (0, 2, 1)
    fallout = lived.json("analytics", "fallout", "--product", "Box")
    assert [(row["cause"], row["step"], row["count"]) for row in fallout["rows"]] == [("NO_ROOM", "Ship.send", 1)]
    assert lived.json("analytics", "fallout", "--product", "Crate")["rows"] == []
    sla = rows(lived.json("analytics", "sla", "--period", "hour", "--last", "48"), "queue")
    assert (sla["packers"]["in time"], sla["packers"]["compliance"]) == (2, 1.0)
    rework = rows(lived.json("analytics", "rework"), "what")
    assert rework["tasks skipped by people"]["count"] == 1
    throughput = lived.json("analytics", "throughput", "--period", "month", "--last", "2")
    assert [row["submitted"] for row in throughput["rows"]] == [0, 2]


def test_tables_show_shares_and_spans(lived: Shell) -> None:
    shown = lived("analytics", "sla").stdout
    assert "100.0%" in shown
    assert "work in time: 100.0% (before: –)" in shown
    assert "NO_ROOM" in lived("analytics", "fallout").stdout
    assert "MEASURE" in lived("analytics", "summary").stdout
    lived("analytics", "rebuild", "--reason", "to see")
    assert "NO_ROOM" in lived("analytics", "fallout").stdout


def test_reports_are_written_as_csv_and_parquet(lived: Shell, tmp_path: Path) -> None:
    path = tmp_path / "cycle.csv"
    lived("analytics", "cycle", "--csv", str(path))
    with path.open() as file:
        found = list(csv.DictReader(file))
    step = next(row for row in found if row["name"] == "Ship.pack")
    spans = [f"{each}_seconds" for each in ("mean", "p50", "p90", "p99", "p90_before")]
    assert list(step) == ["of", "name", "count", *spans, "change"]
    assert float(step["p50_seconds"]) > 0
    parquet = importlib.import_module("pyarrow.parquet")
    path = tmp_path / "cycle.parquet"
    lived("analytics", "cycle", "--parquet", str(path))
    table = parquet.read_table(path).to_pylist()
    assert {row["name"]: row["count"] for row in table} == {row["name"]: int(row["count"]) for row in found}
    lived("analytics", "fallout", "--product", "Crate", "--parquet", str(path))
    assert parquet.read_table(path).num_rows == 0


def test_a_missing_package_is_named(lived: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    result = lived("analytics", "cycle", "--parquet", str(tmp_path / "x.parquet"), exit=1)
    assert "`pip install orderloom[parquet]` brings it" in result.stderr


def test_what_there_is_not_is_told(shell: Shell) -> None:
    shell("deploy", shell.bundle)
    assert "no such period or time zone" in shell("analytics", "cycle", "--zone", "Mars/Base", exit=1).stderr
    assert "nothing happened" in shell("analytics", "cycle").stderr


def test_sparklines() -> None:
    assert sparkline((0, 1, None, 4, 8)) == "▁▁ ▄█"
    assert sparkline((None, 0)) == " ▁"
