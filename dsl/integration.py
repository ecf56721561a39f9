"""Connectors and operations: how the outside world is reached."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass

from orderloom.dsl import tree
from orderloom.dsl.attributes import attributes
from orderloom.dsl.clauses import only
from orderloom.dsl.context import Context
from orderloom.dsl.environment import NOTHING
from orderloom.dsl.queues import count, length, retry_policy
from orderloom.dsl.suggestions import listing, nearest, suggestion
from orderloom.models.expression import Literal
from orderloom.models.integration import (
    Auth,
    Breaker,
    Callback,
    ConnectorDefinition,
    Limit,
    Operation,
    Option,
    RetryOn,
    Secret,
    Setting,
    Template,
)
from orderloom.models.source import Label
from orderloom.models.tasks import RetryPolicy


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthKind:
    """The options of one way to authenticate."""

    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    #: options that are credentials and never stand in a design
    secret: frozenset[str] = frozenset()
    #: the option that a value without a name is
    unnamed: str = ""


AUTH_KINDS: Mapping[str, AuthKind] = {
    "none": AuthKind(),
    "basic": AuthKind(required=("user", "password"), secret=frozenset({"password"})),
    "bearer": AuthKind(required=("token",), secret=frozenset({"token"}), unnamed="token"),
    "apikey": AuthKind(required=("header", "key"), secret=frozenset({"key"})),
    "oauth2": AuthKind(
        required=("token_url", "client_id", "client_secret"), optional=("scope",), secret=frozenset({"client_secret"})
    ),
    "mtls": AuthKind(required=("certificate", "key"), optional=("authority",)),
}


def build_connectors(context: Context) -> None:
    for name, node in context.symbols.connectors.items():
        limit = only(node.statements, tree.LimitStatement, "limit", context.findings)
        breaker = only(node.statements, tree.BreakerStatement, "breaker", context.findings)
        auth = only(node.statements, tree.AuthStatement, "auth", context.findings)
        context.connectors[name] = ConnectorDefinition(
            name=name,
            title=node.title.value if node.title is not None else name,
            kind=node.kind.text,
            options=_options(context, tree.of_kind(node.statements, tree.OptionStatement)),
            auth=_auth(context, auth) if auth is not None else None,
            limit=_limit(context, limit) if limit is not None else Limit(),
            breaker=_breaker(context, breaker) if breaker is not None else None,
            doc=node.doc,
            span=node.name.span,
        )


def _limit(context: Context, node: tree.LimitStatement) -> Limit:
    return Limit(
        concurrent=count(context, node.concurrent, "the limit") if node.concurrent is not None else None,
        per_second=count(context, node.per_second, "the limit") if node.per_second is not None else None,
    )


def _breaker(context: Context, node: tree.BreakerStatement) -> Breaker:
    return Breaker(
        failures=count(context, node.failures, "the number of failures"), pause=length(context, node.pause, "the pause")
    )


def _options(context: Context, nodes: Iterable[tree.OptionStatement]) -> dict[str, Option]:
    found: dict[str, Option] = {}
    places: dict[str, tree.Name] = {}
    for node in nodes:
        name = node.name.text
        if name in places:
            _twice(context, node.name, places[name])
            continue
        places[name] = node.name
        value = _option(context, node.value)
        if value is not None:
            found[name] = value
    return found


def _twice(context: Context, name: tree.Name, first: tree.Name) -> None:
    context.findings.error(
        "LM5004",
        f"the option `{name.text}` is given twice",
        name.span,
        help="keep one of them",
        labels=[Label(first.span, "first given here")],
    )


def _missing_setting(name: str, known: Set[str]) -> str:
    near = nearest(name, known)
    add = f"add `{name}` to `settings` in `bundle.yaml`"
    return f"did you mean `{near}`? otherwise {add}" if near else add


def _option(context: Context, node: tree.OptionValue) -> Option:
    """The value of an option; None if it is wrong."""
    if isinstance(node, tree.SecretReference):
        return Secret(node.name.text)
    if isinstance(node, tree.SettingReference):
        name = node.name.text
        known = {each for values in context.sources.settings.values() for each in values}
        if name not in known:
            context.findings.error(
                "LM1013",
                f"`bundle.yaml` has no setting `{name}`",
                node.name.span,
                help=_missing_setting(name, known),
            )
        return Setting(name)
    found = context.checker(NOTHING).infer(node)
    return found.value if isinstance(found, Literal) else None


def _auth(context: Context, node: tree.AuthStatement) -> Auth | None:
    kind = AUTH_KINDS.get(node.kind.text)
    if kind is None:
        context.findings.error(
            "LM5001",
            f"there is no way to authenticate called `{node.kind.text}`",
            node.kind.span,
            help=suggestion(node.kind.text, AUTH_KINDS, what="way"),
        )
        return None
    options: dict[str, Option] = {}
    places: dict[str, tree.Name] = {}
    for each in node.options:
        name = each.name.text if each.name is not None else kind.unnamed
        place = each.name or node.kind
        if name not in (*kind.required, *kind.optional):
            context.findings.error(
                "LM5003",
                f"`auth {node.kind.text}` has no option `{name}`" if name else f"`auth {node.kind.text}` needs names",
                each.span,
                help=f"its options are {listing((*kind.required, *kind.optional))}"
                if kind.required
                else "it has no options",
            )
            continue
        if name in options:
            _twice(context, place, places[name])
            continue
        places[name] = place
        options[name] = _option(context, each.value)
        if name in kind.secret and not isinstance(each.value, tree.SecretReference):
            context.findings.error(
                "LM5010",
                f"the `{name}` of `auth {node.kind.text}` is a credential and does not belong into a design",
                each.value.span,
                help="write `secret` and a name; the value is looked up where the connector runs",
            )
    missing = [name for name in kind.required if name not in options]
    if missing:
        context.findings.error(
            "LM5002", f"`auth {node.kind.text}` needs {listing(missing)}", node.span, help="add what is missing"
        )
    return Auth(kind=node.kind.text, options=options)


def build_operations(context: Context) -> None:
    for name, node in context.symbols.operations.items():
        parts = node.name.parts
        if len(parts) != 2:
            context.findings.error(
                "LM5006",
                f"`{name}` does not say which connector it uses",
                node.name.span,
                help="write `connector.name`",
            )
            continue
        if parts[0].text not in context.symbols.connectors:
            context.findings.error(
                "LM1012",
                f"there is no connector `{parts[0].text}`",
                parts[0].span,
                help=suggestion(parts[0].text, context.symbols.connectors, what="connector"),
            )
        context.operations[name] = _operation(context, node)


def _operation(context: Context, node: tree.OperationDeclaration) -> Operation:
    findings = context.findings
    declared = [each.attribute for each in tree.of_kind(node.statements, tree.OutputStatement)]
    outputs, broken = attributes(context, f"in operation `{node.name.text}` the output", declared)
    request = only(node.statements, tree.RequestStatement, "request", findings)
    response = only(node.statements, tree.ResponseStatement, "response", findings)
    timeout = only(node.statements, tree.TimeoutStatement, "timeout", findings)
    retry_on = only(node.statements, tree.RetryOnStatement, "retry on", findings)
    callback = only(node.statements, tree.CallbackStatement, "callback", findings)
    limit = {"timeout": length(context, timeout.limit, "the time-out")} if timeout is not None else {}
    if outputs and response is None:
        findings.error(
            "LM5008",
            f"nothing sets the outputs of `{node.name.text}`",
            node.name.span,
            help="name a response template with `response`",
        )
    return Operation(
        name=node.name.text,
        title=node.title.value if node.title is not None else node.name.text,
        connector=node.name.parts[0].text,
        request=template(context, request.path) if request is not None else None,
        response=template(context, response.path) if response is not None else None,
        retry_on=_retry_on(context, retry_on) if retry_on is not None else RetryOn(),
        retry=_retry(context, node),
        outputs=outputs,
        callback=_callback(context, callback, {*outputs, *broken}) if callback is not None else None,
        doc=node.doc,
        span=node.name.span,
        **limit,
    )


def _retry(context: Context, node: tree.OperationDeclaration) -> RetryPolicy | None:
    statement = only(node.statements, tree.RetryStatement, "retry", context.findings)
    return retry_policy(context, statement) if statement is not None else None


def _retry_on(context: Context, node: tree.RetryOnStatement) -> RetryOn:
    for low, high in node.statuses:
        if not 100 <= low <= high <= 599:
            context.findings.error(
                "LM5009", f"{low} is no HTTP status", node.span, help="write a status from 100 to 599, or `5xx`"
            )
    return RetryOn(statuses=node.statuses, timeout=node.timeout, connection=node.connection)


def _callback(context: Context, node: tree.CallbackStatement, outputs: set[str]) -> Callback:
    if node.correlate.text not in outputs:
        context.findings.error(
            "LM5005",
            f"the callback is matched by `{node.correlate.text}`, which is no output of this operation",
            node.correlate.span,
            help=suggestion(node.correlate.text, outputs, what="output; declare one with `output`")
            if outputs
            else f"declare it: `output {node.correlate.text} string required`",
        )
    return Callback(
        correlate=node.correlate.text,
        within=length(context, node.within, "the time for the callback"),
        response=template(context, node.response) if node.response is not None else None,
    )


def template(context: Context, path: tree.Text) -> Template | None:
    """The template file of that path; None, reported, if the bundle has none."""
    found = context.sources.find(path.span.file, path.value)
    if found is None:
        known = [each for each in context.sources.files if each.endswith(".j2")]
        context.findings.error(
            "LM1014",
            f"the bundle has no file `{path.value}`",
            path.span,
            help=suggestion(path.value, known, what="template"),
        )
        return None
    return Template(path=found, text=context.sources.files[found], span=path.span)
