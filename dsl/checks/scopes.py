"""A line never merges over more than the technical line it comes from."""

from __future__ import annotations

from orderloom.dsl.context import Context
from orderloom.dsl.decomposition import broader
from orderloom.models.catalog import Level
from orderloom.models.source import Label


def check(context: Context) -> None:
    for rule in context.rules:
        source, target = context.specs[rule.source], context.specs[rule.target]
        if source.level is Level.PRODUCT or rule.span is None or not broader(target.scope, source.scope):
            continue
        labels = [Label(spec.span, f"one per {spec.scope}") for spec in (source, target) if spec.span is not None]
        context.findings.error(
            "LM3104",
            f"`{target.name}` is one per {target.scope}, but comes from `{source.name}`, of which there is "
            f"one per {source.scope}",
            rule.span,
            help=f"make `{target.name}` one per {source.scope} or narrower, or `{source.name}` one per {target.scope}",
            labels=labels,
        )
