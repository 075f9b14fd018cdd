"""A decision: one slate, with all that is needed to tell why it is as it is and to make it again.

Logged as JSON with the first page that shows it. Numbers are rounded where it is made, so that the
same decision is the same bytes.
"""

from collections.abc import Mapping
from typing import Literal, Self
from uuid import UUID

import msgspec

Slot = Literal["rank", "explore", "fresh"]


class Candidates(msgspec.Struct, frozen=True):
    """What was considered, column by column.

    `serials` count the videos in the order of their publication in the domain log, from 0;
    `sources` are the bits of who brought each, `first` and `score` what stages 1 and 2 made of it
    (of those that did not reach stage 2, the score is null).
    """

    serials: list[int]
    sources: list[int]
    first: list[float]
    score: list[float | None]


class Placed(msgspec.Struct, frozen=True):
    """A video of the slate.

    `log_propensity` is the natural logarithm of the probability with which it was drawn for its
    place, given the places before it; null: nothing was left to chance. `predictions` are in the
    order of the decision's `heads`; `moved_by` are the three features that moved it most: how much
    more each adds to what it is worth than to what the slate's videos are on average. `rule` is
    why a warning stands before it.
    """

    video: UUID
    slot: Slot
    sources: tuple[str, ...]
    score: float
    log_propensity: float | None
    predictions: list[float]
    moved_by: list[tuple[str, float]]
    rule: str | None


class Decision(msgspec.Struct, frozen=True):
    """A slate, the query that it answers, and what it was made by.

    `feature_hash` is of the float32 matrix of the candidates' features (64 bits, hexadecimal).
    `policy` is its version; `arms` names the viewer's arm of each experiment by its ID, and is what
    tells that they were exposed to it. `verdicts` counts what the rules left out or warned of.
    """

    decision: UUID
    viewer: UUID
    kind: str
    as_of_ms: int
    seed: int
    size: int
    pending: list[UUID]
    domain_position: int
    view_position: int
    model: str
    policy: str
    arms: Mapping[str, str]
    is_drawn: bool
    feature_hash: str
    heads: list[str]
    verdicts: Mapping[str, int]
    candidates: Candidates
    order: list[Placed]

    def encode(self) -> bytes:
        """Return the one JSON of this decision."""
        return msgspec.json.encode(self, order="deterministic")

    @classmethod
    def decode(cls, text: str | bytes) -> Self:
        """Read what `encode` wrote.

        Raises:
            msgspec.DecodeError: it is something else.
        """
        return msgspec.json.decode(text, type=cls)
