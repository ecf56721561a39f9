"""`bundle.yaml`: the name, version, requirements and settings of a bundle."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from importlib.metadata import PackageNotFoundError, version
from typing import Annotated, Any, Literal

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    StrictStr,
    ValidationError,
    ValidationInfo,
)

from orderloom.dsl.calendars import CalendarDeclaration, Holidays, JeopardyDeclaration, zone
from orderloom.dsl.suggestions import nearest
from orderloom.models.source import Diagnostic, Span
from orderloom.models.values import Value

MANIFEST = "bundle.yaml"

_NAME = r"^[A-Za-z_][A-Za-z0-9_]*$"
_SEMVER = re.compile(
    r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?(\+[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?"
)
_AT_LEAST = re.compile(r">=\s*(\d+(?:\.\d+){0,2})")


def _semantic(text: str) -> str:
    if not _SEMVER.fullmatch(text):
        raise ValueError("a semantic version is expected, like `1.4.0`")
    return text


def _declared(name: str, info: ValidationInfo) -> str:
    calendars = info.data.get("calendars", {name: None})
    if name not in calendars:
        near = nearest(name, calendars)
        raise ValueError(f"there is no calendar `{name}`" + (f"; did you mean `{near}`?" if near else ""))
    return name


def _requirement(text: str) -> str:
    if not _AT_LEAST.fullmatch(text):
        raise ValueError("the least version is expected, like `>=1.2`")
    return text


class Requirements(BaseModel):
    """What the bundle needs to run on."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    #: least version of orderloom, e.g. `>=0.1`
    orderloom: Annotated[StrictStr, AfterValidator(_requirement)] = ">=0"


SettingName = Annotated[str, Field(pattern=_NAME)]
SettingValue = StrictBool | StrictInt | Decimal | StrictStr


