"""A store with one deployed bundle."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from orderloom.runtime.store.sqlite import SqliteStore, open_store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    opened = open_store(f"sqlite:///{tmp_path / 'orders.db'}")
    sources = {"bundle.yaml": b"name: test", "a/b.loom": b"\x00\xff"}
    opened.deploy("test", "1.0.0", "d" * 64, sources, datetime(2026, 3, 1, 12, tzinfo=UTC))
    yield opened
    opened.close()
