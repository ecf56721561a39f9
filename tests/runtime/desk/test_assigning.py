"""Whom rules choose, that turns are fair, and that items taken by many at once go to one each."""

from __future__ import annotations

import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orderloom.models.journal import OpenWork, WorkCompleted, WorkKind
from orderloom.models.tasks import AssignMode
from orderloom.runtime.desk.choosing import choose
from orderloom.runtime.desk.duty import DeskDuty
from orderloom.runtime.store.auditing import Deed
from orderloom.runtime.store.desk import Wish
from orderloom.runtime.store.identity import Grant, Member, User
from orderloom.runtime.store.records import Batch, Refusal
from orderloom.runtime.store.sqlite import SqliteStore, open_store
from orderloom.runtime.store.views import WorkFilter, WorkState
from tests.runtime.store.making import NOW, deployed, started

TURNS = (AssignMode.ROUND_ROBIN, AssignMode.LEAST_LOADED)
members = st.lists(
    st.builds(
        Member,
        name=st.sampled_from("abcdefgh"),
        skills=st.frozensets(st.sampled_from(["fibre", "copper", "steel"])),
        away=st.booleans(),
    ),
    unique_by=lambda member: member.name,
)


def member(name: str, *skills: str, away: bool = False) -> Member:
    return Member(name=name, skills=frozenset(skills), away=away)


@given(members, st.sampled_from(AssignMode), st.sampled_from([(), ("fibre",), ("fibre", "steel")]), st.data())
def test_the_one_who_is_chosen_can_have_it_and_has_least(
    known: list[Member], mode: AssignMode, skills: tuple[str, ...], data: st.DataObject
) -> None:
    load = data.draw(st.dictionaries(st.sampled_from("abcdefgh"), st.integers(0, 3)))
    former, last = data.draw(st.sampled_from(" abc")), data.draw(st.sampled_from(" abcdefgh"))
    chosen = choose(mode, skills, known, load, last, former)
    able = {
        each.name: each
        for each in known
        if not each.away and each.name != former and (mode is not AssignMode.BY_SKILL or each.skills.issuperset(skills))
    }
    if mode is AssignMode.PULL or not able:
        assert chosen == ""
        return
    assert chosen in able
    if mode is not AssignMode.ROUND_ROBIN:
        assert load.get(chosen, 0) == min(load.get(name, 0) for name in able)
    else:
        assert chosen == min((name for name in able if name > last), default=min(able))


@pytest.mark.parametrize("mode", TURNS)
def test_members_who_stay_get_the_same_number_of_items(mode: AssignMode) -> None:
    draw = random.Random(7)
    known = [member(name) for name in "abcde"]
    counts, last = Counter[str](), ""
    for _ in range(1000):
        last = choose(mode, (), draw.sample(known, len(known)), counts, last, "")
        counts[last] += 1
    assert set(counts.values()) == {200}


def test_the_turn_goes_on_when_members_come_and_go() -> None:
    last, order = "", ""
    for present in ("abc", "abc", "ac", "ac", "abcd", "abcd", "abcd"):
        last = choose(AssignMode.ROUND_ROBIN, (), [member(name) for name in present], {}, last, "")
        order += last
    assert order == "abcabcd"


def _open(store: SqliteStore, count: int, mode: AssignMode = AssignMode.PULL, **more: str) -> None:
    for number in range(count):
        command = OpenWork(task="1/P.call", kind=WorkKind.MANUAL, queue="field", title="", assign=mode)
        started(store, command, id=f"{more.get('prefix', 'O')}-{number}")


def _staffed(store: SqliteStore, *names: str) -> None:
    for name in names:
        deed = Deed(at=NOW, who="root", what="add_user", kind="user", subject=name)
        user = User(name=name, created_at=NOW)
        store.add_user(user, [(Grant.QUEUE, "field"), (Grant.ROLE, "operator")], deed)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "orders.db"
    deployed(open_store(f"sqlite:///{path}")).close()
    return path


def test_the_turn_is_kept_when_the_worker_is_another(path: Path) -> None:
    found = []
    for day in range(4):
        store = open_store(f"sqlite:///{path}")
        if not day:
            _staffed(store, "ada", "bob", "cleo")
        _open(store, 2, AssignMode.ROUND_ROBIN, prefix=f"O{day}")
        DeskDuty(store).attend(NOW)
        found += [item.claimed_by for item in store.work(WorkFilter(), 100)[-2:]]
        store.close()
    assert found == ["ada", "bob", "cleo", "ada", "bob", "cleo", "ada", "bob"]


def test_the_duty_does_nothing_until_something_changes_or_a_lease_runs_out(path: Path) -> None:
    store = open_store(f"sqlite:///{path}")
    duty = DeskDuty(store)
    _open(store, 1)
    assert not duty.attend(NOW)
    assert duty.next_due() is None
    (item,) = store.work(WorkFilter())
    store.claim(item.id, "ada", NOW)
    assert not duty.attend(NOW)
    assert duty.next_due() == NOW + timedelta(minutes=30)
    assert not duty.attend(NOW + timedelta(minutes=30, microseconds=-1))
    assert duty.attend(NOW + timedelta(minutes=30))
    assert store.work_item(item.id).state is WorkState.OPEN
    store.close()


def test_a_lease_does_not_run_out_while_what_its_owner_asked_for_waits(path: Path) -> None:
    store = open_store(f"sqlite:///{path}")
    _open(store, 1)
    (item,) = store.work(WorkFilter())
    number = store.finish(item.id, "ada", WorkCompleted(task="1/P.call", by="ada"), NOW)
    duty = DeskDuty(store)
    assert not duty.attend(NOW + timedelta(hours=2))
    assert store.work_item(item.id).claimed_by == "ada"
    (origin,) = (each for each in store.inbox(0, 100) if each.id == number)
    store.commit(Batch(refused=[Refusal(order=item.order, origin=origin, message="no")]))
    assert duty.attend(NOW + timedelta(hours=2))
    assert store.work_item(item.id).state is WorkState.OPEN
    store.close()


def test_many_processes_that_take_the_next_item_get_one_each(path: Path) -> None:
    stores = [open_store(f"sqlite:///{path}") for _ in range(4)]
    _open(stores[0], 40)

    def work(number: int) -> list[int]:
        taken = []
        wish = Wish(by=f"p{number}", kinds=(WorkKind.MANUAL,))
        while (item := stores[number % 4].claim_next(wish, NOW, lambda _item: None)) is not None:
            taken.append(item.id)
        return taken

    with ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(work, range(8)))
    assert sorted(id for each in taken for id in each) == [item.id for item in stores[0].work(WorkFilter(), 100)]
    holders = {item.id: item.claimed_by for item in stores[1].work(WorkFilter(), 100)}
    assert holders == {id: f"p{number}" for number, each in enumerate(taken) for id in each}
    for store in stores:
        store.close()


def test_hundreds_of_items_find_their_people_in_short_transactions(path: Path) -> None:
    store = open_store(f"sqlite:///{path}")
    _staffed(store, "ada", "bob", "cleo")
    _open(store, 450, AssignMode.LEAST_LOADED)
    duty, looks = DeskDuty(store), 0
    while duty.attend(NOW):
        looks += 1
    assert looks == 5
    assert Counter(store.loads()) == {"ada": 150, "bob": 150, "cleo": 150}
    store.close()
