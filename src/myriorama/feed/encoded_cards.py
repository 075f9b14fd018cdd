"""Cards as the bytes that go over the wire, those of recently shown videos, in memory."""

from collections import OrderedDict, defaultdict
from collections.abc import Collection, Sequence
from typing import NamedTuple
from uuid import UUID

import msgspec

from myriorama.feed.cards import Card, Cards
from myriorama.feed.readings import Readings
from myriorama.store.signing import MEDIA_LIFETIME_S

# URLs live for MEDIA_LIFETIME_S at least; whoever is given them here has half of that left.
_KEPT_S = MEDIA_LIFETIME_S // 2
_VIEW_TOKEN = b',"view_token":"'


class EncodedCard(NamedTuple):
    """A card as a JSON object, open at its end for the view token, and who may see it."""

    opened: bytes
    visibility: str
    author_id: bytes
    stale_at: int


class EncodedCards:
    """Reads cards when they are first asked for, all of a page at once, until they change.

    Where there is no room, those go that were read first: all go stale within the half hour.

    IDs are the 16 bytes of a UUID. `moves` counts what came into memory or went.
    """

    def __init__(self, cards: Cards, *, count_max: int = 20_000) -> None:
        self._cards = cards
        self._count_max = count_max
        self._kept: OrderedDict[bytes, EncodedCard] = OrderedDict()
        self._by_author: defaultdict[bytes, set[bytes]] = defaultdict(set)
        self._readings = Readings()
        self.moves = 0

    def kept(self, video_ids: Sequence[bytes]) -> list[EncodedCard | None]:
        """Return the cards that are in memory, stale ones, too; None for the others."""
        return list(map(self._kept.get, video_ids))

    async def of(self, video_ids: Sequence[bytes], *, now: int) -> list[EncodedCard | None]:
        """Return the cards in the order asked for; None for a video that has none (any more)."""
        found = self.kept(video_ids)
        missing = [
            video_id
            for video_id, card in zip(video_ids, found, strict=True)
            if card is None or card.stale_at <= now
        ]
        if not missing:
            return found
        read = await self._read(missing, now)
        return [
            read.get(i) if i in missing else card for i, card in zip(video_ids, found, strict=True)
        ]

    def forget(self, video_ids: Collection[bytes]) -> None:
        """Drop the cards of videos that are shown differently now."""
        for video_id in video_ids:
            self._drop(video_id)
        self._readings.change(video_ids)

    def forget_authors(self, account_ids: Collection[bytes]) -> None:
        """Drop the cards of authors who are shown differently now."""
        for account_id in account_ids:
            for video_id in tuple(self._by_author.get(account_id, ())):
                self._drop(video_id)
        self._readings.change(account_ids)

    async def _read(self, video_ids: Sequence[bytes], now: int) -> dict[bytes, EncodedCard]:
        with self._readings.begin() as changed:
            cards = await self._cards.by_ids([UUID(bytes=i) for i in video_ids], now=now)
        read = {card.video_id.bytes: _encoded(card, now) for card in cards}
        for video_id, card in read.items():
            if video_id not in changed and card.author_id not in changed:
                self._keep(video_id, card)
        return read

    def _keep(self, video_id: bytes, card: EncodedCard) -> None:
        self._drop(video_id)
        self.moves += 1
        self._kept[video_id] = card
        self._by_author[card.author_id].add(video_id)
        if len(self._kept) > self._count_max:
            self._drop(next(iter(self._kept)))

    def _drop(self, video_id: bytes) -> None:
        card = self._kept.pop(video_id, None)
        if card is not None:
            self.moves += 1
            others = self._by_author[card.author_id]
            others.discard(video_id)
            if not others:
                del self._by_author[card.author_id]


def warned(opened: bytes, rule: str) -> bytes:
    """Return a card, open at its end, that tells the rule why a warning stands before the video."""
    head = opened[: -len(_VIEW_TOKEN)]
    return b'%s,"interstitial":{"rule":"%s"}%s' % (head, rule.encode(), _VIEW_TOKEN)


def _encoded(card: Card, now: int) -> EncodedCard:
    author_id = card.author.account_id.bytes
    # Spread by the ID, so that cards which were read together do not go stale together.
    stale_at = now + _KEPT_S - card.video_id.int % (_KEPT_S // 2)
    return EncodedCard(
        msgspec.json.encode(card)[:-1] + _VIEW_TOKEN, card.visibility, author_id, stale_at
    )
