"""Makes `.dev/orderloom/<room>` links, so that type checkers and editors find `orderloom.<room>`."""

from pathlib import Path

ROOMS = ("connectors", "designs", "dsl", "engine", "grammar", "models", "runtime")


def main() -> None:
    root = Path(__file__).resolve().parent.parent
    package = root / ".dev" / "orderloom"
    package.mkdir(parents=True, exist_ok=True)
    for room in ROOMS:
        link = package / room
        if not link.is_symlink():
            link.symlink_to(Path("..") / ".." / room, target_is_directory=True)


if __name__ == "__main__":
    main()
