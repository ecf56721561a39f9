"""Documents made at random from the grammar itself: they parse, layout means nothing, and mutations never crash."""

import random
from dataclasses import fields, is_dataclass

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lark.grammar import Rule
from lark.lexer import PatternStr

from orderloom.dsl.parser import grammar, parse
from orderloom.models.source import Span
from orderloom.models.values import Period

SAMPLES = {
    "NAME": ("alpha", "Beta", "x", "gamma_2", "response", "queue", "speed", "timeout"),
    "STRING": ('"a"', '""', '"tables/x.csv"', '"{ # }"', '"\\" \\\\ \\n"'),
    "DATETIME": ("2026-01-31T12:00:00Z", "2026-01-31T12:00+01:00"),
    "DATE": ("2026-01-31", "1999-12-31"),
    "PERIOD": ("3 months", "1 year"),
    "TIME_SPAN": ("10s", "1h30m", "2d"),
    "MEASURE": ("500 Mbps", "1.5 kW"),
    "STATUS_CLASS": ("5xx",),
    "PERCENT": ("20%",),
    "DECIMAL": ("1.5", "0.001"),
    "INTEGER": ("404", "200"),
}
SPELLED = {t.name: t.pattern.value for t in grammar().terminals if isinstance(t.pattern, PatternStr)}
RULES: dict[str, list[Rule]] = {}
for rule in grammar().rules:
    RULES.setdefault(str(rule.origin.name), []).append(rule)


def _heights() -> dict[str, int]:
    """For each symbol, how high its lowest derivation is."""
    heights = dict.fromkeys([*SAMPLES, *SPELLED], 0)
    while len(heights) < len(SAMPLES) + len(SPELLED) + len(RULES):
        for name, rules in RULES.items():
            known = [1 + max((heights[s.name] for s in r.expansion), default=0) for r in rules if _known(r, heights)]
            if known and name not in heights:
                heights[name] = min(known)
    return heights


def _known(rule: Rule, heights: dict[str, int]) -> bool:
    return all(symbol.name in heights for symbol in rule.expansion)


HEIGHTS = _heights()


def derive(choose: random.Random, symbol: str, budget: int) -> list[str]:
    """The words of a random derivation, not much higher than the budget."""
    if symbol in SAMPLES:
        return [choose.choice(SAMPLES[symbol])]
    if symbol in SPELLED:
        return [SPELLED[symbol]]
    rules = RULES[symbol]
    cost = {id(rule): max((HEIGHTS[s.name] for s in rule.expansion), default=0) for rule in rules}
    affordable = [rule for rule in rules if cost[id(rule)] < budget]
    if not affordable:
        least = min(cost.values())
        affordable = [rule for rule in rules if cost[id(rule)] == least]
    rule = choose.choice(affordable)
    return [word for part in rule.expansion for word in derive(choose, part.name, budget - 1)]


documents = st.builds(
    lambda seed, size: [
        word for part in range(size) for word in derive(random.Random(seed * 100 + part), "declaration", 14)
    ],
    st.integers(0, 2**32),
    st.integers(1, 4),
)


def meaning(value: object) -> object:
    """A tree without its spans."""
    if isinstance(value, tuple):
        return tuple(meaning(item) for item in value)
    if isinstance(value, Span):
        return None
    if is_dataclass(value) and not isinstance(value, Period):
        return type(value).__name__, *(meaning(getattr(value, field.name)) for field in fields(value))
    return value


relaxed = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@relaxed
@given(documents, st.integers(0, 2**32))
def test_documents_parse_and_layout_means_nothing(words: list[str], seed: int) -> None:
    parsed = parse(" ".join(words), "x.loom")
    assert parsed.diagnostics == ()
    choose = random.Random(seed)
    blanks = (" ", "\n", "\r\n", "\t", " # a comment\n", "\n\n    ")
    scattered = parse("".join(word + choose.choice(blanks) for word in words), "x.loom")
    assert scattered.diagnostics == ()
    assert meaning(scattered.tree) == meaning(parsed.tree)


@relaxed
@given(documents, st.data())
def test_mutations_never_crash_and_report_a_few(words: list[str], data: st.DataObject) -> None:
    mutated = list(words)
    times = data.draw(st.integers(1, 3))
    for _ in range(times):
        index = data.draw(st.integers(0, len(mutated) - 1))
        strange = st.sampled_from([*SPELLED.values(), "§", '"', "5x", "\0", "name"])
        match data.draw(st.sampled_from(["drop", "double", "replace", "swap"])):
            case "drop" if len(mutated) > 1:
                del mutated[index]
            case "double":
                mutated.insert(index, mutated[index])
            case "replace":
                mutated[index] = data.draw(strange)
            case "swap":
                other = data.draw(st.integers(0, len(mutated) - 1))
                mutated[index], mutated[other] = mutated[other], mutated[index]
    parsed = parse(" ".join(mutated), "x.loom")
    assert (parsed.tree is None) == bool(parsed.diagnostics)
    assert len(parsed.diagnostics) <= 12 * times
    for found in parsed.diagnostics:
        assert found.message
        assert 0 <= found.span.start <= found.span.end


@relaxed
@given(st.text(max_size=300))
def test_any_text_gives_a_tree_or_reports(text: str) -> None:
    parsed = parse(text, "x.loom")
    assert (parsed.tree is None) == bool(parsed.diagnostics)
