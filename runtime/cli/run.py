"""`orderloom run`: the worker."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator, Coroutine

import click

from orderloom.runtime.acceleration import AcceleratedClock
from orderloom.runtime.access.permissions import Permission
from orderloom.runtime.cli import screen
from orderloom.runtime.cli.options import Place, place, store_options
from orderloom.runtime.cli.stores import person
from orderloom.runtime.clock import Clock, SystemClock
from orderloom.runtime.errors import NothingDeployed, UnknownBundle
from orderloom.runtime.home import database_url, open_home
from orderloom.runtime.runtime import Runtime
from orderloom.runtime.simulated import SCRIPT, SimulatedSystems


@click.command(name="run")
@click.option(
    "--until-idle", is_flag=True, help="End when nothing is left but to wait for people, messages, later times."
)
@click.option("--simulated", metavar="BUNDLE", help="Start this deployed bundle's simulated systems, and use them.")
@click.option("--speed", type=click.FloatRange(1), default=1, metavar="N", help="Let the clock run N times as fast.")
@store_options
@click.pass_context
def command(ctx: click.Context, until_idle: bool, simulated: str | None, speed: float) -> None:
    """Run the worker: advance orders, call systems, keep time. Ctrl-C lets what is under way end, then stops."""
    asyncio.run(_run(place(ctx), until_idle, simulated, speed))


async def _run(where: Place, until_idle: bool, simulated: str | None, speed: float) -> None:
    clock: Clock = AcceleratedClock(speed) if speed > 1 else SystemClock()
    if speed > 1:
        screen.remark(f"the clock runs {speed:g} times as fast as the time of day")
    async with _runtime(where, clock, simulated) as (runtime, systems):
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for each in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(each, stop.set)
        screen.remark("the worker runs on", where.database_url or database_url(open_home(where.home)))
        if until_idle:
            await _until(_rest(runtime, systems), stop)
        else:
            screen.remark("Ctrl-C stops it")
            await runtime.run_forever(stop)
        screen.remark("the worker has ended")


async def _rest(runtime: Runtime, systems: SimulatedSystems | None) -> None:
    """Works until nothing is left to do, also for simulated systems that still have something to say."""
    while True:
        await runtime.run_until_idle(within=365 * 86400)
        if systems is None or not await systems.deliver_pending():
            return


async def _until(idle: Coroutine[None, None, None], stop: asyncio.Event) -> None:
    """Waits for the one or the other."""
    running = asyncio.ensure_future(idle)
    stopping = asyncio.ensure_future(stop.wait())
    await asyncio.wait((running, stopping), return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if not running.done():
        running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running


@contextlib.asynccontextmanager
async def _runtime(
    where: Place, clock: Clock, simulated: str | None
) -> AsyncIterator[tuple[Runtime, SimulatedSystems | None]]:
    """The host; with the simulated systems of a bundle around it where asked for."""
    if simulated is None:
        async with await _opened(where, clock, None) as runtime:
            yield runtime, None
        return
    async with await _opened(where, clock, None) as runtime:
        systems = await simulated_systems(runtime, simulated)
    await systems.start()
    try:
        async with await _opened(where, clock, {**os.environ, **systems.environ}) as runtime:

            async def receive(operation: str, message: bytes, headers: object) -> None:
                await runtime.callback(operation, message)

            systems.deliver_to(receive)
            screen.remark(f"the systems of {simulated} are simulated, on loopback")
            yield runtime, systems
    finally:
        await systems.close()


async def _opened(where: Place, clock: Clock, environ: dict[str, str] | None) -> Runtime:
    """The host as the program itself; who starts it must be allowed to. Raises Forbidden, UnknownUser."""
    runtime = await Runtime.open(
        where.home, database_url=where.database_url, environment=where.environment, clock=clock, environ=environ
    )
    try:
        if runtime.has_users():
            (await runtime.acting_as(person())).demand(Permission.WORKER_CONTROL, "run")
    except BaseException:
        await runtime.close()
        raise
    return runtime


async def simulated_systems(runtime: Runtime, bundle: str) -> SimulatedSystems:
    """The systems of the active version of a bundle. Raises UnknownBundle, NothingDeployed, NotSimulated."""
    deployed = await runtime.bundles()
    if not deployed:
        raise NothingDeployed()
    active = next((each for each in deployed if each.name == bundle and each.active), None)
    if active is None:
        raise UnknownBundle(name=bundle)
    files = await runtime.bundle_files(active.digest)
    return SimulatedSystems(await runtime.design(active.digest), files.get(SCRIPT, ""))
