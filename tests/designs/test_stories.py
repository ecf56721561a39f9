"""What becomes of every sample order, and that each feature a sample is there for can be seen in it."""

from __future__ import annotations

from collections.abc import Iterable
from xml.etree import ElementTree

import pytest

from orderloom.engine.simulation import Decision, Script
from orderloom.models.catalog import Action
from orderloom.models.fulfillment import Line
from orderloom.models.inventory import Asset, AssetState
from orderloom.models.journal import FalloutAction
from orderloom.models.order import OrderStatus
from orderloom.models.plan import Task, TaskState

from .story import Chapter, Systems, play, story

REJECTED = {"rejected_static_address", "rejected_plastic"}
#: these stop at a person's desk
STOPPED = {"no_capacity"}


def lines(chapter: Chapter, spec: str) -> list[Line]:
    return [line for line in chapter.result.state.lines.values() if line.spec == spec]


def line(chapter: Chapter, spec: str) -> Line:
    (found,) = lines(chapter, spec)
    return found


def tasks(chapter: Chapter, name: str) -> list[Task]:
    return [task for task in chapter.result.state.tasks.values() if task.definition.rpartition(".")[2] == name]


def task(chapter: Chapter, name: str) -> Task:
    (found,) = tasks(chapter, name)
    return found


def assets(chapter: Chapter, spec: str) -> list[Asset]:
    return [asset for asset in chapter.result.inventory.assets.values() if asset.spec == spec]


def actions(chapter: Chapter, specs: Iterable[str]) -> dict[str, list[str]]:
    return {spec: [str(line.action) for line in lines(chapter, spec)] for spec in specs}


@pytest.mark.parametrize("name", ["fiber", "mobile"])
def test_every_order_ends_as_it_should(name: str) -> None:
    ends = {chapter.name: chapter.result.state.status for chapter in story(name).values()}

    wanted = {
        each: OrderStatus.REJECTED
        if each in REJECTED
        else OrderStatus.PENDING
        if each in STOPPED
        else OrderStatus.COMPLETED
        for each in ends
    }
    assert ends == wanted


@pytest.mark.parametrize("name", ["fiber", "mobile"])
def test_a_completed_order_leaves_nothing_open_or_missing(name: str) -> None:
    for chapter in story(name).values():
        if chapter.result.state.status is not OrderStatus.COMPLETED:
            continue
        assert [each.id for each in chapter.result.state.tasks.values() if not each.state.final] == []
        assert [each.id for each in chapter.result.state.lines.values() if each.missing] == []
        for asset in chapter.result.inventory.assets.values():
            made = chapter.result.state.lines.get(asset.id)
            if made is not None:
                assert made.attributes == asset.attributes


# --- fiber ------------------------------------------------------------------------------------------------------------


def test_self_installation_knows_the_terminal_when_the_warehouse_has_sent_it() -> None:
    chapter = story("fiber")["new_self_install"]

    assert chapter.decomposition.lines["GponAccess:FIB-1001:1"].missing == ("ont_serial",)
    serial = line(chapter, "SelfInstall").attributes["ont_serial"]
    assert serial == "ONT-SITE-1001"
    assert line(chapter, "GponAccess").attributes["ont_serial"] == serial
    assert line(chapter, "OpticalTerminal").attributes["serial"] == serial
    assert [asset.attributes["serial"] for asset in assets(chapter, "OpticalTerminal")] == [serial]
    assert lines(chapter, "TechnicianVisit") == []


def test_a_technician_reads_the_serial_number() -> None:
    chapter = story("fiber")["new_technician"]

    assert lines(chapter, "SelfInstall") == []
    assert task(chapter, "site_visit").state is TaskState.COMPLETED
    serial = line(chapter, "TechnicianVisit").attributes["ont_serial"]
    assert serial is not None
    assert line(chapter, "GponAccess").attributes["ont_serial"] == serial
    assert chapter.requests["acs.configure_ont"][0].path == f"/terminals/{serial}"
    assert line(chapter, "InternetAccess").attributes["upstream"] == 500


def test_the_flaky_inventory_is_asked_again() -> None:
    attempts = [
        task(chapter, "reserve_port").attempts
        for chapter in story("fiber").values()
        if len(tasks(chapter, "reserve_port")) == 1 and chapter.result.state.status is OrderStatus.COMPLETED
    ]

    assert max(attempts) > 1


def test_two_lines_of_an_account_share_one_address() -> None:
    chapter = story("fiber")["static_address"]
    address = line(chapter, "StaticAddress")

    assert {source.line for source in address.sources} == {"1", "2"}
    assert len(chapter.requests["inventory.reserve_address"]) == 2, "the first answer was `busy`, the second an address"
    assert len(chapter.requests["messaging.send"]) == 1, "the customer is told once an order"
    for session in tasks(chapter, "set_session"):
        assert task(chapter, "reserve_address").id in session.after