class Manifest(BaseModel):
    """The content of `bundle.yaml`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    #: also the name by which bundles of the same folder import this one
    name: Annotated[StrictStr, Field(pattern=r"^[a-z][a-z0-9_-]*$")]
    title: StrictStr = ""
    version: Annotated[StrictStr, AfterValidator(_semantic)]
    requires: Requirements = Requirements()
    #: environment → setting → value; `default` holds where an environment says nothing else
    settings: dict[SettingName, dict[SettingName, SettingValue]] = {}
    #: IANA name of the zone of dates, and of calendars that name none
    time_zone: Annotated[StrictStr, AfterValidator(zone)] = "UTC"
    calendars: dict[SettingName, CalendarDeclaration] = {}
    #: the calendar for terms that name none; without one, Monday to Friday
    calendar: Annotated[StrictStr, AfterValidator(_declared)] = ""
    jeopardy: JeopardyDeclaration = JeopardyDeclaration()
    #: `account`: orders of one account are carried out one after the other, in the order of their submission
    sequence: Literal["none", "account"] = "none"
    #: why the clock of work may be stopped, each with its title; without any, every word will do
    pause_reasons: dict[SettingName, StrictStr] = {}

    def values(self) -> dict[str, Mapping[str, Value]]:
        """The settings as values of the language."""
        return {environment: dict(settings) for environment, settings in self.settings.items()}


@dataclass(frozen=True, slots=True)
class ManifestRead:
    """A manifest exactly when there is no diagnostic."""

    manifest: Manifest | None
    diagnostics: tuple[Diagnostic, ...]


class _Loader(yaml.SafeLoader):
    """The safe loader, with exact decimals and with times left as text."""


def _unique(loader: _Loader, node: yaml.MappingNode) -> dict[Any, Any]:
    keys = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
    for index, key in enumerate(keys):
        if key in keys[:index]:
            place = node.value[index][0].start_mark
            raise yaml.constructor.ConstructorError(None, None, f"`{key}` stands here twice", place)
    return loader.construct_mapping(node, deep=True)


def _exact(loader: _Loader, node: yaml.ScalarNode) -> Decimal | str:
    text = str(loader.construct_scalar(node))
    try:
        return Decimal(text)
    except InvalidOperation:
        return text


def _literal(loader: _Loader, node: yaml.ScalarNode) -> str:
    return str(loader.construct_scalar(node))


_Loader.add_constructor("tag:yaml.org,2002:map", _unique)
_Loader.add_constructor("tag:yaml.org,2002:float", _exact)
_Loader.add_constructor("tag:yaml.org,2002:timestamp", _literal)


def read_manifest(text: str, file: str = MANIFEST) -> ManifestRead:
    """Reads and checks the text of a `bundle.yaml`; every finding names its place there."""
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        content = None if node is None else loader.construct_document(node)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        return _failed(f"this is not valid YAML: {error.problem or error.context}", _at(file, text, mark))
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        return _failed(f"this is not valid YAML: {type(error).__name__}", Span(file, 0, 0, 1, 1))
    if node is None or not isinstance(content, dict):
        return _failed("expected `name`, `version` and the other fields of a bundle", Span(file, 0, len(text), 1, 1))
    try:
        manifest = Manifest.model_validate(content)
    except ValidationError as error:
        return ManifestRead(None, tuple(_finding(file, node, problem) for problem in _distinct(error)))
    unmet = _unmet(manifest)
    if unmet:
        place, _ = _find(file, node, ("requires", "orderloom"))
        return ManifestRead(None, (Diagnostic(code="LM0103", message=unmet, span=place),))
    return ManifestRead(manifest, ())


def _failed(message: str, span: Span) -> ManifestRead:
    return ManifestRead(None, (Diagnostic(code="LM0102", message=message, span=span),))


def _at(file: str, text: str, mark: Any) -> Span:
    if mark is None:
        return Span(file, 0, 0, 1, 1)
    return Span(file, mark.index, min(mark.index + 1, len(text)), mark.line + 1, mark.column + 1)


def _distinct(error: ValidationError) -> list[dict[str, Any]]:
    """One problem per place: a value that fits no member of a union is reported once."""
    seen: dict[tuple[Any, ...], dict[str, Any]] = {}
    for problem in error.errors(include_url=False):
        location = tuple(problem["loc"])
        if location[:1] == ("settings",):
            location = location[: 4 if location[-1] == "[key]" else 3]
        seen.setdefault(location, {**problem, "loc": location})
    return list(seen.values())


def _finding(file: str, node: yaml.Node, problem: dict[str, Any]) -> Diagnostic:
    location = tuple(part for part in problem["loc"] if part != "[key]")
    place, key = _find(file, node, location)
    name = ".".join(str(part) for part in location)
    kind = problem["type"]
    help = ""
    if kind == "missing":
        message = f"`{name}` is missing"
        help = f"add `{location[-1]}: …`"
        place, _ = _find(file, node, location[:-1])
        place = Span(file, place.start, place.start, place.line, place.column)
    elif kind == "extra_forbidden":
        place = key or place
        message = f"there is no field `{name}`"
        known = _fields(location)
        near = nearest(str(location[-1]), known)
        help = f"did you mean `{near}`?" if near else "known here: " + ", ".join(f"`{field}`" for field in known)
    elif location[:1] == ("settings",) and len(location) == 3 and "[key]" not in problem["loc"]:
        message = f"`{name}` must be a text, a number, `true` or `false`"
    else:
        place = key if "[key]" in problem["loc"] and key else place
        expected = problem["msg"].removeprefix("Value error, ")
        message = f"`{name}`: {expected[:1].lower()}{expected[1:]}"
        if kind == "string_pattern_mismatch":
            message = f"`{name}` is not a name: letters, digits and `_`, a letter first"
            if location == ("name",):
                message = f"`{name}`: a name of lower-case letters, digits, `_` and `-` is expected, a letter first"
        if kind == "string_type":
            help = "put it in quotes"
    return Diagnostic(code="LM0103", message=message, span=place, help=help)


def _fields(location: tuple[Any, ...]) -> Collection[str]:
    """The fields that are known where an unknown one was found."""
    match location:
        case ("requires", *_):
            return Requirements.model_fields
        case ("jeopardy", *_):
            return JeopardyDeclaration.model_fields
        case ("calendars", _, "holidays", *_):
            return Holidays.model_fields
        case ("calendars", _, *_):
            return CalendarDeclaration.model_fields
        case _:
            return Manifest.model_fields


def _find(file: str, node: yaml.Node, location: tuple[Any, ...]) -> tuple[Span, Span | None]:
    """The place of a value, and of its key, as far as the location leads."""
    key: yaml.Node | None = None
    for part in location:
        if not isinstance(node, yaml.MappingNode):
            break
        match = next(((k, v) for k, v in node.value if isinstance(k, yaml.ScalarNode) and k.value == str(part)), None)
        if match is None:
            break
        key, node = match
    return _node_span(file, node), None if key is None else _node_span(file, key)


def _node_span(file: str, node: yaml.Node) -> Span:
    start, end = node.start_mark, node.end_mark
    return Span(file, start.index, end.index, start.line + 1, start.column + 1)


def _unmet(manifest: Manifest) -> str:
    """What the bundle requires and this installation is not; "" if nothing."""
    wanted = _AT_LEAST.fullmatch(manifest.requires.orderloom)
    try:
        installed = version("orderloom")
    except PackageNotFoundError:
        return ""
    if wanted is None or _numbers(installed) >= _numbers(wanted.group(1)):
        return ""
    return f"the bundle requires orderloom {wanted.group(1)} or later, this is {installed}"


def _numbers(text: str) -> tuple[int, ...]:
    numbers = [int(part) for part in re.findall(r"\d+", text)[:3]]
    return tuple(numbers + [0] * (3 - len(numbers)))
