"""What the tables are made of."""

from __future__ import annotations

from sqlalchemy import Column, Integer, LargeBinary, MetaData, Text

metadata = MetaData()


def text_column(name: str, *, null: bool = False) -> Column[str]:
    return Column(name, Text, nullable=null)


def integer_column(name: str, *, null: bool = False) -> Column[int]:
    return Column(name, Integer, nullable=null)


def blob_column(name: str, *, null: bool = False) -> Column[bytes]:
    return Column(name, LargeBinary, nullable=null)
