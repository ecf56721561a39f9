"""Users, what they add up to, whose orders they see, and the trail."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orderloom.runtime import Runtime
from orderloom.runtime.access.permissions import ROLES, Permission
from orderloom.runtime.access.resolving import all_roles, principal
from orderloom.runtime.errors import (
    Forbidden,
    NameRefused,
    NotGranted,
    NotPossible,
    OrderRefused,
    UnknownOrder,
    UnknownPermission,
    UnknownRole,
    UnknownTeam,
    UnknownUser,
    UserExists,
)
from orderloom.runtime.store.identity import Grant, Held, Holder, OwnRole
from tests.runtime.change import boxes
from tests.runtime.face.parcels import FILES, box


def on(home: Path, work: Callable[[Runtime], Awaitable[None]]) -> None:
    async def run() -> None:
        async with await Runtime.open(home) as runtime:
            await work(runtime)

    asyncio.run(run())


def test_a_store_without_users_is_open_and_the_first_one_is_an_administrator(tmp_path: Path) -> None:
    async def work(runtime: Runtime) -> None:
        anybody = await runtime.acting_as("anybody")
        assert anybody.principal.permissions == frozenset(Permission)
        with pytest.raises(NotPossible, match="no administrator"):
            await anybody.add_user("bob", roles=["operator"])
        await anybody.add_user("ann", roles=["administrator"])
        with pytest.raises(UnknownUser):
            await runtime.acting_as("anybody")
        with pytest.raises(UserExists):
            await runtime.add_user("ann")

    on(tmp_path, work)


def test_the_last_administrator_stays(tmp_path: Path) -> None:
    async def work(runtime: Runtime) -> None:
        await runtime.put_team("owners")
        await runtime.grant("team", "owners", "role", "administrator")
        await runtime.add_user("ann", roles=["administrator"])
        await runtime.add_user("bob", teams=["owners"])
        await runtime.change_user("ann", active=False)
        for attempt in (
            runtime.revoke("team", "owners", "role", "administrator"),
            runtime.revoke("user", "bob", "team", "owners"),
            runtime.drop_team("owners"),
            runtime.change_user("bob", active=False),
        ):
            with pytest.raises(NotPossible, match="no active administrator"):
                await attempt
        await runtime.change_user("ann", active=True)
        await runtime.drop_team("owners")
        assert (await runtime.user("bob")).permissions == ()

    on(tmp_path, work)


def test_what_a_user_may_do_follows_from_roles_teams_and_grants(tmp_path: Path) -> None:
    async def work(runtime: Runtime) -> None:
        await runtime.add_user("root", roles=["administrator"])
        await runtime.put_team("field", "Field force")
        await runtime.grant("team", "field", "role", "operator")
        await runtime.grant("team", "field", "queue", "packers")
        await runtime.grant("team", "field", "skill", "fibre")
        await runtime.put_role("dispatcher", permissions=["work.assign"], includes=["operator"])
        await runtime.add_user("bob", teams=["field"], skills=["copper"])
        await runtime.put_role("partner", includes=["customer"])
        await runtime.put_role("broker", includes=["customer"], permissions=["orders.view"])
        await runtime.add_user("eve", roles=["dispatcher"], queues=["trouble"])
        await runtime.add_user("pat", roles=["partner"], accounts=["A-1"])
        await runtime.add_user("bo", roles=["broker"], accounts=["A-1"])
        assert (await runtime.acting_as("pat")).principal.accounts == frozenset({"A-1"})
        assert (await runtime.acting_as("bo")).principal.accounts is None
        bob = (await runtime.acting_as("bob")).principal
        assert bob.permissions == ROLES["operator"].permissions
        assert (bob.queues, bob.skills, bob.accounts) == (frozenset({"packers"}), frozenset({"fibre", "copper"}), None)
        eve = (await runtime.acting_as("eve")).principal
        assert eve.permissions == ROLES["operator"].permissions | {Permission.WORK_ASSIGN}
        assert eve.queues == frozenset({"trouble"})
        members = runtime._store.members_of("packers")
        assert [(each.name, each.skills) for each in members] == [("bob", frozenset({"fibre", "copper"}))]
        await runtime.revoke("user", "bob", "team", "field")
        assert (await runtime.acting_as("bob")).principal.permissions == frozenset()
        assert runtime._store.members_of("packers") == []
        await runtime.drop_role("dispatcher")
        assert (await runtime.user("eve")).permissions == ()

    on(tmp_path, work)


def test_what_does_not_exist_is_not_granted(tmp_path: Path) -> None:
    async def work(runtime: Runtime) -> None:
        await runtime.add_user("root", roles=["administrator"])
        for attempt, error in (
            (runtime.add_user("bob", roles=["king"]), UnknownRole),
            (runtime.add_user("bob", teams=["none"]), UnknownTeam),
            (runtime.add_user("b b"), NameRefused),
            (runtime.add_user("system"), NotPossible),
            (runtime.put_role("x", permissions=["fly"]), UnknownPermission),
            (runtime.put_role("x", includes=["king"]), UnknownRole),
            (runtime.put_role("operator", permissions=["users.manage"]), NotPossible),
            (runtime.drop_role("operator"), NotPossible),
            (runtime.grant("user", "nobody", "skill", "x"), UnknownUser),
            (runtime.grant("team", "none", "skill", "x"), UnknownTeam),
            (runtime.revoke("user", "root", "skill", "x"), NotGranted),
        ):
            with pytest.raises(error):
                await attempt
        assert [view.user.name for view in await runtime.users()] == ["root"]

    on(tmp_path, work)


def test_nobody_speaks_for_another(tmp_path: Path) -> None:
    async def work(runtime: Runtime) -> None:
        await runtime.deploy(FILES)
        await runtime.add_user("root", roles=["administrator"])
        await runtime.add_user("bob", roles=["manager"])
        order = await runtime.submit(box())
        bob = await runtime.acting_as("bob")
        with pytest.raises(Forbidden, match="act as root"):
            await bob.hold(order.id, "root")
        with pytest.raises(Forbidden):
            await bob.acting_as("root")
        await bob.hold(order.id, reason="a question")
        await bob.cancel(order.id, reason="changed their mind")
        with pytest.raises(Forbidden, match="force cancel"):
            await bob.cancel(order.id, force=True)
        deeds = [view.deed for view in await runtime.audit(who="bob", denied=False)]
        assert [(deed.what, deed.order, deed.reason) for deed in deeds] == [
            ("cancel", order.id, "changed their mind"),
            ("hold", order.id, "a question"),
        ]

    on(tmp_path, work)


def test_a_customer_sees_orders_of_their_own_accounts_only(tmp_path: Path) -> None:
    async def work(runtime: Runtime) -> None:
        await runtime.deploy(FILES)
        await runtime.add_user("root", roles=["administrator"])
        await runtime.add_user("carol", roles=["customer"], accounts=["A-1", "A-2"])
        theirs = await runtime.submit(box(account="A-9", externalId="X-9"))
        carol = await runtime.acting_as("carol")
        mine = await carol.submit(box(account="A-2", externalId="X-2"))
        assert [each.id for each in await carol.orders()] == [mine.id]
        assert await carol.orders(account="A-9") == await carol.orders(external_id="X-9") == []
        assert (await carol.order(mine.id)).account == "A-2"
        with pytest.raises(UnknownOrder):
            await carol.order(theirs.id)
        with pytest.raises(UnknownOrder):
            await carol.resource(theirs.id)
        with pytest.raises(UnknownOrder):
            await carol.cancel(theirs.id)
        with pytest.raises(UnknownOrder):
            await carol.preview_cancel(theirs.id)
        with pytest.raises(Forbidden, match="A-9"):
            await carol.submit(box(account="A-9", externalId="X-10"))
        with pytest.raises(Forbidden, match="A-9"):
            await carol.preview(box(account="A-9", externalId="X-10"))
        with pytest.raises(Forbidden):
            await carol.attempts(mine.id)

    on(tmp_path, work)


def test_an_order_is_tied_to_orders_that_one_sees_only(tmp_path: Path) -> None:
    async def work(runtime: Runtime) -> None:
        await runtime.deploy(FILES)
        await runtime.add_user("root", roles=["administrator"])
        await runtime.add_user("carol", roles=["customer"], accounts=["A-1"])
        await runtime.submit(box(account="A-9", id="O-9", externalId="X-9"))
        await runtime.submit(box(account="A-1", id="O-1", externalId="X-1"))
        carol = await runtime.acting_as("carol")
        for other in ("O-9", "X-9", "O-none"):
            related = [{"id": other, "relationshipType": "dependsOn"}]
            with pytest.raises(OrderRefused, match="an order that was submitted"):
                await carol.submit(box(account="A-1", orderRelationship=related))
        mine = await carol.submit(box(account="A-1", orderRelationship=[{"id": "X-1", "relationshipType": "requires"}]))
        assert (await runtime.state(mine.id)).order.depends_on == ("O-1",)

    on(tmp_path, work)


def test_the_trail_says_what_changed(tmp_path: Path) -> None:
    async def work(runtime: Runtime) -> None:
        await runtime.deploy(FILES)
        await runtime.put_role("partner", permissions=["orders.view"], own_accounts=True)
        await runtime.put_role("partner", permissions=["orders.view"], includes=["customer"])
        await runtime.drop_role("partner")
        dropped, changed, made = [view.deed for view in await runtime.audit(kind="role")]
        assert made.before == {}
        assert made.after["own_accounts"] is True
        assert changed.before == made.after
        assert changed.after == dropped.before
        assert (changed.after["own_accounts"], changed.after["includes"]) == (False, ["customer"])
        await runtime.put_team("field", "Field")
        await runtime.put_team("field", "Field force")
        assert (await runtime.audit(kind="team", limit=1))[0].deed.before == {"title": "Field"}

        await runtime.add_user("root", roles=["administrator"])
        await runtime.add_user("ivo", roles=["integrator"])
        ivo = await runtime.acting_as("ivo")
        await ivo.publish("parcel.seen", {"tracking": "T-1"})
        await ivo.callback("depot.send", {"tracking": "T-1"})
        assert [(view.deed.what, view.deed.subject) for view in await runtime.audit(who="ivo")] == [
            ("callback", "depot.send"),
            ("publish", "parcel.seen"),
        ]

        await runtime.submit(box())
        await runtime.run_until_idle()
        (item,) = await runtime.work()
        await runtime.complete(item.id, "root", {"weight": "3"})
        (done,) = await runtime.audit(what="complete")
        assert done.deed.after == {"state": "done", "values": {"weight": 3, "fragile": False}}

    on(tmp_path, work)


def test_the_trail_says_what_was_not_allowed(tmp_path: Path) -> None:
    async def work(runtime: Runtime) -> None:
        await runtime.deploy(FILES)
        await runtime.add_user("root", roles=["administrator"])
        await runtime.add_user("carol", roles=["customer"], accounts=["A-1"])
        carol = await runtime.acting_as("carol")
        for tried in (carol.hold("O-9"), carol.claim(7), carol.users(), carol.cancel("O-9", force=True)):
            with pytest.raises(Forbidden):
                await tried
        with pytest.raises(Forbidden, match="submit for A-9"):
            await carol.submit(box(account="A-9"))
        denied = [view.deed for view in await runtime.audit(denied=True)]
        assert [(deed.what, deed.subject, deed.order) for deed in denied] == [
            ("submit", "A-9", ""),
            ("force cancel", "O-9", "O-9"),
            ("users", "", ""),
            ("claim", "7", ""),
            ("hold", "O-9", "O-9"),
        ]

    on(tmp_path, work)


def test_an_operator_touches_only_orders_of_their_queues(tmp_path: Path) -> None:
    async def work(runtime: Runtime) -> None:
        await runtime.deploy(FILES)
        await runtime.add_user("root", roles=["administrator"])
        for name, queue in (("finn", "trouble"), ("gus", "packers")):
            await runtime.add_user(name, roles=["fallout_operator"], queues=[queue])
        order = await runtime.submit(box())
        await runtime.run_until_idle()
        [line] = [each.id for each in await runtime.lines(order.id) if each.spec == "Parcel"]
        finn, gus = await runtime.acting_as("finn"), await runtime.acting_as("gus")
        for attempt in (finn.hold(order.id), finn.resume(order.id), finn.correct(order.id, line, {"weight": 3})):
            with pytest.raises(Forbidden, match=order.id):
                await attempt
        await gus.correct(order.id, line, {"weight": 3})
        await gus.hold(order.id, reason="a question")

    on(tmp_path, work)


def test_the_trail_is_only_ever_added_to(tmp_path: Path) -> None:
    async def work(runtime: Runtime) -> None:
        await runtime.add_user("root", roles=["administrator"], by="setup")

    on(tmp_path, work)
    path = tmp_path / "orderloom.db"
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT who, what FROM audit").fetchall() == [("setup", "add_user")]
        for change in (
            "UPDATE audit SET who = 'x'",
            "DELETE FROM audit",
            "REPLACE INTO audit SELECT id, at, 'x', on_behalf, what, kind, subject, order_id, before, after, reason, "
            "denied, request FROM audit",
        ):
            with pytest.raises(sqlite3.IntegrityError, match="only ever added to"):
                connection.execute(change)


NAMES = ("a", "b", "c", "operator", "customer")


@given(
    st.dictionaries(
        st.sampled_from(("a", "b", "c")),
        st.tuples(st.frozensets(st.sampled_from(list(Permission)), max_size=3), st.lists(st.sampled_from(NAMES))),
    ),
    st.lists(st.sampled_from(NAMES)),
)
def test_roles_made_of_roles_give_all_that_any_of_them_permits(
    made: dict[str, tuple[frozenset[Permission], list[str]]], granted: list[str]
) -> None:
    """However they include each other; against a search by hand."""
    own = [
        OwnRole(name=name, title="", permissions=permissions, includes=tuple(includes))
        for name, (permissions, includes) in made.items()
    ]
    held = [Held(holder=Holder.USER, name="u", kind=Grant.ROLE, value=name) for name in granted]
    reached = set(granted)
    while True:
        more = {each for name in reached if name in made for each in made[name][1]} - reached
        if not more:
            break
        reached |= more
    expected = {each for name in reached if name in made for each in made[name][0]}
    expected |= {each for name in reached if name in ROLES for each in ROLES[name].permissions}
    assert principal("u", held, all_roles(own)).permissions == expected


def test_a_dry_run_is_for_the_one_who_asks(tmp_path: Path) -> None:
    """What it says is what the same user would meet: roles are the user's own, and force is for those who may."""
    soft = 'undo      depot.fetch\n    no return soft "a fee" approval legal'
    design = boxes.FILES["design.loom"].replace("undo      depot.fetch", soft)

    async def work(runtime: Runtime) -> None:
        await runtime.deploy({**boxes.FILES, "design.loom": design})
        id = (await runtime.submit(boxes.order())).id
        await runtime.run_until_idle()
        await runtime.add_user("root", roles=["administrator"])
        await runtime.put_role("legal", permissions=["orders.view"])
        await runtime.add_user("lea", roles=["system", "legal"])
        await runtime.add_user("al", roles=["system"])
        lea, al = [await runtime.acting_as(each) for each in ("lea", "al")]
        wanted = boxes.order(size="large")
        assert not (await lea.preview_amend(id, wanted, accept=True)).reasons
        (reason,) = (await al.preview_amend(id, wanted, accept=True, roles=["legal"])).reasons
        assert "approval of `legal`" in reason
        for preview in (al.preview_amend(id, wanted, force=True), al.preview_cancel(id, force=True)):
            with pytest.raises(Forbidden):
                await preview
        assert not (await runtime.preview_amend(id, wanted, accept=True, roles=["legal"])).reasons

    on(tmp_path, work)
