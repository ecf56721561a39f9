"""Scripts of simulated systems: what each operation answers, in YAML or as plain mappings."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, cast

import yaml

FAULTS = ("timeout", "disconnect", "garbage")
_LENGTH = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h)?")
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, None: 1.0}
_ANSWER_KEYS = ("when", "status", "headers", "body", "latency", "fault", "callback", "probability")


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptedCallback:
    """A message that the system sends later; `body` None: one made from what the design expects."""

    #: seconds after the answer; below 0: never
    after: float = 0.05
    body: object = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptedAnswer:
    """One answer; without a status and a body, one that the design takes for a success."""

    #: a condition over `request`, `path`, `key` and `count`, e.g. `request.site == "SITE-9"`; "" for none
    when: str = ""
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    #: anything JSON can hold; text in it may be a template over `request`, `path`, `key` and `count`
    body: object = None
    #: seconds
    latency: float = 0.0
    #: "" or one of `FAULTS`
    fault: str = ""
    callback: ScriptedCallback | None = None


SUCCESS = ScriptedAnswer()


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour:
    """What one operation answers: the first of `special` that the call meets, else by chance, else the next of
    `answers`, the last of which repeats."""

    answers: tuple[ScriptedAnswer, ...] = (SUCCESS,)
    #: answers with a condition; they use up no other answer
    special: tuple[ScriptedAnswer, ...] = ()
    #: share of the calls, 0 to 1, and what they get
    chances: tuple[tuple[float, ScriptedAnswer], ...] = ()
    #: seconds, for answers that name none
    latency: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """The behaviour of each operation by its name; those not named succeed. Equal seeds give equal chances."""

    operations: Mapping[str, Behaviour] = field(default_factory=dict)
    seed: int = 0

    @staticmethod
    def parse(found: str | Mapping[str, object]) -> Script:
        """Reads `{seed: …, operations: {name: …}}`, or just the operations; raises ValueError that names the place.

        An operation is answers, one answer, or `{answers: […], chances: [{probability: 0.3, …}], latency: …}`. An
        answer with `when` is for the calls that meet the condition, and for them comes first.
        """
        script = yaml.safe_load(found) if isinstance(found, str) else found
        if script is None:
            return Script()
        _expect(isinstance(script, Mapping), "a script", "a mapping of operations", script)
        seed: Any = script.get("seed", 0)
        _expect(isinstance(seed, int), "`seed`", "an integer", seed)
        operations: Any = (
            script["operations"] if "operations" in script else {k: v for k, v in script.items() if k != "seed"}
        )
        _expect(isinstance(operations, Mapping), "`operations`", "a mapping", operations)
        return Script(operations={name: _behaviour(name, value) for name, value in operations.items()}, seed=seed)


def _behaviour(name: str, found: object) -> Behaviour:
    if isinstance(found, Mapping) and not {"answers", "chances"} & set(found):
        found = [found]
    if isinstance(found, (list, tuple)):
        return _sorted(_answers(name, found))
    _expect(isinstance(found, Mapping), f"`{name}`", "a list of answers or a mapping", found)
    found = cast("Mapping[str, object]", found)
    _known(name, found, ("answers", "chances", "latency"))
    return replace(
        _sorted(_answers(name, found.get("answers", [{}]))),
        chances=tuple(_chance(name, item) for item in cast("Iterable[object]", found.get("chances", ()))),
        latency=_seconds(name, found.get("latency", 0)),
    )


def _sorted(answers: tuple[ScriptedAnswer, ...]) -> Behaviour:
    usual = tuple(answer for answer in answers if not answer.when)
    return Behaviour(answers=usual or (SUCCESS,), special=tuple(answer for answer in answers if answer.when))


def _answers(name: str, found: object) -> tuple[ScriptedAnswer, ...]:
    _expect(isinstance(found, (list, tuple)) and bool(found), f"answers of `{name}`", "a list of answers", found)
    return tuple(_answer(name, item) for item in cast("Iterable[object]", found))


def _chance(name: str, found: object) -> tuple[float, ScriptedAnswer]:
    share = found.get("probability") if isinstance(found, Mapping) else None
    _expect(isinstance(share, (int, float)) and 0 <= share <= 1, f"`probability` of `{name}`", "0 to 1", share)
    return float(cast("float", share)), _answer(name, found)


def _answer(name: str, found: object) -> ScriptedAnswer:
    found = {} if found is None else found
    _expect(isinstance(found, Mapping), f"an answer of `{name}`", "a mapping", found)
    answer = cast("Mapping[str, object]", found)
    _known(name, answer, _ANSWER_KEYS)
    status, fault = answer.get("status"), answer.get("fault", "")
    _expect(
        status is None or (isinstance(status, int) and 100 <= status <= 599),
        f"`status` of `{name}`",
        "100 to 599",
        status,
    )
    _expect(fault == "" or fault in FAULTS, f"`fault` of `{name}`", " or ".join(FAULTS), fault)
    _expect(isinstance(answer.get("when", ""), str), f"`when` of `{name}`", "a condition", answer.get("when"))
    return ScriptedAnswer(
        when=str(answer.get("when", "")),
        status=cast("int | None", status),
        headers=_headers(answer.get("headers")),
        body=answer.get("body"),
        latency=_seconds(name, answer.get("latency", 0)),
        fault=str(fault),
        callback=_callback(name, answer.get("callback")),
    )


def _callback(name: str, found: object) -> ScriptedCallback | None:
    if found is None:
        return None
    if found == "never":
        return ScriptedCallback(after=-1)
    _expect(isinstance(found, Mapping), f"`callback` of `{name}`", "a mapping or `never`", found)
    callback = cast("Mapping[str, object]", found)
    _known(name, callback, ("after", "body", "headers"))
    return ScriptedCallback(
        after=_seconds(name, callback.get("after", 0.05)),
        body=callback.get("body"),
        headers=_headers(callback.get("headers")),
    )


def _headers(found: object) -> dict[str, str]:
    return {str(name): str(value) for name, value in found.items()} if isinstance(found, Mapping) else {}


def _seconds(name: str, found: object) -> float:
    parsed = _LENGTH.fullmatch(str(found))
    _expect(parsed is not None, f"a time of `{name}`", "seconds, or e.g. `200ms`, `2s`, `5m`", found)
    assert parsed is not None
    return float(parsed[1]) * _UNITS[parsed[2]]


def _known(name: str, found: Mapping[str, object], keys: tuple[str, ...]) -> None:
    for key in found:
        _expect(key in keys, f"`{name}`", f"keys out of {', '.join(keys)}", key)


def _expect(holds: bool, place: str, expected: str, found: object) -> None:
    if not holds:
        raise ValueError(f"simulator script: {place}: expected {expected}, found {found!r:.60}")
