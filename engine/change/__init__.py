"""In-flight change: what an amendment, a cancellation or a migration would do to an order, decided without doing it.

Freeze → decompose → diff → decide → thaw; `engine/advance` freezes, applies what was decided here, and thaws.
"""

from orderloom.engine.change.admission import barred
from orderloom.engine.change.assess import assess
from orderloom.engine.change.baseline import baseline
from orderloom.engine.change.content import kind_of, ordered
from orderloom.engine.change.decide import was_cancelled
from orderloom.engine.change.picture import Box, Picture, picture

__all__ = ["Box", "Picture", "assess", "barred", "baseline", "kind_of", "ordered", "picture", "was_cancelled"]
