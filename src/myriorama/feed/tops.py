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


class Top(NamedTuple):
    """A first page; `rulings` is how often labels or their rules had moved when it was made."""

    slate: Slate
    glance: Glance
    cards: Sequence[EncodedCard | None]
    rulings: int
    stale_at: int

    @classmethod
    def of(
        cls, slate: Slate, glance: Glance, cards: Sequence[EncodedCard | None], rulings: int
    ) -> "Top":
        """Return what a glance came to."""
        stale_at = min((card.stale_at for card in cards if card is not None), default=0)
        return cls(slate, glance, cards, rulings, stale_at)

    def holds(
        self, glance: Glance, cards: Sequence[EncodedCard | None], rulings: int, *, now: int
    ) -> bool:
        """Tell whether it would come to the same now. `cards` are those that are in memory."""
        return (
            self.glance is glance
            and self.rulings == rulings
            and self.stale_at > now
            # The same objects, mostly, so that nothing of them is looked at.
            and self.cards == cards
        )
