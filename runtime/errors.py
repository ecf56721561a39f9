"""What can go wrong for those who use the host; the docstring of each class is its message."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from inspect import cleandoc
from typing import ClassVar

from orderloom.models.fulfillment import Problem
from orderloom.models.source import Diagnostic


class OrderloomError(Exception):
    """something went wrong"""

    #: a short name that stays the same, for programs
    code: ClassVar[str] = "error"
    #: what to do about it
    help: str = ""

    def __init__(self, **found: object) -> None:
        self.found = found
        super().__init__(cleandoc(type(self).__doc__ or "").format(**found))


@dataclass(frozen=True, slots=True)
class DocumentProblem:
    """One thing wrong with a document: where (a JSON path, "" for the whole), what was found, what was expected."""

    path: str
    found: str
    expected: str

    def __str__(self) -> str:
        return f"{self.path or 'document'}: expected {self.expected}, found {self.found}"


class OrderRefused(OrderloomError):
    """the order is refused: {first}{more}"""

    code = "order-refused"

    def __init__(self, problems: Sequence[DocumentProblem]) -> None:
        self.problems = tuple(problems)
        rest = len(self.problems) - 1
        super().__init__(first=self.problems[0], more=f" (and {rest} more)" if rest else "")


class ValuesRefused(OrderloomError):
    """the values are refused: {first}{more}"""

    code = "values-refused"

    def __init__(self, problems: Sequence[DocumentProblem]) -> None:
        self.problems = tuple(problems)
        rest = len(self.problems) - 1
        super().__init__(first=self.problems[0], more=f" (and {rest} more)" if rest else "")


class OrderNotDecomposed(OrderloomError):
    """the order cannot be decomposed: {first}{more}"""

    code = "order-not-decomposed"

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        rest = len(self.problems) - 1
        super().__init__(first=self.problems[0].message, more=f" (and {rest} more)" if rest else "")


class OrderNotPlanned(OrderloomError):
    """the order cannot be planned: {first}{more}"""

    code = "order-not-planned"

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        rest = len(self.problems) - 1
        super().__init__(first=self.problems[0], more=f" (and {rest} more)" if rest else "")


class BundleRefused(OrderloomError):
    """the bundle `{name}` is refused: {count}"""

    code = "bundle-refused"

    def __init__(self, name: str, diagnostics: Sequence[Diagnostic], files: Mapping[str, str]) -> None:
        self.diagnostics = tuple(diagnostics)
        #: the bundle's files, path -> text, to show places in
        self.files = files
        errors = len(self.diagnostics)
        super().__init__(name=name, count="1 finding" if errors == 1 else f"{errors} findings")


class VersionTaken(OrderloomError):
    """bundle `{name}` {version} is deployed with other content (digest {deployed}, found {digest})"""

    code = "version-taken"
    help = "a deployed version is immutable: raise `version` in bundle.yaml"


class NothingDeployed(OrderloomError):
    """no bundle is deployed"""

    code = "nothing-deployed"
    help = "deploy one first: `orderloom deploy PATH`"


class WhichBundle(OrderloomError):
    """the order names no bundle and several are deployed: {names}"""

    code = "which-bundle"
    help = "name one: `--bundle NAME` or `bundle=`"


class UnknownBundle(OrderloomError):
    """there is no bundle `{name}`"""

    code = "unknown-bundle"


class UnknownOrder(OrderloomError):
    """there is no order `{order}`"""

    code = "unknown-order"


class UnknownLine(OrderloomError):
    """order `{order}` has no line `{line}`"""

    code = "unknown-line"


class UnknownTask(OrderloomError):
    """order `{order}` has no task `{task}`"""

    code = "unknown-task"


class UnknownWork(OrderloomError):
    """there is no work item `{item}`"""

    code = "unknown-work"


class UnknownQueue(OrderloomError):
    """there is no queue `{queue}`; there are: {known}"""

    code = "unknown-queue"


class UnknownOperation(OrderloomError):
    """no deployed bundle has the operation `{operation}`"""

    code = "unknown-operation"


class UnknownConnector(OrderloomError):
    """no active bundle has the connector `{connector}`, and none of that name is held"""

    code = "unknown-connector"


class UnknownCalendar(OrderloomError):
    """the bundle `{bundle}` has no calendar `{calendar}` to change: {known}"""

    code = "unknown-calendar"


class CalendarRefused(OrderloomError):
    """the calendar `{calendar}` is refused: {place}: {why}"""

    code = "calendar-refused"
    help = "write it as in `calendars` of `bundle.yaml`"


class UnknownReason(OrderloomError):
    """clocks are not stopped for `{reason}`: {known}"""

    code = "unknown-reason"
    help = "the reasons stand in `pause_reasons` of `bundle.yaml`"


class UnknownBulk(OrderloomError):
    """there is no bulk {bulk}"""

    code = "unknown-bulk"
    help = "`orderloom fallout bulk list` shows them"


class UnknownDefinition(OrderloomError):
    """no active bundle has the task definition `{definition}`, and no task of it is paused"""

    code = "unknown-definition"
    help = "name it `Plan.task`, as `orderloom orders show` does"


class UnknownSetAside(OrderloomError):
    """no event {event} was set aside"""

    code = "unknown-event"


class NotAllowed(OrderloomError):
    """`{what}` is not possible: {why}"""

    code = "not-allowed"


class Forbidden(OrderloomError):
    """`{who}` may not `{what}`: it needs the permission `{permission}`, which these roles have: {roles}"""

    code = "forbidden"


class UnknownUser(OrderloomError):
    """there is no active user `{user}`"""

    code = "unknown-user"
    help = "`--by NAME` or ORDERLOOM_USER says who you are; an administrator adds users with `orderloom users add`"


class UserExists(OrderloomError):
    """there is a user `{user}` already"""

    code = "user-exists"


class UnknownTeam(OrderloomError):
    """there is no team `{team}`"""

    code = "unknown-team"
    help = "`orderloom teams list` shows them, `orderloom teams add` makes one"


class UnknownRole(OrderloomError):
    """there is no role `{role}`; there are: {known}"""

    code = "unknown-role"


class UnknownPermission(OrderloomError):
    """there is no permission `{permission}`; there are: {known}"""

    code = "unknown-permission"


class NameRefused(OrderloomError):
    """`{name}` cannot be a name: expected 1 to {most} letters, digits, `.`, `_`, `-` or `@`"""

    code = "name-refused"


class NotGranted(OrderloomError):
    """{holder} `{name}` does not hold {kind} `{value}`"""

    code = "not-granted"


class NotPossible(OrderloomError):
    """cannot {what}: {why}; {do}"""

    code = "not-possible"


class ChangeRefused(OrderloomError):
    """`{what}` of order `{order}` is refused: {first}{more}"""

    code = "change-refused"
    help = "`--dry-run` shows what stands against it"

    def __init__(self, what: str, order: str, reasons: Sequence[str]) -> None:
        self.reasons = tuple(reasons)
        rest = len(self.reasons) - 1
        first = self.reasons[0] if self.reasons else "it cannot be carried out"
        super().__init__(what=what, order=order, first=first, more=f" (and {rest} more)" if rest > 0 else "")


class UnknownAsset(OrderloomError):
    """inventory holds no `{asset}`"""

    code = "unknown-asset"


class ExtraMissing(OrderloomError):
    """{what} needs the package `{package}`, which is not installed; `pip install orderloom[{extra}]` brings it"""

    code = "extra-missing"


class ChannelRefused(OrderloomError):
    """channel `{channel}`: {found}; expected {expected}"""

    code = "channel-refused"


class ChannelTaken(OrderloomError):
    """there is a channel `{channel}` already"""

    code = "channel-taken"
    help = "remove it first, or take another name"


class UnknownChannel(OrderloomError):
    """there is no channel `{channel}`; there are: {names}"""

    code = "unknown-channel"


class UnknownDelivery(OrderloomError):
    """channel `{channel}` has given up no delivery {delivery}"""

    code = "unknown-delivery"


class NotTaken(OrderloomError):
    """channel `{channel}` did not take it: {why}"""

    code = "not-taken"


class ExternalIdUsed(OrderloomError):
    """external id `{external_id}` is that of order `{order}`, which has {unlike}"""

    code = "external-id-used"
    help = "amend that order, or submit this one under another external id"


class SubmittedBefore(OrderloomError):
    """`{key}` was used for another order, `{order}`, as its id or idempotency key"""

    code = "submitted-before"


class StillWorking(OrderloomError):
    """not idle after {within:g} s: orders are still being worked on"""

    code = "still-working"


class NotSimulated(OrderloomError):
    """the systems of `{name}` cannot be simulated: {why}"""

    code = "not-simulated"


class Unreadable(OrderloomError):
    """cannot read `{path}`: {why}"""

    code = "unreadable"
