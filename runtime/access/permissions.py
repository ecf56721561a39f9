"""What people and programs may be allowed to do, and the roles that stand for the jobs of the field."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Permission(StrEnum):
    """One thing that may be allowed; each method of the host's face names the one it needs."""

    ORDERS_SUBMIT = "orders.submit"
    #: see orders as those see them who gave them: content, state, progress
    ORDERS_VIEW = "orders.view"
    #: amend and cancel, with what that would do
    ORDERS_CHANGE = "orders.change"
    #: hold, resume, start before its time
    ORDERS_HOLD = "orders.hold"
    #: change behind hard points of no return
    ORDERS_FORCE = "orders.force"
    ORDERS_MIGRATE = "orders.migrate"
    #: see lines, tasks, dates and the journal of orders
    PLANS_VIEW = "plans.view"
    #: see what was said to external systems, and their answers
    EXCHANGES_VIEW = "exchanges.view"
    INVENTORY_VIEW = "inventory.view"
    #: deliver callbacks and events
    MESSAGES_SEND = "messages.send"
    #: read what orders tell the world
    EVENTS_VIEW = "events.view"
    WORK_VIEW = "work.view"
    #: claim, release, complete, note, escalate
    WORK_DO = "work.do"
    #: assign and hand over what others have
    WORK_ASSIGN = "work.assign"
    #: override how queues assign, pause their clocks
    QUEUES_MANAGE = "queues.manage"
    FALLOUT_VIEW = "fallout.view"
    #: retry, skip, complete by hand, return to the owner
    FALLOUT_RESOLVE = "fallout.resolve"
    #: the same for many at once
    FALLOUT_BULK = "fallout.bulk"
    #: correct attributes of lines
    LINES_CORRECT = "lines.correct"
    BUNDLES_VIEW = "bundles.view"
    BUNDLES_DEPLOY = "bundles.deploy"
    CONNECTORS_VIEW = "connectors.view"
    #: hold, release, limits
    CONNECTORS_CONTROL = "connectors.control"
    #: run, drain, pause task definitions, take up what was set aside
    WORKER_CONTROL = "worker.control"
    NOTIFICATIONS_MANAGE = "notifications.manage"
    ANALYTICS_VIEW = "analytics.view"
    USERS_VIEW = "users.view"
    USERS_MANAGE = "users.manage"
    AUDIT_VIEW = "audit.view"


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """A job, as the permissions that it takes."""

    name: str
    title: str
    permissions: frozenset[Permission]
    #: sees only orders and inventory of the accounts that it is given
    own_accounts: bool = False
    #: sees only work of the queues that it is a member of
    own_queues: bool = False


_SEE_ORDERS = {Permission.ORDERS_VIEW, Permission.PLANS_VIEW, Permission.INVENTORY_VIEW}
_SEE_WORK = {Permission.WORK_VIEW, Permission.FALLOUT_VIEW}

_ROLES = (
    Role(name="administrator", title="System administrator", permissions=frozenset(Permission)),
    Role(
        name="designer",
        title="Fulfillment designer",
        permissions=frozenset(
            {*_SEE_ORDERS, *_SEE_WORK, Permission.BUNDLES_VIEW, Permission.ANALYTICS_VIEW, Permission.EXCHANGES_VIEW}
        ),
    ),
    Role(
        name="integrator",
        title="Integration specialist",
        permissions=frozenset(
            {
                *_SEE_ORDERS,
                Permission.FALLOUT_VIEW,
                Permission.BUNDLES_VIEW,
                Permission.CONNECTORS_VIEW,
                Permission.EXCHANGES_VIEW,
                Permission.MESSAGES_SEND,
                Permission.EVENTS_VIEW,
            }
        ),
    ),
    Role(
        name="manager",
        title="Fulfillment manager",
        permissions=frozenset(
            {
                *_SEE_ORDERS,
                *_SEE_WORK,
                Permission.EXCHANGES_VIEW,
                Permission.EVENTS_VIEW,
                Permission.ORDERS_CHANGE,
                Permission.ORDERS_HOLD,
                Permission.WORK_DO,
                Permission.WORK_ASSIGN,
                Permission.QUEUES_MANAGE,
                Permission.FALLOUT_RESOLVE,
                Permission.FALLOUT_BULK,
                Permission.LINES_CORRECT,
                Permission.CONNECTORS_VIEW,
                Permission.ANALYTICS_VIEW,
                Permission.USERS_VIEW,
                Permission.AUDIT_VIEW,
            }
        ),
    ),
    Role(
        name="operator",
        title="Fulfillment operator",
        permissions=frozenset({*_SEE_ORDERS, Permission.WORK_VIEW, Permission.WORK_DO}),
        own_queues=True,
    ),
    Role(
        name="fallout_operator",
        title="Fallout operator",
        permissions=frozenset(
            {
                *_SEE_ORDERS,
                *_SEE_WORK,
                Permission.EXCHANGES_VIEW,
                Permission.CONNECTORS_VIEW,
                Permission.ORDERS_HOLD,
                Permission.WORK_DO,
                Permission.FALLOUT_RESOLVE,
                Permission.FALLOUT_BULK,
                Permission.LINES_CORRECT,
            }
        ),
        own_queues=True,
    ),
    Role(
        name="customer",
        title="Agent, partner or customer",
        permissions=frozenset({Permission.ORDERS_SUBMIT, Permission.ORDERS_VIEW, Permission.ORDERS_CHANGE}),
        own_accounts=True,
    ),
    Role(
        name="system",
        title="System or API",
        permissions=frozenset(
            {
                Permission.ORDERS_SUBMIT,
                Permission.ORDERS_VIEW,
                Permission.ORDERS_CHANGE,
                Permission.INVENTORY_VIEW,
                Permission.MESSAGES_SEND,
                Permission.EVENTS_VIEW,
            }
        ),
    ),
)

#: the roles that are always there, by name; more are made of permissions at run time
ROLES: Mapping[str, Role] = {role.name: role for role in _ROLES}
