"""After any sequence of orders inventory is what the customer's final products would have made of it at once."""

from __future__ import annotations

from hypothesis import event, given, note
from hypothesis import strategies as st

from orderloom.engine.program import Program
from orderloom.models.order import Account
from orderloom.models.tasks import TaskKind
from tests.engine.convergence.designs import programs
from tests.engine.convergence.orders import additions, changes, requests
from tests.engine.convergence.wording import told, told_design
from tests.engine.convergence.world import World, canonical

ACCOUNTS = (Account(id="A/1", name="one"), Account(id="A", name="two"))


@given(program=programs(), data=st.data())
def test_inventory_is_that_of_the_final_products(program: Program, data: st.DataObject) -> None:
    converges(program, data, in_flight=True)


@given(program=programs(working=False), data=st.data())
def test_so_it_is_where_orders_come_one_after_the_other(program: Program, data: st.DataObject) -> None:
    """Far quicker, so that far more of what decomposition may come upon is seen."""
    converges(program, data, in_flight=False)


def converges(program: Program, data: st.DataObject, *, in_flight: bool) -> None:
    note(told_design(program))
    tasks = [task.id for plan in program.design.plans.values() for task in plan.tasks if task.kind is TaskKind.MANUAL]
    pace = {task: data.draw(st.sampled_from((1, 40, 60, 90)), task) for task in tasks}
    worlds = [World(program, account, pace=pace) for account in ACCOUNTS[: data.draw(st.integers(1, 2), "accounts")]]
    for number in range(data.draw(st.integers(2, 5), "orders")):
        world = worlds[data.draw(st.integers(0, len(worlds) - 1))]
        items = data.draw(changes(world, number) if world.products else additions(number))
        note(told(f"O{number} for {world.account.id}", items))
        requested = data.draw(requests(world, items, number)) if in_flight else []
        for after, wanted in requested:
            note(told(f"amended after {after} min", wanted) if isinstance(wanted, list) else f"cancelled: {wanted}")
        placed = world.place(items, f"O{number}", requested)
        note("carried out" if placed else "not carried out")
        event("placed" if placed else "rejected or cancelled")
        for each in items if placed else ():
            event(f"item: {each.action}")
    for world in worlds:
        once = world.anew()
        if once is None:
            event("final products cannot be ordered at once")
            continue
        assert canonical(world) == canonical(once)
