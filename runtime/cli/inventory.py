"""`orderloom inventory`: what accounts have."""

from __future__ import annotations

import click

from orderloom.models.inventory import Asset, AssetState
from orderloom.runtime.cli import screen
from orderloom.runtime.cli.options import json_option, store_options
from orderloom.runtime.cli.stores import opened


@click.group(name="inventory", invoke_without_command=True)
@click.option("--account", default="", help="Only this account's.")
@click.option("--spec", default="", help="Only of this spec.")
@click.option("--state", type=click.Choice([str(each) for each in AssetState]), help="Only in this state.")
@click.option("--limit", default=200, show_default=True, type=click.IntRange(1, 100_000), help="At most so many.")
@click.option("--after", default="", help="Only those after this id, for the next page.")
@json_option
@store_options
@click.pass_context
def command(
    ctx: click.Context, account: str, spec: str, state: str | None, limit: int, after: str, as_json: bool
) -> None:
    """Show what accounts have: products, services and resources."""
    if ctx.invoked_subcommand:
        return
    with opened(ctx) as runtime:
        found = runtime.inventory(account=account, spec=spec, state=state or "", limit=limit, after=after)
    if as_json:
        screen.show_json([each.asset for each in found])
        return
    if not found:
        screen.remark("nothing in inventory")
        return
    screen.show_table(
        ("id", "spec", "account", "state", "attributes", "used by", "order"),
        [
            (
                each.asset.id,
                each.asset.spec,
                each.asset.account,
                screen.state(each.asset.state),
                _attributes(each.asset),
                ", ".join(sorted(each.asset.users)),
                each.asset.order,
            )
            for each in found
        ],
    )
    if len(found) == limit:
        screen.remark(f"more with --after {found[-1].asset.id}")


@command.command()
@click.argument("asset")
@click.option("--history", is_flag=True, help="With all that it was before.")
@json_option
@store_options
@click.pass_context
def show(ctx: click.Context, asset: str, history: bool, as_json: bool) -> None:
    """Show one item of inventory."""
    with opened(ctx) as runtime:
        versions = runtime.asset_history(asset)
    shown = versions if history else versions[-1:]
    if as_json:
        screen.show_json(shown if history else shown[-1].asset)
        return
    screen.show_table(
        ("no", "since", "state", "attributes", "used by", "order"),
        [
            (
                each.number,
                screen.time_text(each.at),
                screen.state(each.asset.state),
                _attributes(each.asset),
                ", ".join(sorted(each.asset.users)),
                each.change.order,
            )
            for each in shown
        ],
    )


def _attributes(asset: Asset) -> str:
    return ", ".join(
        f"{name} {screen.value_text(value)}" for name, value in asset.attributes.items() if value is not None
    )
