"""The words of the language that are not plain keywords, and how messages call the tokens of `loom.lark`."""

from __future__ import annotations

#: Keywords wherever they stand, except after a dot: nothing can be named so.
RESERVED = frozenset(
    ("and", "or", "not", "is", "in", "default", "if", "then", "else", "case", "true", "false", "required")
)

#: Words that start a declaration; recovery resumes there.
DECLARATIONS = (
    "import",
    "enum",
    "product",
    "service",
    "resource",
    "decompose",
    "table",
    "reject",
    "plan",
    "queue",
    "watch",
    "connector",
    "operation",
)

#: Keywords only where this pattern follows; a name otherwise.
FOLLOWED_BY = {"unit": r'(?:\s|#[^\n]*)*"', "relies": r"(?:\s|#[^\n]*)+on\b"}

#: Names of tokens in messages; a token that is not here is a keyword or a sign and is shown as written.
FRIENDLY = {
    "NAME": "a name",
    "STRING": "a string",
    "DATETIME": "a date and time",
    "DATE": "a date",
    "PERIOD": "a period (`3 months`)",
    "TIME_SPAN": "a duration (`10s`, `4h`)",
    "MEASURE": "a quantity (`500 Mbps`)",
    "STATUS_CLASS": "a class of statuses (`5xx`)",
    "PERCENT": "a percentage",
    "DECIMAL": "a decimal number",
    "INTEGER": "a whole number",
    "$END": "the end of the file",
}

#: Where all of these are possible, a message says `an expression`; the words of quantifiers go with them.
EXPRESSION = frozenset(("NAME", "STRING", "INTEGER", "DECIMAL", "LPAR", "CASE", "TRUE"))
EXPRESSION_STARTS = EXPRESSION | {
    *("DATETIME", "DATE", "PERIOD", "TIME_SPAN", "MEASURE", "FALSE", "LSQB", "MINUS", "NOT", "IF"),
    *("ANY", "ALL", "COUNT", "SUM", "FIRST"),
}

#: Where these are possible among other things, a message leaves them out: an expression can always go on.
OPERATORS = frozenset(
    (
        *("AND", "OR", "IS", "IN", "DEFAULT", "PLUS", "STAR", "SLASH", "DOT", "UNIT", "LPAR", "MINUS", "NOT"),
        *("EQUALS", "UNEQUAL", "LESSTHAN", "MORETHAN", "AT_LEAST", "AT_MOST"),
    )
)
