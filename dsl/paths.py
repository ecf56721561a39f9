"""Names in expressions: attributes, built-ins, enum values, variables."""

from __future__ import annotations

from orderloom.dsl import tree
from orderloom.dsl.checker import Checker, handles
from orderloom.dsl.environment import Members
from orderloom.dsl.suggestions import listing, nearest, suggestion
from orderloom.models.expression import Expression, Literal, Reference, Root, Variable
from orderloom.models.values import STRING, Kind, Type

ROOTS = frozenset(root.value for root in Root)

#: what other languages have, and what to write here
_ELSEWHERE = {
    **dict.fromkeys(("null", "none", "None", "nil"), "absence has no name: test `is absent`, or leave the mapping out"),
    "True": "did you mean `true`?",
    "False": "did you mean `false`?",
    **dict.fromkeys(("now", "today"), "an expression has no clock: `order.order_date` is when the order came"),
}


@handles(tree.Path)
def path(checker: Checker, node: tree.Path, wanted: Type | None) -> Expression | None:
    if len(node.parts) == 1:
        return _bare(checker, node.parts[0], wanted)
    if len(node.parts) > 2:
        checker.findings.error(
            "LM1004",
            f"`{node.text}` goes too far",
            node.span,
            help="a name has at most two parts, as in `root.install`",
        )
        return None
    first, name = node.parts
    if first.text in checker.variables:
        return _member(checker, first, name, checker.variables[first.text], None, wanted)
    if first.text in ROOTS:
        root = Root(first.text)
        if root in checker.environment.roots:
            return _member(checker, first, name, checker.environment.roots[root], root, wanted)
        known = listing(each.value for each in checker.environment.roots)
        checker.findings.error(
            "LM1017",
            f"`{first.text}` is not available in {checker.environment.place}",
            first.span,
            help=f"here you can write {known}" if known else "write a constant",
        )
        return None
    if first.text in checker.known.enums:
        return _enum_value(checker, name, Type(Kind.ENUM, first.text))
    checker.findings.error(
        "LM1004",
        f"there is nothing called `{first.text}` here",
        first.span,
        help=f"`{first.text}` is a spec; attributes are those of a line: `line.{name.text}`, `parent.`, `root.`"
        if first.text in checker.known.specs
        else suggestion(
            first.text,
            [*checker.variables, *(root.value for root in checker.environment.roots), *checker.known.enums],
            what="such name",
        ),
    )
    return None


def resolvable(checker: Checker, name: str) -> bool:
    """Whether a bare name is an attribute or built-in here."""
    bare = checker.environment.bare
    if bare is None:
        return False
    members = checker.environment.roots[bare]
    return name in members.attributes or name in members.built_ins


def _bare(checker: Checker, name: tree.Name, wanted: Type | None) -> Expression | None:
    is_value = wanted is not None and wanted.kind is Kind.ENUM and _is_value(checker, name.text, wanted)
    bare = checker.environment.bare
    if bare is not None and resolvable(checker, name.text):
        members = checker.environment.roots[bare]
        found = _reference(checker, bare, name.text, members)
        if not is_value or wanted is None:
            return found
        if found.type.required() == wanted:
            checker.findings.error(
                "LM2015",
                f"`{name.text}` is an attribute of {members.owner} and a value of `{wanted.name}`",
                name.span,
                help=f"write `{bare}.{name.text}` for the attribute or `{wanted.name}.{name.text}` for the value",
            )
            return None
    if is_value and wanted is not None:
        return Literal(name.text, wanted)
    if bare is not None and name.text in checker.environment.roots[bare].broken:
        return None
    _unknown(checker, name, wanted)
    return None


def _unknown(checker: Checker, name: tree.Name, wanted: Type | None) -> None:
    if wanted is not None and wanted.kind is Kind.ENUM and wanted.name in checker.known.enums:
        values = checker.known.enums[wanted.name].values
        near = nearest(name.text, [*values, *_names(checker)])
        help = f"did you mean `{near}`?" if near else f"its values are {listing(values)}"
        help = _ELSEWHERE.get(name.text, help)
        checker.findings.error(
            "LM1005",
            f"`{wanted.name}` has no value `{name.text}`",
            name.span,
            help=help,
        )
        return
    if name.text in _ELSEWHERE:
        help = _ELSEWHERE[name.text]
    elif name.text in ROOTS or name.text in checker.variables:
        help = f"`{name.text}` alone is no value; write `{name.text}.` and an attribute"
    else:
        homes = [enum.name for enum in checker.known.enums.values() if name.text in enum.values]
        if homes:
            help = f"`{name.text}` is a value of `{homes[0]}`; where nothing says so, write `{homes[0]}.{name.text}`"
        else:
            help = suggestion(name.text, _names(checker), what="attribute")
    bare = checker.environment.bare
    owner = checker.environment.roots[bare].owner if bare is not None else checker.environment.place
    checker.findings.error("LM1004", f"{owner} has no attribute `{name.text}`", name.span, help=help)


def _names(checker: Checker) -> list[str]:
    bare = checker.environment.bare
    if bare is None:
        return []
    members = checker.environment.roots[bare]
    return [*members.attributes, *members.built_ins]


def _is_value(checker: Checker, name: str, wanted: Type) -> bool:
    enum = checker.known.enums.get(wanted.name)
    return enum is not None and name in enum.values


def _enum_value(checker: Checker, name: tree.Name, enum: Type) -> Expression | None:
    if _is_value(checker, name.text, enum):
        return Literal(name.text, enum)
    _unknown(checker, name, enum)
    return None


def _member(
    checker: Checker, first: tree.Name, name: tree.Name, members: Members, root: Root | None, wanted: Type | None
) -> Expression | None:
    if members.open:
        return Reference(Root.EVENT, name.text, (wanted or STRING).maybe())
    if name.text in members.broken:
        return None
    if name.text in members.conflicts:
        checker.findings.error(
            "LM1018",
            f"`{first.text}.{name.text}` has no one type: {members.conflicts[name.text]}",
            name.span,
            help="give the attribute one type in all of them, or write the rule for each of them",
        )
        return None
    if name.text not in members.attributes and name.text not in members.built_ins:
        checker.findings.error(
            "LM1004",
            f"{members.owner} has no attribute `{name.text}`",
            name.span,
            help=suggestion(name.text, [*members.attributes, *members.built_ins], what="attribute"),
        )
        return None
    if root is not None:
        return _reference(checker, root, name.text, members)
    meta = name.text not in members.attributes
    type_ = members.built_ins[name.text] if meta else members.attributes[name.text]
    known = (first.text, name.text) in checker.present
    return Variable(first.text, name.text, type_.required() if known else type_, meta)


def _reference(checker: Checker, root: Root, name: str, members: Members) -> Reference:
    meta = name not in members.attributes
    type_ = members.built_ins[name] if meta else members.attributes[name]
    return Reference(root, name, type_.required() if (root.value, name) in checker.present else type_, meta)
