"""What a system administrator does with the host: bundles, connectors taken offline, events that were set aside."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

from orderloom.models.design import Design
from orderloom.runtime.clock import Clock
from orderloom.runtime.deployment import Library, check_files, check_folder
from orderloom.runtime.errors import BundleRefused, UnknownConnector, UnknownSetAside, VersionTaken
from orderloom.runtime.hosting import Host
from orderloom.runtime.store.errors import Conflict, NotFound
from orderloom.runtime.store.interface import Store
from orderloom.runtime.store.views import BundleView, PoisonedView
from orderloom.runtime.views import ConnectorView, Deployed


class Administration:
    """The part of `Runtime` that is for administrators."""

    _store: Store
    _library: Library
    _host: Host
    _clock: Clock

    async def deploy(self, bundle: str | Path | Mapping[str, str]) -> Deployed:
        """Checks a bundle (its folder, or its files, path -> text) and makes it what new orders run on.

        Deploying the same content again changes nothing. Raises BundleRefused with the diagnostics, VersionTaken where
        the version is there with other content.
        """
        if isinstance(bundle, Mapping):
            checked = await asyncio.to_thread(check_files, bundle)
        else:
            checked = await asyncio.to_thread(check_folder, bundle)
        design = checked.design
        if design is None:
            raise BundleRefused(checked.name or str(bundle)[:200], checked.diagnostics, checked.files)
        known = {each.digest: each for each in self._store.bundles()}
        files = {path: text.encode() for path, text in checked.files.items()}
        try:
            self._store.deploy(design.name, design.version, design.digest, files, self._clock.now())
        except Conflict:
            taken = next(e.digest for e in known.values() if (e.name, e.version) == (design.name, design.version))
            raise VersionTaken(
                name=design.name, version=design.version, deployed=taken[:12], digest=design.digest[:12]
            ) from None
        self._library.keep(design)
        fresh = design.digest not in known
        return Deployed(name=design.name, version=design.version, digest=design.digest, fresh=fresh)

    async def bundles(self) -> list[BundleView]:
        """All deployed versions, latest deployment first."""
        return self._store.bundles()

    async def design(self, digest: str) -> Design:
        """The design of a deployed bundle."""
        return await asyncio.to_thread(self._library.design, digest)

    async def bundle_files(self, digest: str) -> dict[str, str]:
        """The files of a deployed bundle, path -> text."""
        return await asyncio.to_thread(self._library.files, digest)

    async def connectors(self) -> list[ConnectorView]:
        """The external systems of the active bundles, by name, and which are held."""
        held = self._store.held_connectors()
        found: dict[str, ConnectorView] = {}
        for bundle in self._store.active_bundles():
            design = await self.design(bundle.digest)
            for name, definition in design.connectors.items():
                before = found[name].bundles if name in found else ()
                found[name] = ConnectorView(
                    name=name,
                    title=definition.title,
                    kind=definition.kind,
                    held=name in held,
                    reason=held.get(name, ""),
                    bundles=(*before, bundle.name),
                )
        return [found[name] for name in sorted(found)]

    async def hold_connector(self, name: str, reason: str = "") -> None:
        """Takes an external system offline: calls to it wait, and none fails. Raises UnknownConnector."""
        if name not in {each.name for each in await self.connectors()}:
            raise UnknownConnector(connector=name)
        self._store.hold_connector(name, reason)
        self._host.wake()

    async def release_connector(self, name: str) -> None:
        """Sends the calls that waited. Raises UnknownConnector where it is not held."""
        if name not in self._store.held_connectors():
            raise UnknownConnector(connector=name)
        self._store.release_connector(name)
        self._host.wake()

    async def set_aside(self) -> list[PoisonedView]:
        """Events on which the core failed, oldest first; their orders go on without them."""
        return self._store.poisoned()

    async def retry_set_aside(self, number: int) -> None:
        """Puts such an event into the inbox again. Raises UnknownSetAside."""
        try:
            self._store.retry_poisoned(number, self._clock.now())
        except (NotFound, OverflowError):
            raise UnknownSetAside(event=number) from None
        self._host.wake()