def test_the_address_stays_with_the_other_line() -> None:
    chapter = story("fiber")["disconnect_shared_address"]

    assert line(chapter, "StaticAddress").action is Action.NO_CHANGE
    assert len(assets(chapter, "StaticAddress")) == 1
    assert {asset.id for asset in assets(chapter, "FiberInternet")} == {"FIB-1003:2"}
    assert "inventory.release_address" not in chapter.requests


def test_extenders_count_and_are_sent_as_many_as_ordered() -> None:
    chapter = story("fiber")["with_extenders"]

    wifi = line(chapter, "HomeWifi").attributes
    assert (wifi["access_points"], wifi["mesh"], wifi["model"]) == (4, True, "wifi7")
    assert [each.quantity for each in lines(chapter, "ExtenderDevice")] == [2, 1]
    assert {each.id for each in tasks(chapter, "ship_device")} <= set(task(chapter, "configure_wifi").after)


def test_a_number_is_brought_along_and_another_chosen() -> None:
    chapter = story("fiber")["voip_port_in"]

    kept, chosen = lines(chapter, "SipAccount")
    assert kept.attributes["number"] == "+49305550106"
    assert str(chosen.attributes["number"]).startswith("+4930555")
    assert [each.state for each in tasks(chapter, "request_port")] == [TaskState.COMPLETED, TaskState.SKIPPED]
    ported = next(each for each in lines(chapter, "VoiceLine") if each.attributes["keep_number"])
    assert str(ported.attributes["port_date"]) == "2026-12-01"
    assert len(tasks(chapter, "post_charges")) == 3


def test_billing_is_asked_in_xml() -> None:
    chapter = story("fiber")["new_self_install"]
    (request,) = chapter.requests["billing.post_charges"]

    charges = ElementTree.fromstring(request.body)
    assert charges.attrib == {"action": "add"}
    assert [child.tag.partition("}")[2] for child in charges] == ["customer", "product", "order"]
    assert charges[1].attrib["item"] == "1"


def test_a_slow_line_gets_no_static_address() -> None:
    state = story("fiber")["rejected_static_address"].result.state

    assert any("A static address needs at least 500 Mbit/s" in reason for reason in state.reasons)
    assert state.tasks == {}


def test_without_a_port_the_order_lies_with_network_planning() -> None:
    chapter = story("fiber")["no_capacity"]
    reserve = task(chapter, "reserve_port")

    assert (reserve.state, reserve.code, reserve.queue) == (TaskState.FALLOUT, "NO_CAPACITY", "capacity_desk")
    assert task(chapter, "configure_ont").state is TaskState.PENDING


def test_a_faster_line_keeps_its_terminal() -> None:
    chapter = story("fiber")["change_speed"]

    assert actions(chapter, ("InternetAccess", "GponAccess", "SelfInstall", "OpticalTerminal", "RouterDevice")) == {
        "InternetAccess": ["modify"],
        "GponAccess": ["modify"],
        "SelfInstall": ["noChange"],
        "OpticalTerminal": ["noChange"],
        "RouterDevice": ["modify"],
    }
    assert line(chapter, "GponAccess").attributes["profile"] == "GPON-1000"
    assert task(chapter, "request_old").id in task(chapter, "ship_device").after
    assert tasks(chapter, "ship_terminal") == []


def test_a_line_that_is_given_up_leaves_nothing() -> None:
    chapter = story("fiber")["disconnect"]

    assert dict(chapter.result.inventory.assets) == {}
    assert task(chapter, "until_wanted").state is TaskState.COMPLETED
    assert task(chapter, "remove_ont").id in task(chapter, "release_port").after
    assert task(chapter, "ceased").id in task(chapter, "post_charges").after


def test_an_extender_that_comes_back_no_longer_counts() -> None:
    chapter = story("fiber")["remove_extender"]

    assert line(chapter, "HomeWifi").attributes["access_points"] == 3
    assert task(chapter, "configure_wifi").state is TaskState.COMPLETED
    assert [each.action for each in lines(chapter, "ExtenderDevice")] == [Action.DELETE]
    assert len(assets(chapter, "ExtenderDevice")) == 1


def test_a_line_is_blocked_and_opened_again() -> None:
    suspended, resumed = story("fiber")["suspend"], story("fiber")["resume"]

    assert {asset.state for asset in suspended.result.inventory.assets.values()} == {AssetState.SUSPENDED}
    assert {asset.state for asset in resumed.result.inventory.assets.values()} == {AssetState.ACTIVE}
    assert set(suspended.requests) == {"acs.block_ont"}
    assert set(resumed.requests) == {"acs.configure_ont"}
    assert suspended.before.assets.keys() == resumed.result.inventory.assets.keys()


