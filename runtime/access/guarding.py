"""Marks what each operation of the host's face needs, and checks it before anything else happens."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Coroutine
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from orderloom.runtime.access.permissions import Permission

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


class Guarded(Protocol):
    """What has operations."""

    def demand(self, permission: Permission, operation: str, subject: str = "", order: str = "") -> None:
        """Raises Forbidden; says what it was about."""


Acting = TypeVar("Acting", bound=Guarded)

#: first arguments of operations that name an order, or anything else that they are about
_ORDER = frozenset({"id", "order"})
_ABOUT = _ORDER | {"item", "name", "number", "operation", "event", "channel", "definition", "digest"}

#: attribute of a marked method
NEEDS = "__needs__"


def needs(
    permission: Permission,
) -> Callable[
    [Callable[Concatenate[Acting, Parameters], Coroutine[Any, Any, Result]]],
    Callable[Concatenate[Acting, Parameters], Coroutine[Any, Any, Result]],
]:
    """The method may be called by principals that have this permission; for others it raises Forbidden."""

    def mark(
        method: Callable[Concatenate[Acting, Parameters], Coroutine[Any, Any, Result]],
    ) -> Callable[Concatenate[Acting, Parameters], Coroutine[Any, Any, Result]]:
        first = next(iter([*inspect.signature(method).parameters][1:]), "")

        @functools.wraps(method)
        async def checked(face: Acting, /, *args: Parameters.args, **named: Parameters.kwargs) -> Result:
            given = args[0] if args else named.get(first)
            about = str(given) if first in _ABOUT and isinstance(given, str | int) else ""
            face.demand(permission, method.__name__, about, about if first in _ORDER else "")
            return await method(face, *args, **named)

        setattr(checked, NEEDS, permission)
        return checked

    return mark


def needed(method: object) -> Permission | None:
    """The permission that a method is marked with."""
    found = getattr(method, NEEDS, None)
    return found if isinstance(found, Permission) else None
