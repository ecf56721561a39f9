"""The command `orderloom`. Each command stands in a module of its own and is imported when it is asked for."""

from __future__ import annotations

import importlib
import os
import sys
from typing import Any

import click
from click.shell_completion import CompletionItem

from orderloom.runtime.cli.options import JSON, store_options

#: name -> module in this package, one line of help; in the order of `--help`
COMMANDS = {
    "demo": ("demo", "Run sample orders from end to end, on simulated systems."),
    "check": ("check", "Check a design bundle."),
    "decompose": ("decompose", "Show the technical lines that an order becomes."),
    "plan": ("plan", "Show the tasks that an order becomes."),
    "simulate": ("simulate", "Run an order offline, on a virtual clock."),
    "explain": ("explain", "Say why a rule fired or did not, and where a line comes from."),
    "deploy": ("deploy", "Check a bundle and put it into the store."),
    "bundles": ("bundles", "List the bundles deployed."),
    "submit": ("submit", "Submit an order (TMF622 v4 JSON)."),
    "orders": ("orders", "List orders, show one, hold, amend, cancel and replay it."),
    "migrate": ("migrate", "Let orders in flight go on with another version of their bundle."),
    "work": ("work", "List, take, pass on and complete manual tasks."),
    "queues": ("queues", "List queues and who works them, say how their items find people."),
    "sla": ("sla", "List work by when it is to be done."),
    "calendars": ("calendars", "List business calendars, and change them at run time."),
    "fallout": ("fallout", "Group, show, correct, retry, return and skip failed tasks, one or many."),
    "connectors": ("connectors", "List external systems; take one offline, limit it, turn its breaker."),
    "tasks": ("tasks", "Pause task definitions and let them go on."),
    "drain": ("drain", "Let the worker end what is under way and take nothing new."),
    "watches": ("watches", "List watch rules: how far they have counted, when they fired."),
    "aside": ("aside", "List events on which the software failed, and try them again."),
    "analytics": ("analytics", "Show throughput, cycle times, queues, SLA, fallout and rework."),
    "channels": ("channels", "Tell the outside what orders publish: webhooks, e-mail, files."),
    "inventory": ("inventory", "Show what accounts have."),
    "callback": ("callback", "Deliver the answer of an external system."),
    "event": ("event", "Publish an event that orders may wait for."),
    "users": ("users", "List and add users, say what they may do."),
    "teams": ("teams", "List and make teams of users."),
    "roles": ("roles", "List roles and what they permit, make others."),
    "audit": ("audit", "Show what people did, and what they were not let do."),
    "run": ("run", "Run the worker."),
    "completion": ("completion", "Print the completion script of a shell."),
}


class Lazily(click.Group):
    """A group that knows its commands by name and loads the one that is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"orderloom.runtime.cli.{COMMANDS[cmd_name][0]}")
        command: click.Command = module.command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            from difflib import get_close_matches

            near = get_close_matches(args[0], COMMANDS, n=1)
            raise click.UsageError(error.message + (f" Did you mean `{near[0]}`?" if near else ""), ctx) from None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, help) for name, (_, help) in COMMANDS.items()])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        commands = [
            CompletionItem(name, help=help) for name, (_, help) in COMMANDS.items() if name.startswith(incomplete)
        ]
        return commands + click.Command.shell_complete(self, ctx, incomplete)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (click.UsageError, click.exceptions.Exit, click.Abort, BrokenPipeError):
            raise
        except Exception as error:
            if os.environ.get("ORDERLOOM_DEBUG") == "1":
                raise
            from orderloom.runtime.cli.failure import failure

            found = failure(error)
            found.as_json = JSON in ctx.meta
            raise found from None


@click.group(name="orderloom", cls=Lazily, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="orderloom", message="%(package)s %(version)s")
@store_options
def command() -> None:
    """Declarative order management: decompose, orchestrate and fulfil orders from designs you can read.

    Exit codes: 0 done, 1 not done or findings, 2 wrong usage.
    """


def main() -> None:
    """The entry point."""
    if sys.stdout is not None and hasattr(sys.stdout, "reconfigure"):
        # file names and orders may hold what the terminal's encoding lacks
        sys.stdout.reconfigure(errors="backslashreplace")
    command(prog_name="orderloom")