def test_a_number_goes_back_when_nothing_uses_it() -> None:
    chapter = story("fiber")["disconnect_voip"]

    assert task(chapter, "release_number").after == (task(chapter, "remove_account").id,)
    number = line(chapter, "VoiceLine").attributes["number"]
    assert chapter.requests["numbers.release"][0].path == "/allocations/" + str(number).replace("+", "%2B")
    assert [asset.attributes["number"] for asset in assets(chapter, "SipAccount")] == ["+49305550106"]


def test_network_planning_finds_another_port() -> None:
    chapter = story("fiber")["no_capacity"]
    decision = Decision(
        action=FalloutAction.RETRY, correct={"site": "SITE-1007"}, by="planner", reason="the house has a second riser"
    )

    def script(world: Systems) -> Script:
        return Script(answer=world.answer, decisions={"reserve_port": (decision,)})

    result, world = play("fiber", chapter.order, chapter.before, script)

    assert result.state.status is OrderStatus.COMPLETED
    bodies = [request.body for request in world.requests["inventory.reserve_port"]]
    assert b'"SITE-FULL"' in bodies[0]
    assert b'"SITE-1007"' in bodies[-1]


# --- mobile -----------------------------------------------------------------------------------------------------------


def test_a_family_gets_one_parcel_one_group_and_one_allowance() -> None:
    chapter = story("mobile")["new_family"]

    assert [each.spec for each in chapter.result.state.lines.values()].count("CardService") == 2
    assert len(lines(chapter, "EsimService")) == 1
    assert len(chapter.requests["cards.ship"]) == 1
    assert line(chapter, "SharedAllowance").attributes["lines"] == 3
    assert len(line(chapter, "CallingGroup").sources) == 3
    assert len(line(chapter, "RoamingZone").sources) == 2
    assert len(line(chapter, "VoicemailAccount").sources) == len(lines(chapter, "Mailbox")) == 2


def test_subscribers_wait_for_number_and_sim() -> None:
    chapter = story("mobile")["new_family"]

    for subscriber in lines(chapter, "Subscriber"):
        assert chapter.decomposition.lines[subscriber.id].missing == ("msisdn", "iccid")
        (source,) = subscriber.sources
        service = chapter.result.state.lines[source.line]
        assert subscriber.attributes["msisdn"] == service.attributes["msisdn"]
        assert subscriber.attributes["iccid"] == service.attributes["iccid"]


def test_a_ported_number_waits_for_its_event() -> None:
    chapter = story("mobile")["port_in"]

    assert line(chapter, "EsimService").attributes["msisdn"] == "+491705550102"
    assert task(chapter, "choose_number").state is TaskState.SKIPPED
    assert task(chapter, "check_consent").state is TaskState.COMPLETED
    assert task(chapter, "ported").state is TaskState.COMPLETED
    assert task(chapter, "ported").id in task(chapter, "in_service").after


def test_two_plans_of_one_order_share_their_data() -> None:
    chapter = story("mobile")["two_plans"]

    allowance = line(chapter, "SharedAllowance")
    assert {source.line for source in allowance.sources} == {"1", "2"}
    assert allowance.attributes["options"] == ("hotspot", "video", "priority")
    assert b'"options": ["hotspot", "video", "priority"]' in chapter.requests["policy.set_allowance"][0].body
    assert len(lines(chapter, "CallingGroup")) == 2


def test_passes_of_one_line_fill_one_counter() -> None:
    first, later = story("mobile")["data_passes"], story("mobile")["more_data"]

    assert {source.line for source in line(first, "ExtraData").sources} == {"2", "3"}
    assert [str(each.attributes["validity"]) for each in lines(first, "Grant")] == [
        "30 days, 0:00:00",
        "14 days, 0:00:00",
    ]
    assert line(later, "ExtraData").action is Action.NO_CHANGE
    assert line(later, "ExtraData").asset == line(first, "ExtraData").asset
    assert [each.action for each in lines(later, "Grant")] == [Action.ADD]


def test_a_line_joins_what_the_family_shares() -> None:
    chapter = story("mobile")["add_line"]

    assert actions(chapter, ("SharedAllowance", "CallingGroup", "VoicemailAccount", "EsimService")) == {
        "SharedAllowance": ["modify"],
        "CallingGroup": ["noChange"],
        "VoicemailAccount": ["noChange"],
        "EsimService": ["add"],
    }
    assert line(chapter, "SharedAllowance").attributes["lines"] == 4


def test_the_voicemail_account_goes_with_its_last_mailbox() -> None:
    chapter = story("mobile")["remove_voicemail"]

    assert line(chapter, "VoicemailAccount").action is Action.DELETE
    assert assets(chapter, "VoicemailAccount") == []
    assert task(chapter, "close_account").after == (task(chapter, "remove_mailbox").id,)


def test_a_plan_that_ends_leaves_nothing() -> None:
    chapter = story("mobile")["leave"]

    assert dict(chapter.result.inventory.assets) == {}
    assert task(chapter, "remove_subscriber").id in task(chapter, "release_number").after
