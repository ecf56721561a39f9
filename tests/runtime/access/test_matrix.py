"""Every operation of the host names a permission, and every role may do exactly what the matrix beside this says."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Iterator
from pathlib import Path

import pytest

from orderloom.runtime import Runtime
from orderloom.runtime.access.guarding import needed
from orderloom.runtime.access.permissions import ROLES, Permission
from orderloom.runtime.access.principals import Principal
from orderloom.runtime.errors import Forbidden

MATRIX = Path(__file__).parent / "matrix.txt"
#: about the host itself; `acting_as` is for the program that owns the store
FREE = {"open", "close", "acting_as"}


def operations() -> dict[str, Permission | None]:
    return {
        name: needed(method)
        for name, method in inspect.getmembers(Runtime, inspect.iscoroutinefunction)
        if not name.startswith("_") and name not in FREE
    }


def matrix() -> Iterator[str]:
    yield f"{'operation':<26}{'permission':<24}" + "".join(f"{name:<18}" for name in ROLES).rstrip()
    for name, permission in sorted(operations().items()):
        assert permission is not None, f"`{name}` names no permission"
        marks = "".join(f"{'yes' if permission in role.permissions else '-':<18}" for role in ROLES.values())
        yield f"{name:<26}{permission:<24}{marks}".rstrip()


def test_every_operation_names_its_permission() -> None:
    assert [name for name, permission in operations().items() if permission is None] == []


def test_every_permission_is_needed_somewhere() -> None:
    found = set(operations().values()) | {Permission.ORDERS_FORCE, Permission.WORK_ASSIGN, Permission.FALLOUT_VIEW}
    assert set(Permission) - found == set()


def test_the_matrix_is_as_written(update_golden: bool) -> None:
    text = "\n".join(matrix()) + "\n"
    if update_golden:
        MATRIX.write_text(text)
    assert text == MATRIX.read_text(), "run pytest with --update-golden, and look at what roles have won or lost"


@pytest.mark.parametrize("role", ROLES)
def test_each_role_is_refused_what_it_may_not_do_and_nothing_else(role: str, tmp_path: Path) -> None:
    """An operation called without arguments is refused before they are missed, or they are missed."""

    async def run() -> None:
        async with await Runtime.open(tmp_path) as runtime:
            someone = runtime.bound(Principal(name="someone", permissions=ROLES[role].permissions))
            for name, permission in operations().items():
                if name == "run_forever":
                    continue
                try:
                    await getattr(someone, name)(*["no-such-thing"] * 9)
                except Forbidden as error:
                    assert permission not in ROLES[role].permissions, (name, str(error))
                    assert error.found["permission"] == permission
                except TypeError:
                    # nine arguments are too many for every operation
                    assert permission in ROLES[role].permissions, name
                else:
                    raise AssertionError(name)
            denied = [view.deed for view in await runtime.audit(denied=True, limit=1000)]
            refused = {name for name, needs in operations().items() if needs not in ROLES[role].permissions}
            assert {deed.what for deed in denied} == refused - {"run_forever"}
            assert all(deed.who == "someone" and deed.denied for deed in denied)

    asyncio.run(run())
