"""What a system administrator does with the host: bundles, events that were set aside."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

from orderloom.models.conversion import Json
from orderloom.models.design import Design
from orderloom.runtime.access.guarding import needs
from orderloom.runtime.access.permissions import Permission
from orderloom.runtime.deployment import check_files, check_folder
from orderloom.runtime.errors import BundleRefused, UnknownSetAside, VersionTaken
from orderloom.runtime.face import Face
from orderloom.runtime.store.errors import Conflict, NotFound
from orderloom.runtime.store.views import BundleView, PoisonedView
from orderloom.runtime.views import Deployed


class Administration(Face):
    """The part of `Runtime` that is for administrators."""

    @needs(Permission.BUNDLES_DEPLOY)
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
        former = next((each for each in known.values() if each.active and each.name == design.name), None)
        before: dict[str, Json] = {"version": former.version, "digest": former.digest} if former else {}
        after: dict[str, Json] = {"version": design.version, "digest": design.digest}
        deed = self._deed("deploy", "bundle", design.name, before=before, after=after)
        try:
            self._store.deploy(design.name, design.version, design.digest, files, self._clock.now(), deed)
        except Conflict:
            taken = next(e.digest for e in known.values() if (e.name, e.version) == (design.name, design.version))
            raise VersionTaken(
                name=design.name, version=design.version, deployed=taken[:12], digest=design.digest[:12]
            ) from None
        self._library.keep(design)
        fresh = design.digest not in known
        return Deployed(name=design.name, version=design.version, digest=design.digest, fresh=fresh)

    @needs(Permission.BUNDLES_VIEW)
    async def bundles(self) -> list[BundleView]:
        """All deployed versions, latest deployment first."""
        return self._store.bundles()

    @needs(Permission.PLANS_VIEW)
    async def design(self, digest: str) -> Design:
        """The design of a deployed bundle."""
        return await asyncio.to_thread(self._library.design, digest)

    @needs(Permission.BUNDLES_VIEW)
    async def bundle_files(self, digest: str) -> dict[str, str]:
        """The files of a deployed bundle, path -> text."""
        return await asyncio.to_thread(self._library.files, digest)

    @needs(Permission.WORKER_CONTROL)
    async def set_aside(self) -> list[PoisonedView]:
        """Events on which the core failed, oldest first; their orders go on without them."""
        return self._store.poisoned()

    @needs(Permission.WORKER_CONTROL)
    async def retry_set_aside(self, number: int) -> None:
        """Puts such an event into the inbox again. Raises UnknownSetAside."""
        try:
            deed = self._deed("retry_set_aside", "event", str(number))
            self._store.retry_poisoned(number, self._clock.now(), deed)
        except (NotFound, OverflowError):
            raise UnknownSetAside(event=number) from None
        self._host.wake()
