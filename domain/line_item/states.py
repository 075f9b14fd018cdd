"""In which state a line item is: derived from how far it has come, and from its creatives."""

from collections.abc import Collection
from typing import Literal

Stage = Literal["draft", "submitted", "paused", "exhausted", "completed"]
State = Literal["draft", "in_review", "rejected", "active", "paused", "exhausted", "completed"]


def state_of(stage: Stage, creative_states: Collection[str], *, is_over: bool) -> State:
    """Return the state as it is shown; `is_over`: its flight, or its campaign's, has ended.

    What was submitted is in review until one of its creatives is approved, and rejected if none is
    left that may be. What is over is completed; with a later end it goes on as it was.
    """
    if is_over and stage != "draft":
        return "completed"
    if stage != "submitted":
        return stage
    if "approved" in creative_states:
        return "active"
    return "in_review" if "in_review" in creative_states else "rejected"
