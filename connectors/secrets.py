"""Secrets by name, from the process environment or from files; looked up where they are used, never stored."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

DIRECTORY_VARIABLE = "ORDERLOOM_SECRETS_DIR"
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")


class SecretMissing(LookupError):
    """A secret that is neither in the environment nor in the directory of secrets."""


def secret_variable(name: str) -> str:
    """The environment variable that may hold a secret."""
    return "ORDERLOOM_SECRET_" + re.sub("[.-]", "_", name).upper()


def read_secret(name: str, environ: Mapping[str, str] | None = None) -> str:
    """The secret's value; the environment goes before the file. Raises SecretMissing."""
    environ = os.environ if environ is None else environ
    if not _NAME.fullmatch(name):
        raise SecretMissing(f"`{name}` is no name of a secret; expected letters, digits, `_`, `.` and `-`")
    variable = secret_variable(name)
    if value := environ.get(variable):
        return value
    directory = environ.get(DIRECTORY_VARIABLE)
    places = f"the environment variable {variable}"
    if directory:
        file = Path(directory) / name
        if file.is_file():
            return _content(file, name)
        places += f" and the file {file}"
    else:
        places += f" (and {DIRECTORY_VARIABLE}, the folder of secret files, is not set)"
    raise SecretMissing(f"the secret `{name}` is missing; looked for it in {places}")


def _content(file: Path, name: str) -> str:
    try:
        return file.read_text(encoding="utf-8").removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        raise SecretMissing(f"the secret `{name}` cannot be read: the file {file} is no UTF-8 text") from None
    except OSError as error:
        raise SecretMissing(f"the secret `{name}` cannot be read: the file {file}: {error.strerror}") from None
