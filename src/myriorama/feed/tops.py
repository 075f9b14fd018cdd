"""Tops: the first page of a following feed, kept until something changes that it is made of."""

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
    """A slate, and what it was made of; `labelling` counts changes of labels and of their rules."""

    glance: Glance
    cards: Sequence[EncodedCard | None]
    labelling: int
    slate: Slate

    def holds(self, glance: Glance, cards: Sequence[EncodedCard | None], labelling: int) -> bool:
        """Tell whether nothing has changed, so that the slate would be made the same again."""
        return self.glance is glance and self.labelling == labelling and self.cards == cards
