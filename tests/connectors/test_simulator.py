"""Simulated systems, in process and over real HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import timedelta

import pytest
from aiohttp import web

from orderloom.connectors.options import Options
from orderloom.connectors.simulator import Message, Script, SimulatorConnector, SimulatorServer, simulation
from orderloom.models.callout import Answer, Outcome
from orderloom.models.catalog import Enum
from orderloom.models.integration import Callback, ConnectorDefinition, Operation, Template
from orderloom.models.values import BOOLEAN, DATE, DECIMAL, INTEGER, STRING, Kind, Type

from .loopback import serving
from .systems import callout, http_connector, operation

NAME = "inventory.reserve_port"
DEFINITION = ConnectorDefinition(name="inventory", title="", kind="simulator", options={})


def simulator(found: Operation, script: object = None, enums: Mapping[str, Enum] | None = None) -> SimulatorConnector:
    parsed = Script.parse({NAME: script}) if script is not None else Script()
    return SimulatorConnector(DEFINITION, Options(), {found.name: found}, enums or {}, script=parsed)


def called(found: Operation, script: object, keys: tuple[str, ...]) -> list[Answer]:
    async def run() -> list[Answer]:
        connector = simulator(found, script)
        return [await connector.call(found, callout(key=key)) for key in keys]

    return asyncio.run(run())


def served(found: Operation, script: object, keys: tuple[str, ...]) -> tuple[list[Answer], SimulatorServer]:
    async def run() -> tuple[list[Answer], SimulatorServer]:
        server = SimulatorServer(Script.parse({NAME: script}), {found.name: found}, {})
        await server.start()
        connector = http_connector(server.url("inventory"), found)
        answers = [await connector.call(found, callout(key=key)) for key in keys]
        await connector.close()
        await server.close()
        return answers, server

    return asyncio.run(run())


SCRIPT = [
    {"status": 503, "body": {"error": {"code": "BUSY"}}},
    {"status": 201, "body": {"port": {"id": "P-{{ request.site }}-{{ count }}"}}},
]


def test_what_needs_no_time_is_answered_at_once_and_the_same() -> None:
    found = operation()
    script = [*SCRIPT, {"fault": "disconnect"}]
    connector = simulator(found, script)
    at_once = [connector.answer(found, callout(key=key)) for key in "abca"]
    awaited = called(found, script, tuple("abca"))
    assert [each and (each.outcome, each.outputs, each.code) for each in at_once] == [
        (each.outcome, each.outputs, each.code) for each in awaited
    ]
    assert all(each and each.exchange for each in at_once)


@pytest.mark.parametrize(
    "script",
    [
        {"latency": "5ms"},
        {"fault": "timeout"},
        {"when": 'request.site == "X"', "latency": "1s"},
        {"answers": [{}], "latency": "1s"},
        {"chances": [{"probability": 0.1, "latency": "1s"}]},
    ],
)
def test_what_may_take_time_is_not_answered_at_once(script: object) -> None:
    found = operation()
    connector = simulator(found, script)
    assert connector.answer(found, callout(key="a")) is None
    assert connector.simulation.calls[NAME] == 0


def test_what_calls_back_is_not_answered_at_once() -> None:
    found = operation(callback=Callback(correlate="reference", within=timedelta(hours=1)))
    assert simulator(found).answer(found, callout(key="a")) is None


def test_answers_are_remembered_within_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simulation, "REMEMBERED", 2)
    found = operation()
    connector = simulator(found)
    for key in "abcac":
        connector.answer(found, callout(key=key))
    assert connector.simulation.repeats[NAME] == 1


@pytest.mark.parametrize("way", [called, lambda *given: served(*given)[0]], ids=["in process", "over http"])
def test_answers_are_taken_in_order_and_the_last_repeats(way: object) -> None:
    assert callable(way)
    answers = way(operation(), SCRIPT, ("a", "a", "b"))
    assert [(a.outcome, a.code) for a in answers] == [
        (Outcome.RETRIABLE, "BUSY"), (Outcome.COMPLETED, ""), (Outcome.COMPLETED, ""),
    ]  # fmt: skip
    assert [a.outputs for a in answers[1:]] == [{"port_id": "P-S-1-2"}, {"port_id": "P-S-1-3"}]


def test_the_same_key_gets_the_same_answer_and_is_counted() -> None:
    answers, server = served(operation(), SCRIPT, ("a", "a", "a", "b", "a"))
    assert [a.outputs.get("port_id") for a in answers] == [None, "P-S-1-2", "P-S-1-2", "P-S-1-3", "P-S-1-2"]
    assert server.simulation.calls[NAME] == 5
    assert server.simulation.repeats[NAME] == 2


def test_the_server_records_what_it_received() -> None:
    found = operation(request="GET /ports/{{ line.site }}/x?q={{ order.id }}\n")
    _, server = served(found, [{"status": 201, "body": {"port": {"id": "1"}}}], ("k",))
    (request,) = server.requests
    assert (request.operation, request.method, request.target) == (NAME, "GET", "/ports/S-1/x?q=O-1")
    assert request.headers["idempotency-key"] == "k"


@pytest.mark.parametrize(
    ("fault", "code"), [("timeout", "timeout"), ("disconnect", "connection"), ("garbage", "bad_response")]
)
def test_faults_mean_the_same_in_process_and_over_http(fault: str, code: str) -> None:
    found = operation(timeout=timedelta(milliseconds=100))
    (direct,) = called(found, [{"fault": fault}], ("a",))
    (wired,), _ = served(found, [{"fault": fault}], ("a",))
    assert direct.code == wired.code == code
    assert direct.outcome == wired.outcome


def test_chances_come_from_the_seed() -> None:
    def outcomes(seed: int) -> list[str]:
        script = Script.parse({"seed": seed, NAME: {"chances": [{"probability": 0.3, "status": 503}]}})
        connector = SimulatorConnector(DEFINITION, Options(), {NAME: operation()}, {}, script=script)

        async def run() -> list[str]:
            return [(await connector.call(operation(), callout(key=str(n)))).code for n in range(200)]

        return asyncio.run(run())

    assert outcomes(7) == outcomes(7)
    assert outcomes(7) != outcomes(8)
    assert 30 < outcomes(7).count("status_503") < 90


def test_an_answer_that_is_not_scripted_is_one_the_design_takes_for_success() -> None:
    enums = {"Speed": Enum(name="Speed", title="", values=("slow", "fast"))}
    outputs = {
        "a": STRING, "b": INTEGER, "c": DECIMAL, "d": BOOLEAN, "e": DATE, "f": Type(Kind.ENUM, "Speed"),
        "g": Type(Kind.LIST, item=STRING),
    }  # fmt: skip
    response = (
        'outcome: {{ "completed" if status == 201 else "failed" }}\n'
        "set: {a: {{ body.x.a }}, b: {{ body.x.b | default(none) }}, c: {{ body['c'] }}, d: {{ body.d }},"
        " e: {{ body.e }}, f: {{ body.items[0].f }}, g: {{ body.g }}}\n"
    )
    found = operation(response=response, outputs=outputs)

    async def run() -> Answer:
        return await simulator(found, None, enums).call(found, callout())

    answer = asyncio.run(run())
    assert answer.outcome is Outcome.COMPLETED, answer
    assert set(answer.outputs) == set(outputs)
    assert answer.outputs["f"] == "slow"


def calling_back() -> Operation:
    message = Template(path="m", text="outcome: completed\ncorrelation: {{ body.ref }}\nset: {port_id: {{ body.p }}}")
    return operation(
        response="outcome: {{ 'accepted' if status == 202 else 'failed' }}\ncorrelation: {{ body.id }}\n",
        callback=Callback(correlate="reservation_id", within=timedelta(hours=1), response=message),
    )


def test_a_callback_comes_later_and_names_its_call() -> None:
    found = calling_back()
    messages: list[Message] = []

    async def take(message: Message) -> None:
        messages.append(message)

    async def run() -> tuple[Answer, tuple[str, Answer]]:
        connector = simulator(found)
        connector.on_callback = take
        answer = await connector.call(found, callout())
        assert messages == []
        await asyncio.sleep(0.15)
        body = messages[0].body
        assert isinstance(body, dict)
        return answer, connector.read_callback(found, body, {})

    accepted, (correlation, completed) = asyncio.run(run())
    assert accepted.outcome is Outcome.ACCEPTED
    assert correlation == accepted.correlation != ""
    assert completed.outcome is Outcome.COMPLETED
    assert "port_id" in completed.outputs


def test_the_server_posts_callbacks() -> None:
    found = calling_back()
    posted: list[tuple[str, object]] = []

    async def handler(request: web.Request) -> web.StreamResponse:
        posted.append((request.path, await request.json()))
        return web.Response()

    async def run() -> Answer:
        script = Script.parse(
            {
                NAME: [
                    {"body": {"id": "{{ key }}"}, "callback": {"after": "10ms", "body": {"ref": "{{ key }}", "p": "P"}}}
                ]
            }
        )
        async with serving(handler) as url:
            server = SimulatorServer(script, {NAME: found}, {}, callback_url=f"{url}/callbacks")
            await server.start()
            connector = http_connector(server.url("inventory"), found)
            answer = await connector.call(found, callout(key="k-1"))
            await asyncio.sleep(0.2)
            await connector.close()
            await server.close()
            return answer

    answer = asyncio.run(run())
    assert answer.correlation == "k-1"
    assert posted == [(f"/callbacks/{NAME}", {"ref": "k-1", "p": "P"})]


def test_latency_is_waited_for() -> None:
    (answer,) = called(operation(), [{"latency": "50ms", "status": 404}], ("a",))
    assert answer.exchange is not None
    assert answer.exchange.duration >= 50


def test_an_unknown_path_is_not_found() -> None:
    async def run() -> Answer:
        server = SimulatorServer(Script(), {NAME: operation()}, {})
        await server.start()
        other = operation(request="GET /elsewhere\n")
        connector = http_connector(server.url("inventory"), other)
        answer = await connector.call(other, callout())
        await connector.close()
        await server.close()
        return answer

    assert asyncio.run(run()).code == "status_404"


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("[1]", "a script: expected a mapping"),
        ("seed: x", "`seed`: expected an integer"),
        ("a.b: 3", "`a.b`: expected a list"),
        ("a.b: []", "expected a list of answers"),
        ("a.b: [{stats: 200}]", "expected keys out of when, status"),
        ("a.b: [{status: 9000}]", "`status` of `a.b`: expected 100 to 599"),
        ("a.b: [{fault: fire}]", "expected timeout or disconnect or garbage"),
        ("a.b: [{latency: soon}]", "a time of `a.b`"),
        ("a.b: {chances: [{status: 500}]}", "`probability` of `a.b`"),
        ("a.b: [{callback: 3}]", "`callback` of `a.b`"),
    ],
)
def test_scripts_that_are_none(script: str, message: str) -> None:
    with pytest.raises(ValueError, match="simulator script") as caught:
        Script.parse(script)
    assert message in str(caught.value)


def test_a_script_for_an_operation_that_is_not_there() -> None:
    with pytest.raises(ValueError, match=r"no operation is called `a\.b`"):
        SimulatorServer(Script.parse("a.b: [{}]"), {NAME: operation()}, {})


def test_an_example_meets_the_condition_of_its_template() -> None:
    outcome = 'outcome: {{ "completed" if status == 200 and body.result == "done" else "failed" }}\n'
    response = outcome + "set: {port_id: {{ body.id }}}"
    found = operation(response=response)
    (answer,) = called(found, [{}], ("a",))
    assert answer.outcome is Outcome.COMPLETED
