"""The crowd of the demo world, drawn: who likes what, follows whom, publishes and watches what.

The same seed draws the same crowd. Clips, people and videos are named by their places in lists.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

ORIGINAL = -1

# Few are followed by many, and few videos watched by most: popularity falls as a power of the rank.
_SKEW = 0.8
_INTERESTS = 3
_FAITHFUL, _RELATED = 0.7, 0.8
_REMIXED = 0.3
_FOLLOWED = 12
_SESSION = 20
_LIKED = 0.3


class Person(NamedTuple):
    """Somebody of the crowd; `interests` are the themes that they make and like, dearest first."""

    handle: str
    display_name: str
    bio: str
    interests: Sequence[int]


class Work(NamedTuple):
    """A video: by whom, of which clip, in which wording, and what it remixes (or `ORIGINAL`)."""

    author: int
    clip: int
    wording: int
    parent: int


class Session(NamedTuple):
    """What somebody watched in one go: each for how much of its length, and what they liked."""

    viewer: int
    videos: Ints
    shares: Floats
    liked: NDArray[np.bool_]


def first_of_crowd() -> str:
    """Return the handle of who moves in first, whatever the crowd: if they are there, it is."""
    return f"{_FIRST[0]}_{_LAST[0]}".lower()


class Crowd:
    """People drawn around the themes of clips: `themes` names the theme of each clip."""

    def __init__(self, themes: Sequence[int], *, people: int, seed: int = 7) -> None:
        self._chance = np.random.default_rng(seed)
        self._themes = np.array(themes)
        self._skew = _falling(people, self._chance)
        self.people = [self._person(number) for number in range(people)]

    def follows(self) -> Iterator[tuple[int, Ints]]:
        """Yield whom each follows: who is followed by many, and who makes what they like."""
        dearest = np.array([person.interests[0] for person in self.people])
        for number, person in enumerate(self.people):
            liking = self._skew * np.where(np.isin(dearest, person.interests), 4.0, 1.0)
            liking[number] = 0.0
            count = min(1 + int(self._chance.poisson(_FOLLOWED)), int(np.count_nonzero(liking)))
            yield number, _drawn(self._chance, count, liking)

    def works(self, videos: int) -> Sequence[Work]:
        """Return what is published, in order; what was early is remixed most."""
        made = list[Work]()
        authors = self._chance.choice(len(self.people), videos, p=self._skew)
        for number, author in enumerate(authors.tolist()):
            parent = ORIGINAL
            if number and self._chance.random() < _REMIXED:
                parent = int(number * self._chance.random() ** 2)
            wording = int(self._chance.integers(1 << 30))
            made.append(Work(author, self._clip(author, made, parent), wording, parent))
        return made

    def sessions(self, works: Sequence[Work], *, each: int) -> Iterator[Session]:
        """Yield what is watched, in turns: some `each` videos a person, none twice by the same."""
        author = np.array([work.author for work in works])
        theme = self._themes[[work.clip for work in works]]
        popular = _falling(len(works), self._chance)
        watched: list[Ints] = []
        for number, person in enumerate(self.people):
            liking = popular * np.where(np.isin(theme, person.interests), 5.0, 1.0)
            liking[author == number] = 0.0
            count = min(int(self._chance.poisson(each)), int(np.count_nonzero(liking)))
            watched.append(_drawn(self._chance, count, liking))
        for turn in range(0, max(map(len, watched), default=0), _SESSION):
            for number, person in enumerate(self.people):
                videos = watched[number][turn : turn + _SESSION]
                if len(videos):
                    wanted = np.isin(theme[videos], person.interests)
                    yield self._session(number, videos, wanted)

    def _session(self, viewer: int, videos: Ints, wanted: NDArray[np.bool_]) -> Session:
        """What is wanted is watched through, now and then again; the rest is soon left."""
        through = self._chance.gamma(4.0, 0.35, len(videos))
        left = self._chance.exponential(0.25, len(videos)).clip(0.0, 1.0)
        shares = np.where(wanted, through, left)
        liked = (shares >= 1.0) & (self._chance.random(len(videos)) < _LIKED)
        return Session(viewer, videos, shares, liked)

    def _person(self, number: int) -> Person:
        first = _FIRST[number % len(_FIRST)]
        last = _LAST[number // len(_FIRST) % len(_LAST)]
        turn = number // (len(_FIRST) * len(_LAST))
        themes = self._chance.permutation(np.unique(self._themes))[:_INTERESTS].tolist()
        name = f"{first} {last}" + (f" {turn + 1}" if turn else "")
        return Person(name.lower().replace(" ", "_"), name, "Lives in the demo world.", themes)

    def _clip(self, author: int, made: Sequence[Work], parent: int) -> int:
        """Mostly an author makes what they like; a remix mostly stays with its parent's theme."""
        theme = self.people[author].interests[0]
        if parent != ORIGINAL:
            theme = int(self._themes[made[parent].clip])
        faithful = _FAITHFUL if parent == ORIGINAL else _RELATED
        among = np.arange(len(self._themes))
        if self._chance.random() < faithful:
            among = np.flatnonzero(self._themes == theme)
        return int(self._chance.choice(among))


def _falling(count: int, chance: Generator) -> Floats:
    weights: Floats = np.arange(1, count + 1, dtype=np.float64) ** -_SKEW
    chance.shuffle(weights)
    weights /= weights.sum()
    return weights


def _drawn(chance: Generator, count: int, liking: Floats) -> Ints:
    """Draw some without repetition, the likeliest first on the whole (Efraimidis and Spirakis)."""
    turns = np.full(len(liking), np.inf)
    open_ = liking > 0
    turns[open_] = chance.exponential(1.0, int(np.count_nonzero(open_))) / liking[open_]
    return np.argsort(turns, kind="stable")[:count]


_FIRST = (
    *("Ada", "Bela", "Cleo", "Dario", "Edda", "Femi", "Greta", "Hugo", "Ines", "Jonas"),
    *("Kira", "Lino", "Maya", "Nils", "Oda", "Pablo", "Quinn", "Rosa", "Sami", "Tilda"),
)
_LAST = (
    *("Alder", "Birch", "Cedar", "Dune", "Ember", "Fjord", "Grove", "Heath", "Isle", "Juniper"),
    *("Kelp", "Lark", "Marsh", "North", "Oak", "Pebble", "Quarry", "Reed", "Stone", "Thorn"),
)
