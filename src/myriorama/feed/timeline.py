"""The timeline: every video that a feed may show, in memory, newest first, by author and for all.

Pages are served from here; `Feeds` keeps it as the read side is.
"""

from bisect import bisect_left, insort
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Indexes = NDArray[np.int64]

END = 2**62
"""Behind every position."""

NONE = -1
NOWHERE: Indexes = np.empty(0, np.int64)
_AUTHORS_AT_FIRST = 1024
_PUBLIC = "public"
_IN_FEEDS = frozenset({"public", "followers"})


class Place(NamedTuple):
    """A video in the timeline; `author` is the number that the timeline gave its author."""

    video_id: bytes
    author: int
    visibility: str


class Glance(NamedTuple):
    """The newest videos of some authors, and what they hold by.

    `after` is the position of the last one if there are more behind it. `stand` is how many were
    asked for, how often the past has been rewritten (a video was taken away or came back), and
    the newest position of each author: while all of it is the same, so are the videos.
    """

    video_ids: list[bytes]
    after: int | None
    stand: tuple[int, int, bytes]

    @property
    def limit(self) -> int:
        """How many were asked for."""
        return self.stand[0]


class Timeline:
    """Videos by the log position at which they were published, which never changes.

    Unlisted and deleted videos have no place. IDs are the 16 bytes of a UUID. `moves` counts what
    was put in or taken out.
    """

    def __init__(self) -> None:
        self._places: dict[int, Place] = {}
        self._public: list[int] = []
        self._authors: dict[bytes, int] = {}
        self._by_author: list[list[int]] = []
        self._last = NONE
        self._rewrites = 0
        self.moves = 0
        self._newest: Indexes = np.full(_AUTHORS_AT_FIRST, NONE, np.int64)

    def __len__(self) -> int:
        return len(self._places)

    def video_ids(self, positions: Sequence[int]) -> list[bytes]:
        """Return which videos were published at these positions."""
        places = self._places
        return [places[position].video_id for position in positions]

    def author(self, account_id: bytes) -> int:
        """Return the number of an account among the authors, which it keeps."""
        number = self._authors.get(account_id)
        if number is None:
            number = self._authors[account_id] = len(self._by_author)
            self._by_author.append([])
            if number == len(self._newest):
                more = np.full(len(self._newest), NONE, np.int64)
                self._newest = np.concatenate([self._newest, more])
        return number

    def put(self, position: int, video_id: bytes, author_id: bytes, visibility: str) -> None:
        """Give a video its place, as it is to be seen from now on; "link" takes it away."""
        self.remove(position)
        if visibility not in _IN_FEEDS:
            return
        self.moves += 1
        author = self.author(author_id)
        self._places[position] = Place(video_id, author, visibility)
        own = self._by_author[author]
        insort(own, position)
        self._newest[author] = own[-1]
        self._rewrites += own[-1] != position
        self._last = max(self._last, position)
        if visibility == _PUBLIC:
            insort(self._public, position)

    def remove(self, position: int) -> None:
        """Take a video out of all feeds, if it is in any."""
        place = self._places.pop(position, None)
        if place is None:
            return
        self.moves += 1
        self._rewrites += 1
        own = self._by_author[place.author]
        del own[bisect_left(own, position)]
        self._newest[place.author] = own[-1] if own else NONE
        if place.visibility == _PUBLIC:
            del self._public[bisect_left(self._public, position)]

    def latest(self, hidden: AbstractSet[int], *, before: int, limit: int) -> list[int]:
        """Return the newest public videos before a position, without those of hidden authors."""
        end = bisect_left(self._public, before)
        if not hidden:
            return self._public[max(0, end - limit) : end][::-1]
        found: list[int] = []
        for index in range(end - 1, -1, -1):
            position = self._public[index]
            if self._places[position].author not in hidden:
                found.append(position)
                if len(found) == limit:
                    break
        return found

    def glance(self, authors: Indexes, *, limit: int, last: Glance | None) -> Glance:
        """Return the newest videos of some authors: those of the last glance, if none is newer."""
        heads = self._newest[authors].tobytes()
        stand = (limit, self._rewrites, heads)
        if last is not None and last.stand == stand:
            return last
        found = self.by_authors(authors, before=END, limit=limit + 1)
        after = found[limit - 1] if len(found) > limit else None
        return Glance(self.video_ids(found[:limit]), after, stand)

    def by_authors(self, authors: Indexes, *, before: int, limit: int) -> list[int]:
        """Return the newest videos of some authors before a position, also those for followers.

        Only authors whose newest is among the `limit` newest can be on the page, so of a thousand
        followed accounts a handful is looked into.
        """
        heads = self._newest[authors]
        if before <= self._last:
            for index in np.flatnonzero(heads >= before).tolist():
                own = self._by_author[int(authors[index])]
                end = bisect_left(own, before)
                heads[index] = own[end - 1] if end else NONE
        whole = len(authors) <= limit
        if not whole:
            chosen = heads.argpartition(-limit)[-limit:]
            authors, heads = authors[chosen], heads[chosen]
        numbers: list[int] = authors.tolist()
        tops: list[int] = heads.tolist()
        floor = NONE if whole else min(tops)
        found: list[int] = []
        for number, top in zip(numbers, tops, strict=True):
            own = self._by_author[number]
            if top == NONE:
                continue
            end = len(own) if own[-1] == top else bisect_left(own, before)
            if end == 1 or own[end - 2] < floor:
                found.append(top)
            else:
                found += own[max(bisect_left(own, floor, 0, end), end - limit) : end]
        found.sort(reverse=True)
        return found[:limit]
