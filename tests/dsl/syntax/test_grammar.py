"""The parse table and the reference: one terminal a spelling, and keywords only where the reference says so.

To write the reference's table of codes anew: ORDERLOOM_GOLDEN=write pytest …
"""

import os
import re
from pathlib import Path

import pytest
from lark.lexer import PatternStr
from lark.parsers.lalr_analysis import Shift

from orderloom.dsl.diagnostics import CODES
from orderloom.dsl.functions import FUNCTIONS
from orderloom.dsl.parser import grammar, parse
from orderloom.grammar import tokens
from orderloom.models.values import UNITS

DSL = Path(__file__).parents[3] / "dsl"
REFERENCE = Path(__file__).parents[3] / "grammar" / "README.md"
TERMINALS = {terminal.name: terminal for terminal in grammar().terminals}
KEYWORDS = {
    terminal.pattern.value: terminal.name
    for terminal in grammar().terminals
    if isinstance(terminal.pattern, PatternStr) and terminal.pattern.value[0].isalpha()
}
STATES = grammar().parser.parser._parse_table.states

#: Where a name is possible too, these are keywords: by the statement or clause that they start or go on with.
KEYWORD_BEFORE_NAME = {
    *("contains", "requires", "excludes", "relies"),  # statements of a spec
    *("when", "quantity", "priority"),  # statements of a rule, unless `=` follows
    *("any", "all", "count", "sum", "first"),  # quantifiers; `any` in a table; `decompose first of`
    *("list", "with", "auth", "limit", "breaker", "unit"),
}


def test_each_spelling_is_one_terminal() -> None:
    spellings = [terminal.pattern.value for terminal in TERMINALS.values()]
    assert len(spellings) == len(set(spellings))


def test_no_terminal_is_anonymous() -> None:
    assert not [name for name in TERMINALS if name.startswith("__")]


def test_keywords_that_shadow_names_are_the_known_ones() -> None:
    shadowing = set()
    for actions in STATES.values():
        if actions.get("NAME", (None,))[0] is Shift:
            shadowing |= {word for word, kind in KEYWORDS.items() if actions.get(kind, (None,))[0] is Shift}
    assert shadowing - tokens.RESERVED <= KEYWORD_BEFORE_NAME


def test_every_reserved_and_declaration_word_is_a_keyword() -> None:
    assert KEYWORDS.keys() >= tokens.RESERVED
    assert set(tokens.DECLARATIONS) <= KEYWORDS.keys()
    assert tokens.FOLLOWED_BY.keys() <= KEYWORDS.keys()


def test_friendly_names_are_of_terminals() -> None:
    named = set(tokens.FRIENDLY) | tokens.EXPRESSION_STARTS | tokens.OPERATORS
    assert named - {"$END"} <= TERMINALS.keys()
    nameless = {name for name, terminal in TERMINALS.items() if not isinstance(terminal.pattern, PatternStr)}
    assert nameless <= tokens.FRIENDLY.keys()


def test_units_are_those_of_the_models() -> None:
    alternatives = re.search(r"\(\?:(bps[^)]*)\)", TERMINALS["MEASURE"].pattern.value)
    assert alternatives is not None
    assert set(alternatives.group(1).split("|")) == UNITS.keys()


@pytest.mark.parametrize("word", sorted(KEYWORDS.keys() - tokens.RESERVED - {"contains", "requires", "excludes"}))
def test_a_keyword_can_name_an_attribute(word: str) -> None:
    source = f"""
        product X {{ {word} integer = 5 {word} string required {word} "title" list of string }}
        enum E {{ {word} {word} }}
        decompose A into B {{ {word} = line.{word} {word} = parent.{word} }}
        plan {word} for {word} on {word} {{
            auto {word} {{ set {word} = line.{word} after {word}, {word}.{word} within line collect {{ {word} T }} }}
        }}
        operation {word}.{word} {{ output {word} string }}
    """
    assert parse(source, "x.loom").diagnostics == ()


@pytest.mark.parametrize("word", sorted(KEYWORDS.keys() - tokens.RESERVED - {"any", "all", "count", "sum", "first"}))
def test_a_keyword_can_be_a_bare_reference(word: str) -> None:
    source = f"""
        decompose A into B {{ when {word} == x or {word} is present a = {word} b = case {word} {{ {word}: {word} }} }}
        reject "x" on A when {word} in ({word}, {word}) and {word}({word}) > 1
        plan P for A {{ auto a {{ set a = {word} after b if {word} set b = not {word} }} }}
    """
    assert parse(source, "x.loom").diagnostics == ()


@pytest.mark.parametrize("word", sorted(tokens.RESERVED))
def test_a_reserved_word_is_a_name_only_after_a_dot(word: str) -> None:
    assert parse(f'reject "x" on A when line.{word} == 1', "x.loom").diagnostics == ()
    for source in (f"product {word} {{ }}", f"product X {{ {word} string }}", f"product X {{ a T {word} string = 5 }}"):
        assert parse(source, "x.loom").diagnostics


def test_words_have_boundaries() -> None:
    assert parse("productfoo { }", "x.loom").diagnostics
    assert parse("product notx { iffy string }", "x.loom").diagnostics == ()


def test_the_reference_lists_every_code_and_reserved_word() -> None:
    text = REFERENCE.read_text()
    if os.environ.get("ORDERLOOM_GOLDEN") == "write":
        rows = "".join(f"| {code} | {meaning} |\n" for code, meaning in sorted(CODES.items()))
        text = text[: text.index("| code | meaning |")] + "| code | meaning |\n|---|---|\n" + rows
        REFERENCE.write_text(text)
    listed = dict(re.findall(r"^\| (LM\d{4}) \| (.*) \|$", text, re.MULTILINE))
    assert listed == CODES
    reserved = re.search(r"Reserved words: (.*)\.", text)
    assert reserved is not None
    assert set(re.findall(r"`(\w+)`", reserved.group(1))) == tokens.RESERVED


def test_every_code_in_use_is_registered() -> None:
    used = {code for path in DSL.rglob("*.py") for code in re.findall(r"\bLM\d{4}\b", path.read_text())}
    assert used == CODES.keys()


def test_the_reference_lists_every_function() -> None:
    table = REFERENCE.read_text().partition("### Functions")[2].partition("## ")[0]
    assert set(re.findall(r"`(\w+)\(", table)) == FUNCTIONS.keys()


def test_the_examples_of_the_reference_parse() -> None:
    blocks = re.findall(r"```loom\n(.*?)```", REFERENCE.read_text(), re.DOTALL)
    assert len(blocks) >= 9
    for block in blocks:
        assert parse(block, "README.md").diagnostics == (), block
