"""What people enter, read against the types that the design gives."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from orderloom.models.catalog import Attribute, Enum
from orderloom.models.conversion import from_json
from orderloom.models.values import Value
from orderloom.runtime.errors import DocumentProblem, ValuesRefused
from orderloom.runtime.tmf622 import shown


def read_form(form: Iterable[Attribute], given: Mapping[str, object], enums: Mapping[str, Enum]) -> dict[str, Value]:
    """All fields of a form, with defaults; a required one must be given. Raises ValuesRefused naming every problem."""
    fields = {field.name: field for field in form}
    problems: list[DocumentProblem] = []
    values = _read(fields, given, enums, problems)
    for field in fields.values():
        if field.name in given:
            continue
        if field.default is not None:
            values[field.name] = field.default
        elif field.required:
            problems.append(DocumentProblem(field.name, "nothing", str(field.type)))
    if problems:
        raise ValuesRefused(problems)
    return values


def read_values(
    attributes: Mapping[str, Attribute], given: Mapping[str, object], enums: Mapping[str, Enum]
) -> dict[str, Value]:
    """Some attributes, at least one. Raises ValuesRefused naming every problem."""
    problems: list[DocumentProblem] = []
    values = _read(attributes, given, enums, problems)
    if not given:
        problems.append(DocumentProblem("values", "nothing", f"one of {', '.join(attributes)}"))
    if problems:
        raise ValuesRefused(problems)
    return values


def _read(
    attributes: Mapping[str, Attribute],
    given: Mapping[str, object],
    enums: Mapping[str, Enum],
    problems: list[DocumentProblem],
) -> dict[str, Value]:
    values: dict[str, Value] = {}
    for name, found in given.items():
        attribute = attributes.get(name)
        if attribute is None:
            expected = f"one of {', '.join(attributes)}" if attributes else "no values"
            problems.append(DocumentProblem(name, shown(found), expected))
            continue
        wanted = attribute.type.required() if attribute.required else attribute.type.maybe()
        try:
            # what was typed in another encoding cannot be sent on
            str(found).encode()
        except UnicodeEncodeError:
            problems.append(DocumentProblem(name, shown(found), "text in UTF-8"))
            continue
        try:
            values[name] = from_json(found, wanted, enums)
        except ValueError as error:
            expected, _, what = str(error).removeprefix("expected ").partition(", found ")
            problems.append(DocumentProblem(name, what if what == "nothing" else shown(found), expected))
    return values
