"""The designs that ship compile without a finding."""

from __future__ import annotations

from pathlib import Path

import pytest

from orderloom.dsl.bundle import read_folder
from orderloom.dsl.compiler import compile_bundle

DESIGNS = Path(__file__).parents[3] / "designs"


@pytest.mark.parametrize("name", sorted(path.parent.name for path in DESIGNS.glob("*/bundle.yaml")))
def test_design_compiles(name: str) -> None:
    read = read_folder(DESIGNS / name)
    assert read.sources is not None, read.diagnostics
    result = compile_bundle(read.sources)
    assert result.diagnostics == ()
    assert result.design is not None
