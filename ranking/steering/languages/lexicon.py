"""What a language says when it asks for more, less or none of something, and for how long.

Each language is one table of phrases in a file of its own; the parser itself knows no word.
"""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, NamedTuple, TypeVar

T = TypeVar("T")

DEFAULT, SLIGHT, MUCH, FULL = 50, 25, 75, 100

MINUTE, HOUR, DAY = 60, 3600, 86_400


class Marker(NamedTuple):
    """Words that ask for something. A weak one yields to the marker that follows at once."""

    kind: str
    strength: int = DEFAULT
    is_weak: bool = False
    is_for_good: bool = False


class Thing(NamedTuple):
    """What can be asked for: what it is about, and the terms of its rule."""

    about: str
    terms: tuple[str, ...]


# The names that the tables use.
MARKERS: Mapping[str, Marker] = {
    "boost": Marker("boost"),
    "boost_much": Marker("boost", MUCH),
    "wish": Marker("boost", is_weak=True),
    "only": Marker("boost", FULL),
    "limit": Marker("limit"),
    "limit_much": Marker("limit", MUCH),
    "hide": Marker("hide", FULL),
    "hide_for_good": Marker("hide", FULL, is_for_good=True),
}
DEGREES = {"slight": SLIGHT, "much": MUCH}
THINGS: Mapping[str, Thing] = {
    "following": Thing("circle", ("following",)),
    "strangers": Thing("circle", ("strangers",)),
    "remix": Thing("form", ("remix",)),
    "original": Thing("form", ("original",)),
    "cameo": Thing("form", ("cameo",)),
    "short": Thing("length", ("under", "8000")),
    "long": Thing("length", ("over", "15000")),
}
UNITS = {
    "minute": MINUTE,
    "hour": HOUR,
    "day": DAY,
    "week": 7 * DAY,
    "month": 30 * DAY,
    "year": 365 * DAY,
}


class Phrases(Generic[T]):
    """Phrases of several words, of which the longest that stands at a place is found."""

    def __init__(self, entries: Mapping[str, T]) -> None:
        self._entries = {tuple(phrase.split()): value for phrase, value in entries.items()}
        self._longest = max(map(len, self._entries), default=0)
        self.singles = tuple(words[0] for words in self._entries if len(words) == 1)

    def find(self, words: Sequence[str], place: int) -> tuple[int, T] | None:
        """Return how many words the longest phrase at a place has, and what it stands for."""
        for length in range(min(self._longest, len(words) - place), 0, -1):
            value = self._entries.get(tuple(words[place : place + length]))
            if value is not None:
                return length, value
        return None


@dataclass(frozen=True)
class Times:
    """How a language says how long a rule is to last.

    `periods` and `ends` name "day", "tomorrow", "week", "month", "year", "next week",
    "next month", "default" or "ever"; `units` are in seconds; Monday is 0, January 1.
    """

    periods: Phrases[str]
    until: Phrases[bool]
    lasting: Phrases[bool]
    ends: Phrases[str]
    numbers: Mapping[str, int]
    units: Mapping[str, int]
    weekdays: Mapping[str, int]
    months: Mapping[str, int]


@dataclass(frozen=True)
class Lexicon:
    """One language: what asks, how strongly, what is asked for, and what says nothing.

    `denials` are words after which nothing is taken for a wish, up to the next pause. `requests`
    ask for something without a verb. `imperatives` are markers only where a clause begins: who
    says "more stop motion" stops nothing. `fillers` are taken off the ends of what is asked for;
    beside a handle, `of_people` say as little.
    """

    markers: Phrases[Marker]
    degrees: Phrases[int]
    denials: Phrases[bool]
    imperatives: frozenset[str]
    requests: Phrases[Thing]
    things: Phrases[Thing]
    moods: Phrases[Thing]
    over: Phrases[bool]
    under: Phrases[bool]
    seconds: frozenset[str]
    fillers: Phrases[bool]
    of_people: frozenset[str]
    separators: frozenset[str]
    times: Times

    @classmethod
    def read(cls, path: Path) -> "Lexicon":
        """Read the table of a language."""
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        moods = {mood: Thing("mood", (mood,)) for mood in table["moods"]}
        return cls(
            markers=_named(table["markers"], MARKERS),
            degrees=_named(table["degrees"], DEGREES),
            denials=_all(table["denials"]),
            imperatives=frozenset(table["imperatives"]),
            requests=_named(table["requests"], {**THINGS, **_moods(table["requests"])}),
            things=_named(table["things"], THINGS),
            moods=_named(table["moods"], moods),
            over=_all(table["over"]),
            under=_all(table["under"]),
            seconds=frozenset(table["seconds"]),
            fillers=_all(table["fillers"]),
            of_people=frozenset(table["of_people"]),
            separators=frozenset(table["separators"]),
            times=_times(table["times"]),
        )


def _times(table: Mapping[str, Any]) -> Times:
    names = table["names"]
    return Times(
        periods=_named(table["periods"], {name: name for name in table["periods"]}),
        until=_all(table["until"]),
        lasting=_all(table["lasting"]),
        ends=_named(table["ends"], {name: name for name in table["ends"]}),
        numbers=_numbered(names["numbers"], 1),
        units={word: UNITS[unit] for unit, words in table["units"].items() for word in words},
        weekdays=_numbered(names["weekdays"], 0),
        months=_numbered(names["months"], 1),
    )


def _named(table: Mapping[str, Sequence[str]], values: Mapping[str, T]) -> Phrases[T]:
    return Phrases({said: values[name] for name, phrases in table.items() for said in phrases})


def _all(phrases: Sequence[str]) -> Phrases[bool]:
    return Phrases(dict.fromkeys(phrases, True))


def _moods(table: Mapping[str, Sequence[str]]) -> Mapping[str, Thing]:
    return {mood: Thing("mood", (mood,)) for mood in table if mood not in THINGS}


def _numbered(names: Sequence[str], first: int) -> Mapping[str, int]:
    return {name: n for n, same in enumerate(names, first) for name in same.split("/")}
