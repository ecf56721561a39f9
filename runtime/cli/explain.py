"""`orderloom explain`: why a rule fired or did not, why a line is as it is."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

import click
from rich.text import Text
from rich.tree import Tree

from orderloom.engine.explanation import LineStory, RuleStory, explain_line, explain_rule, explain_scenario
from orderloom.engine.network import Finding, Verdict
from orderloom.models.fulfillment import Decomposition
from orderloom.runtime.cli import screen
from orderloom.runtime.cli.failure import Failure
from orderloom.runtime.cli.options import json_option
from orderloom.runtime.cli.showing import provenance_text
from orderloom.runtime.cli.trial import Trial, trial


@click.command(name="explain")
@click.argument("bundle", type=click.Path(exists=True, file_okay=False))
@click.argument("order")
@click.argument("name")
@click.option("--inventory", metavar="FILE", help="What the account has, as `orderloom inventory --json` prints it.")
@json_option
def command(bundle: str, order: str, name: str, inventory: str | None, as_json: bool) -> None:
    """Explain NAME for ORDER on BUNDLE: why a rule (`Source->Target`) or a plan applies or not, line by line; or where
    a line (an id or a spec) and each of its values come from."""
    tried = trial(bundle, order, inventory)
    if any(rule.id == name for rule in tried.design.rules):
        story = explain_rule(tried.program, tried.order, name, tried.inventory)
        if as_json:
            screen.show_json(story)
        else:
            _show_rule(story)
        return
    decomposition = tried.decomposition()
    plan = tried.design.plans.get(name)
    if plan is not None:
        if not plan.actions:
            raise Failure(f"`{name}` has no scenario of its own", help="other plans run it; name one of them")
        verdicts = explain_scenario(tried.program, tried.order, decomposition, name)
        if as_json:
            screen.show_json(verdicts)
        else:
            _show_verdicts(f"plan {name} for {plan.spec} on {', '.join(plan.actions)}", verdicts)
        return
    chosen = [line.id for line in decomposition.lines.values() if name in (line.id, line.spec)]
    if not chosen:
        raise _unknown(tried, decomposition, name)
    stories = [explain_line(tried.program, decomposition, line) for line in chosen]
    if as_json:
        screen.show_json(stories)
        return
    for each in stories:
        top = screen.tree(_head(each))
        _add_line(top, each)
        screen.show_tree(top)


def _unknown(tried: Trial, decomposition: Decomposition, name: str) -> Failure:
    """Says whether the name means anything, and what is near."""
    if name in tried.design.specs:
        rules = [rule.id for rule in tried.design.rules if rule.target == name]
        help = f"to see why not: {', '.join(f'`explain … {rule}`' for rule in rules)}" if rules else ""
        return Failure(f"the order has no line of `{name}`", help=help)
    known = [
        *(rule.id for rule in tried.design.rules),
        *tried.design.plans,
        *tried.design.specs,
        *decomposition.lines,
    ]
    near = get_close_matches(name, known, n=3)
    help = f"did you mean {' or '.join(f'`{each}`' for each in near)}?" if near else "see `orderloom decompose`"
    return Failure(f"`{name}` is no rule, plan or spec of this design, and no line of this order", help=help)


def _show_rule(story: RuleStory) -> None:
    condition = f" when {story.condition}" if story.condition else ""
    _show_verdicts(f"rule {story.rule}: {story.source} into {story.target}{condition}", story.verdicts)
    for problem in story.problems:
        screen.remark(f"the order cannot be decomposed: {problem.message}")


def _show_verdicts(title: str, verdicts: Sequence[Verdict]) -> None:
    top = screen.tree(Text(screen.clean(title), style="bold"))
    for verdict in verdicts:
        if verdict.fires:
            text = Text("✓ fires", style="green")
        else:
            text = Text("✗ does not fire", style="red")
        text.append(f" for line {screen.clean(verdict.line)}", style="default")
        if verdict.near_miss:
            text.append("  (one thing short)", style="yellow")
        branch = top.add(text)
        if verdict.inapplicable:
            branch.add(Text(screen.clean(verdict.inapplicable), style="dim"))
        if verdict.shadowed_by:
            branch.add(Text(f"in its place {screen.clean(verdict.shadowed_by)} fires", style="yellow"))
        for finding in verdict.findings:
            branch.add(_finding(finding))
    if not verdicts:
        top.add(Text("the order has no line that it could be about", style="yellow"))
    screen.show_tree(top)


def _finding(finding: Finding) -> Text:
    icon, style = {True: ("✓", "green"), False: ("✗", "red"), None: ("?", "yellow")}[finding.outcome]
    text = Text(f"{icon} ", style=style).append(screen.clean(finding.text), style="default")
    if finding.values:
        read = ", ".join(f"{screen.clean(name)} is {screen.value_text(value)}" for name, value in finding.values)
        text.append(f"   {read}", style="dim")
    if finding.accepted and finding.outcome is not True:
        text.append(f"; accepts {screen.clean(finding.accepted)}", style="yellow")
    if finding.outcome is None:
        text.append("; unknown, since something is absent", style="yellow")
    return text


def _head(story: LineStory) -> Text:
    text = Text(f"{story.action} ", style="cyan").append(screen.clean(story.spec), style="bold")
    return text.append(f"  {screen.clean(story.id)}: {screen.clean(story.reason)}", style="dim")


def _add_line(branch: Tree, story: LineStory) -> None:
    for attribute in story.attributes:
        text = Text(f"{screen.clean(attribute.name)} = {screen.value_text(attribute.value)}")
        if attribute.before is not None and attribute.before != attribute.value:
            text.append(f"  (was {screen.value_text(attribute.before)})", style="yellow")
        if attribute.missing:
            text.append("   to be supplied by a task", style="yellow")
        if attribute.provenance:
            text.append(f"   ← {provenance_text(attribute.provenance)}", style="dim")
        branch.add(text)
    for source in story.sources:
        condition = f" when {screen.clean(source.condition)}" if source.condition else ""
        text = Text(f"by {screen.clean(source.rule)}{condition}, from ", style="default")
        _add_line(branch.add(text.append_text(_head(source.line))), source.line)
