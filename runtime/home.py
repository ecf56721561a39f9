"""The folder in which the embedded store lives."""

from __future__ import annotations

import os
from pathlib import Path

from orderloom.runtime.errors import Unreadable

DATABASE = "orderloom.db"


def default_home() -> Path:
    """`ORDERLOOM_HOME`, else `~/.orderloom`."""
    return Path(os.environ.get("ORDERLOOM_HOME") or Path.home() / ".orderloom")


def open_home(home: str | Path | None = None) -> Path:
    """The home, made for its owner alone where it does not exist."""
    folder = Path(home).expanduser() if home else default_home()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise Unreadable(path=folder, why=(error.strerror or str(error)).lower()) from error
    return folder.absolute()


def database_url(home: Path) -> str:
    """Where a home keeps its database, as SQLAlchemy writes it."""
    return f"sqlite:///{home / DATABASE}"
