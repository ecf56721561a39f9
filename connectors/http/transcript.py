"""What is kept of an attempt: both messages as text, secrets masked, sizes capped."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from orderloom.connectors.masking import Masker, message_text
from orderloom.models.callout import Exchange

#: characters of each message that are kept
MOST_KEPT = 20_000


def transcript(
    masker: Masker,
    *,
    line: str,
    headers: Iterable[tuple[str, str]],
    body: bytes,
    answer: tuple[int, str, Iterable[tuple[str, str]], bytes] | None,
    started: datetime,
    duration: float,
) -> Exchange:
    """`answer` is status, reason, headers and body, None where there was none; `duration` in milliseconds."""
    request = message_text(masker.mask(line), masker.mask_headers(headers), _kept(body, masker))
    response, status = "", None
    if answer is not None:
        status, reason, answer_headers, content = answer
        start = masker.mask(f"{status} {reason}".rstrip())
        response = message_text(start, masker.mask_headers(answer_headers), _kept(content, masker))
    return Exchange(
        request=request[: MOST_KEPT + 100], response=response[: MOST_KEPT + 100], status=status, started=started,
        duration=duration,
    )  # fmt: skip


def _kept(content: bytes, masker: Masker) -> str:
    # masked before it is cut: a secret across the cut would leave its first half
    reach = 4 * (MOST_KEPT + masker.longest)
    text = masker.mask(content[:reach].decode("utf-8", "replace").replace("\0", "\ufffd"))
    if len(text) <= MOST_KEPT and len(content) <= reach:
        return text
    return f"{text[:MOST_KEPT]}… ({len(content)} bytes)"
