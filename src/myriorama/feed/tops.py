"""What the top of a feed came to for a viewer, as long as all holds that it was made of.

Most who come back are shown what they were shown before: nobody they follow has published since.
"""

from collections.abc import Sequence
from typing import NamedTuple

from myriorama.feed.encoded_cards import EncodedCard
from myriorama.feed.timeline import Glance


class Slate(NamedTuple):
    """The videos of a page, and the position before which the next one begins, if there is one.

    `cards` are JSON objects, open at their end for the view token.
    """

    video_ids: Sequence[bytes]
    cards: Sequence[bytes]
    before: int | None


class Moves(NamedTuple):
    """How often videos, cards, and labels or their rules have moved: mostly, nothing has."""

    videos: int
    cards: int
    rulings: int


class Top(NamedTuple):
    """A first page, and what it holds by: if nothing has moved since, or all is still the same."""

    slate: Slate
    glance: Glance
    cards: Sequence[EncodedCard | None]
    moves: Moves
    stale_at: int

    @classmethod
    def of(
        cls, slate: Slate, glance: Glance, cards: Sequence[EncodedCard | None], moves: Moves
    ) -> "Top":
        """Return what a glance came to."""
        stale_at = min((card.stale_at for card in cards if card is not None), default=0)
        return cls(slate, glance, cards, moves, stale_at)

    def stands(self, moves: Moves, *, limit: int, now: int) -> bool:
        """Tell whether nothing at all has moved since it was last looked at."""
        return self.moves == moves and self.glance.limit == limit and self.stale_at > now

    def holds(
        self, glance: Glance, cards: Sequence[EncodedCard | None], moves: Moves, *, now: int
    ) -> bool:
        """Tell whether it would come to the same now. `cards` are those that are in memory."""
        return (
            self.glance is glance
            and self.moves.rulings == moves.rulings
            and self.stale_at > now
            # The same objects, mostly, so that nothing of them is looked at.
            and self.cards == cards
        )
