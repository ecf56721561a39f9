"""Users, teams, roles and the trail, from the command line."""

from __future__ import annotations

from tests.runtime.cli.conftest import Shell


def test_users_are_added_granted_and_disabled(shell: Shell) -> None:
    assert "open to whoever may write" in shell("users", "list").stderr
    refused = shell("users", "add", "bob", "--role", "operator", exit=1)
    assert "no administrator" in refused.stderr
    shell("users", "add", "root", "--role", "administrator", "--title", "Root", "--by", "setup")
    shell("teams", "add", "field", "--title", "Field force", "--by", "root")
    shell("teams", "grant", "field", "role", "operator", "--by", "root")
    shell("users", "add", "bob", "--team", "field", "--queue", "packers", "--by", "root")
    [bob] = [each for each in shell.json("users", "list", by="root") if each["user"]["name"] == "bob"]
    assert (bob["roles"], bob["teams"], bob["queues"]) == (["operator"], ["field"], ["packers"])
    shell("users", "grant", "bob", "skill", "fibre", "--by", "root")
    shell("users", "away", "--by", "bob")
    assert "away" in shell("users", "list", by="root").stdout
    shell("users", "away", "bob", "--back", "--by", "root")
    shell("users", "change", "bob", "--email", "bob@example.com", "--by", "root")
    shell("users", "disable", "bob", "--reason", "has left", "--by", "root")
    assert "no active user `bob`" in shell("work", "list", "--by", "bob", exit=1).stderr
    shell("users", "enable", "bob", "--by", "root")
    shell("users", "revoke", "bob", "team", "field", "--by", "root")
    assert "nothing" in shell("users", "show", "bob", by="root").stdout


def test_who_is_not_allowed_is_told_so_and_the_trail_keeps_it(shell: Shell) -> None:
    shell("users", "add", "root", "--role", "administrator", "--by", "setup")
    shell("users", "add", "bob", "--role", "operator", "--by", "root")
    refused = shell("deploy", shell.bundle, exit=1, by="bob")
    assert "`bob` may not `deploy`" in refused.stderr
    assert "bundles.deploy" in refused.stderr
    shell("deploy", shell.bundle, by="root")
    shell("users", "add", "eve", "--by", "bob", exit=1)
    shell("users", "list", exit=1, by="nobody")
    found = shell.json("audit", by="root")
    told = [(each["deed"]["who"], each["deed"]["what"], each["deed"]["denied"]) for each in found]
    assert told == [
        ("bob", "add_user", True),
        ("root", "deploy", False),
        ("bob", "deploy", True),
        ("root", "add_user", False),
        ("setup", "add_user", False),
    ]
    assert "denied" in shell("audit", "--denied", "--who", "bob", by="root").stdout
    assert shell.json("audit", "--since", "2999-01-01", by="root") == []


def test_roles_are_made_and_removed(shell: Shell) -> None:
    shell("users", "add", "root", "--role", "administrator", "--by", "setup")
    made = shell("roles", "add", "lead", "--permit", "work.assign", "--include", "operator", "--by", "root").stdout
    assert "work.assign" in made
    assert "work.do" in made
    assert "lead *" in shell("roles", "list", by="root").stdout
    assert (
        "there is no permission `fly`" in shell("roles", "add", "x", "--permit", "fly", "--by", "root", exit=1).stderr
    )
    shell("roles", "remove", "lead", "--by", "root")
    assert "lead" not in {each["name"] for each in shell.json("roles", "list", by="root")}


def test_an_order_is_shown_to_each_as_far_as_they_may_see_it(shell: Shell) -> None:
    shell("users", "add", "root", "--role", "administrator", "--by", "setup")
    shell("users", "add", "carol", "--role", "customer", "--account", "A-1", "--by", "root")
    shell("users", "add", "oscar", "--role", "operator", "--by", "root")
    shell("deploy", shell.bundle, by="root")
    order = shell.json("submit", shell.order("first", externalId="X-1"), by="carol")
    assert "worker.control" in shell("run", "--until-idle", exit=1, by="carol").stderr
    shell("run", "--until-idle", by="root")
    assert set(shell.json("orders", "show", "X-1", by="root")) > {"lines", "tasks", "journal", "calls"}
    seen = shell.json("orders", "show", "X-1", by="oscar")
    assert "tasks" in seen
    assert "calls" not in seen
    assert "milestones" in shell.json("orders", "show", "X-1", by="carol")
    assert "exchanges.view" in shell("orders", "show", "X-1", "--calls", exit=1, by="oscar").stderr
    assert "plans.view" in shell("orders", "journal", "X-1", exit=1, by="carol").stderr
    assert [each["id"] for each in shell.json("orders", "list", by="carol")] == [order["id"]]
