"""The sample orders of a design, one after the other on a virtual clock, as one story.

The simulated systems of `simulator.yaml` answer through the design's own templates, so that every request is rendered
and every answer read. What an order leaves in inventory, the next order of the account finds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from orderloom.connectors.simulator.script import Script as SystemsScript
from orderloom.connectors.simulator.simulation import Simulation
from orderloom.connectors.templates.body import parse_body
from orderloom.connectors.templates.classification import not_reached
from orderloom.connectors.templates.operation import OperationTemplates
from orderloom.connectors.templates.request import Request
from orderloom.engine.decomposition import decompose
from orderloom.engine.program import Program, compile_design
from orderloom.engine.simulation import Reply, Script, SimulationResult, simulate
from orderloom.models.callout import Answer
from orderloom.models.design import Design
from orderloom.models.fulfillment import Decomposition
from orderloom.models.inventory import Asset, Inventory
from orderloom.models.journal import SendCallout
from orderloom.models.order import ProductOrder
from orderloom.runtime import tmf622
from orderloom.runtime.deployment import Checked, check_folder

DESIGNS = Path(__file__).parents[2] / "designs"
NAMES = ("fiber", "mobile")
START = datetime(2026, 11, 23, 8, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chapter:
    """One order: what it met and what became of it."""

    #: of the file, without its ending
    name: str
    order: ProductOrder
    #: what the account had before
    before: Inventory
    decomposition: Decomposition
    result: SimulationResult
    #: requests by operation, in the order of the calls
    requests: Mapping[str, tuple[Request, ...]]


class Systems:
    """The simulated systems of a design, between its callouts and the virtual clock."""

    def __init__(self, design: Design, script: str) -> None:
        self._templates = {
            name: OperationTemplates(operation, design.enums) for name, operation in design.operations.items()
        }
        self._operations = design.operations
        self._simulation = Simulation(SystemsScript.parse(script), self._templates, design.enums)
        self.requests: dict[str, list[Request]] = {}

    def answer(self, command: SendCallout, _number: int) -> Reply:
        callout = command.callout
        templates = self._templates[callout.operation]
        request = templates.request(callout)
        self.requests.setdefault(callout.operation, []).append(request)
        reply = self._simulation.reply(callout.operation, callout.key, _parsed(request), request.path)
        latency = timedelta(seconds=reply.latency)
        if reply.fault:
            lost = not_reached(self._operations[callout.operation].retry_on, "the connection was lost")
            return _reply(lost, latency)
        answered = _reply(templates.reader.read(reply.status, reply.headers, reply.body), latency)
        if reply.callback is None:
            return answered
        message = reply.callback
        assert isinstance(message.body, Mapping)
        correlation, result = templates.read_callback(message.body, message.headers)
        assert correlation, f"the message of {callout.operation} does not say which call it belongs to"
        return replace(answered, callback=_reply(result, timedelta(seconds=message.after)))


def _reply(answer: Answer, latency: timedelta) -> Reply:
    return Reply(
        outcome=answer.outcome,
        outputs=answer.outputs,
        code=answer.code,
        message=answer.message,
        retry_after=answer.retry_after,
        latency=latency,
    )


def _parsed(request: Request) -> object:
    content_type = next((value for name, value in request.headers if name.lower() == "content-type"), "")
    return parse_body(request.body, content_type) if request.body else None


@cache
def checked(name: str) -> Checked:
    """The bundle with everything the check has to say of it."""
    return check_folder(DESIGNS / name)


@cache
def program(name: str) -> Program:
    design = checked(name).design
    assert design is not None, [f"{each.span}: {each.message}" for each in checked(name).diagnostics]
    return compile_design(design)


def systems(name: str, script: str | None = None) -> Systems:
    """The systems as `simulator.yaml` has them, or by another script."""
    text = (DESIGNS / name / "simulator.yaml").read_text() if script is None else script
    return Systems(program(name).design, text)


def read_order(name: str, file: Path, held: Mapping[str, Asset] | None = None) -> ProductOrder:
    document = tmf622.parse(file.read_bytes())
    return tmf622.to_order(
        tmf622.read(document),
        id=str(document["id"]),
        order_date=START,
        specs=program(name).specs,
        products={asset.id: asset.spec for asset in (held or {}).values()},
    )


def play(
    name: str, order: ProductOrder, before: Inventory, script: Callable[[Systems], Script], world: Systems | None = None
) -> tuple[SimulationResult, Systems]:
    """Runs one order; `script` makes what people and events do beside the systems."""
    answering = world or systems(name)
    return simulate(program(name), order, before, script(answering), start=START), answering


def a_good_day(world: Systems) -> Script:
    """Systems as in `simulator.yaml`; people do their work within the hour, and events come."""
    return Script(answer=world.answer)


@cache
def story(name: str) -> Mapping[str, Chapter]:
    """All sample orders in the order of their ids, by the names of their files."""
    files = sorted((DESIGNS / name / "orders").glob("*.json"), key=lambda file: str(read_order(name, file).id))
    world = systems(name)
    held: dict[str, Asset] = {}
    chapters: dict[str, Chapter] = {}
    for file in files:
        order = read_order(name, file, held)
        before = Inventory(assets={id: asset for id, asset in held.items() if asset.account == order.account.id})
        world.requests.clear()
        decomposition = decompose(program(name), order, before)
        result, _ = play(name, order, before, a_good_day, world)
        held = {id: asset for id, asset in held.items() if asset.account != order.account.id}
        held |= result.inventory.assets
        requests = {operation: tuple(made) for operation, made in world.requests.items()}
        chapters[file.stem] = Chapter(
            name=file.stem,
            order=order,
            before=before,
            decomposition=decomposition,
            result=result,
            requests=requests,
        )
    return chapters
