"""Runs all benchmarks and prints one table: `python -m tests.benchmarks [--quick] [NAME …]`.

Each module beside this one with a function `run(quick)` is a benchmark; it gives rows (name, measured, target, note).
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import platform
from pathlib import Path

from rich.console import Console
from rich.table import Table

HERE = Path(__file__).resolve().parent
#: rows of (name, measured, target, note)
Rows = list[tuple[str, str, str, str]]


def main() -> None:
    parser = argparse.ArgumentParser(description="run the benchmarks")
    parser.add_argument("names", nargs="*", help="which ones; all if none is named")
    parser.add_argument("--quick", action="store_true", help="small sizes, to see that they run")
    chosen = parser.parse_args()

    console = Console()
    table = Table(title=f"Python {platform.python_version()}, {os.cpu_count()} cores")
    for column in ("benchmark", "measured", "target", "note"):
        table.add_column(column)
    modules = sorted(path for path in HERE.glob("*.py") if not path.stem.startswith("_"))
    for path in modules:
        if chosen.names and path.stem not in chosen.names:
            continue
        rows = run_module(path, quick=chosen.quick)
        for row in rows:
            table.add_row(*row)
        if rows:
            table.add_section()
            console.print(f"[dim]{path.stem}: done[/dim]")
    console.print(table)


def run_module(path: Path, *, quick: bool) -> Rows:
    """Loads one module by its path and runs its `run`, if it has one."""
    spec = importlib.util.spec_from_file_location(f"orderloom_benchmark_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    run = getattr(module, "run", None)
    return list(run(quick)) if run else []


if __name__ == "__main__":
    main()
