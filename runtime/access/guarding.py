"""Marks what each operation of the host's face needs, and checks it before anything else happens."""

from __future__ import annotations

import functools
from collections.abc import Callable, Coroutine
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from orderloom.runtime.access.permissions import Permission

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


class Guarded(Protocol):
    """What has operations."""

    def demand(self, permission: Permission, operation: str) -> None:
        """Raises Forbidden."""


Acting = TypeVar("Acting", bound=Guarded)

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
        @functools.wraps(method)
        async def checked(face: Acting, /, *args: Parameters.args, **named: Parameters.kwargs) -> Result:
            face.demand(permission, method.__name__)
            return await method(face, *args, **named)

        setattr(checked, NEEDS, permission)
        return checked

    return mark


def needed(method: object) -> Permission | None:
    """The permission that a method is marked with."""
    found = getattr(method, NEEDS, None)
    return found if isinstance(found, Permission) else None
