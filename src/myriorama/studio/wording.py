"""What a prompt asks for: who is in it, what they do, where, and which words are to be read."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from myriorama.studio import lexicon
from myriorama.studio.lexicon import Light, Motion, Place, Weather

SUBJECTS_MAX = 5


@dataclass(frozen=True)
class Subject:
    """Someone or something in the picture.

    `drawing` names a sprite; without one the noun itself is written on a plain shape. `cameo` is
    the position among the scene's cameos of the person whose face is shown instead.
    """

    noun: str
    motion: Motion
    drawing: str | None = None
    colour: str | None = None
    size: float = 1.0
    cameo: int | None = None


@dataclass(frozen=True)
class Setting:
    """The place, its light and its weather. What is None was left open by the prompt."""

    place: Place | None
    light: Light | None
    weather: Weather | None


@dataclass(frozen=True)
class Reading:
    """All that a prompt asks for. There is always at least one subject."""

    subjects: tuple[Subject, ...]
    setting: Setting
    caption: str | None


@dataclass
class _Mention:
    """A noun on its way to becoming one or several subjects."""

    noun: str
    drawing: str | None
    colour: str | None = None
    size: float = 1.0
    count: int = 1
    cameo: int | None = None
    motion: Motion | None = None
    stands_by: bool = False


def read(prompt: str, cameo_names: Sequence[str] = ()) -> Reading:
    """Read a prompt. Cameos that it does not name come first in the picture."""
    quoted = _QUOTED.search(prompt)
    rest = _QUOTED.sub(" ", prompt)
    words = [word.casefold() for word in _WORD.findall(rest)]
    parser = _Parser(cameo_names)
    parser.parse(words)
    mentions = parser.mentions
    named = {mention.cameo for mention in mentions}
    unnamed = [
        _Mention(noun=name, drawing=None, cameo=index)
        for index, name in enumerate(cameo_names)
        if index not in named
    ]
    drawn = [m for m in mentions if m.drawing or m.cameo is not None]
    certain = [m for m in mentions if m in drawn or not m.stands_by]
    cast = unnamed + (certain or mentions)
    if not cast:
        cast = [_nobody(words)]
    shared = parser.motions[0] if parser.motions else None
    subjects = [subject for mention in cast for subject in _subjects(mention, shared)]
    caption = quoted.group(1).strip() if quoted else ""
    setting = Setting(parser.place or _snowed_in(parser.weather), parser.light, parser.weather)
    return Reading(tuple(subjects[:SUBJECTS_MAX]), setting, caption or None)


# The quotation marks and apostrophes that people type, and one emoji as a word of its own.
_QUOTED = re.compile(
    '["\u201c\u201d\u00ab]([^"\u201c\u201d\u00ab\u00bb]{1,160})["\u201c\u201d\u00bb]'
)
_WORD = re.compile(
    r"\d+|@?[^\W\d_](?:[\w'\u2019.-]*\w)?|[\u2600-\u27bf\u2b50-\u2b55\U0001f300-\U0001faff]"
)


class _Parser:
    """Reads a prompt word by word. Each kind of word has one method that knows it, or not."""

    def __init__(self, cameo_names: Sequence[str]) -> None:
        self.cameos = {
            name.casefold().removeprefix("@"): index for index, name in enumerate(cameo_names)
        }
        self.mentions: list[_Mention] = []
        self.motions: list[Motion] = []
        self.place: Place | None = None
        self.light: Light | None = None
        self.weather: Weather | None = None
        self.phrase = _Phrase()

    def parse(self, words: Sequence[str]) -> None:
        kinds = (
            self._cameo, self._adjective, self._joint, self._weather, self._place, self._verb,
            self._noun,
        )  # fmt: skip
        for group in _groups(words, self.cameos):
            if not any(kind(group) for kind in kinds):
                self.phrase.unknown.append(group)
        self.mentions += self.phrase.close()

    def _cameo(self, group: str) -> bool:
        index = self.cameos.get(group.removeprefix("@"))
        if index is not None:
            self.mentions.append(self.phrase.take(group.removeprefix("@"), None, cameo=index))
        return index is not None

    def _adjective(self, group: str) -> bool:
        if group in lexicon.ARTICLES:
            self.mentions += self.phrase.close()
            self.phrase.has_article = True
        elif group in lexicon.COUNTS:
            self.phrase.count, self.phrase.has_article = lexicon.COUNTS[group], True
        elif group in lexicon.COLOURS:
            self.phrase.colour = lexicon.COLOURS[group]
        elif group in lexicon.SIZES:
            self.phrase.size = lexicon.SIZES[group]
        else:
            return False
        return True

    def _joint(self, group: str) -> bool:
        is_preposition = group in lexicon.PREPOSITIONS
        if is_preposition or group in lexicon.LINKS:
            self.mentions += self.phrase.close()
            # "with a penguin" joins in; "over a log" and "a dog chases a ball" stand by.
            self.phrase.stands_by = is_preposition
            return True
        return False

    def _weather(self, group: str) -> bool:
        light, weather = _meaning(lexicon.LIGHTS, group), _meaning(lexicon.WEATHERS, group)
        self.light = self.light or light
        self.weather = self.weather or weather
        return light is not None or weather is not None

    def _place(self, group: str) -> bool:
        place = _meaning(lexicon.PLACES, group)
        if place:
            self.place = self.place or place
            self.phrase.reset()
        return place is not None

    def _verb(self, group: str) -> bool:
        motion = _meaning(lexicon.MOTIONS, group)
        if motion is None or (self.phrase.is_open and group in lexicon.nouns()):
            return False  # "a drum rolls" does, "a roll" is none.
        self.mentions += self.phrase.close()
        self.motions.append(motion)
        self.phrase.stands_by = bool(self.mentions)
        for mention in self.mentions:
            mention.motion = mention.motion or motion
        return True

    def _noun(self, group: str) -> bool:
        drawing = _drawing(group)
        if drawing:
            is_plural = group.endswith("s") and group not in lexicon.nouns()
            self.phrase.count = max(self.phrase.count, 2 if is_plural else 1)
            self.mentions.append(self.phrase.take(group, drawing))
        return drawing is not None


class _Phrase:
    """The noun phrase that is being read."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self.has_article = False
        self.stands_by = False
        self.colour: str | None = None
        self.size = 1.0
        self.count = 1
        self.unknown: list[str] = []

    @property
    def is_open(self) -> bool:
        return self.has_article and not self.unknown

    def take(self, noun: str, drawing: str | None, *, cameo: int | None = None) -> _Mention:
        mention = _Mention(
            noun=noun,
            drawing=drawing,
            colour=self.colour,
            size=self.size,
            count=self.count,
            cameo=cameo,
            stands_by=self.stands_by,
        )
        self.reset()
        return mention

    def close(self) -> list[_Mention]:
        """End the phrase. A word nobody knows is a noun if it stood last behind an article."""
        if self.has_article and self.unknown:
            return [self.take(self.unknown[-1], None)]
        stands_by = self.stands_by and not self.unknown
        self.reset()
        self.stands_by = stands_by
        return []


def _subjects(mention: _Mention, shared: Motion | None) -> Iterator[Subject]:
    motion = mention.motion
    if motion is None:
        natural = lexicon.natural_motion(mention.drawing)
        motion = natural if mention.stands_by or shared is None else shared
    subject = Subject(
        noun=mention.noun,
        motion=motion,
        drawing=mention.drawing,
        colour=mention.colour,
        size=mention.size,
        cameo=mention.cameo,
    )
    for _ in range(mention.count):
        yield replace(subject)


def _nobody(words: Sequence[str]) -> _Mention:
    """Who is in a prompt that names nobody: its first word of its own, or else a star."""
    known = lexicon.LINKS | lexicon.PREPOSITIONS | lexicon.ARTICLES
    own = [word for word in words if word not in known and not _is_understood(word)]
    if own:
        return _Mention(noun=own[0], drawing=None)
    return _Mention(noun="star", drawing=lexicon.nouns()["star"])


def _is_understood(word: str) -> bool:
    tables: tuple[Mapping[str, object], ...] = (
        lexicon.MOTIONS, lexicon.PLACES, lexicon.LIGHTS, lexicon.WEATHERS, lexicon.COLOURS,
        lexicon.SIZES, lexicon.COUNTS,
    )  # fmt: skip
    return any(_meaning(table, word) is not None for table in tables)


def _groups(words: Sequence[str], cameos: Collection[str]) -> Iterator[str]:
    """Join what belongs together: `hot air balloon`, and names of several words."""
    position = 0
    while position < len(words):
        group = words[position]
        for length in (3, 2):
            longer = " ".join(words[position : position + length])
            if longer in cameos or longer in lexicon.nouns():
                group = longer
                break
        yield group
        position += len(group.split())


def _snowed_in(weather: Weather | None) -> Place | None:
    return Place.SNOW if weather == Weather.SNOW else None


def _drawing(group: str) -> str | None:
    if len(group) == 1 and (lexicon.DRAWINGS / f"{ord(group):x}.svg").is_file():
        return f"{ord(group):x}"
    return _meaning(lexicon.nouns(), group)


_Meaning = TypeVar("_Meaning")


def _meaning(table: Mapping[str, _Meaning], word: str) -> _Meaning | None:
    """Look a word up as it stands, then without its English endings."""
    return next((table[stem] for stem in _stems(word) if stem in table), None)


def _stems(word: str) -> Iterator[str]:
    yield word
    for ending, others in _ENDINGS:
        if word.endswith(ending) and len(word) > len(ending) + 1:
            stem = word.removesuffix(ending)
            for other in others:
                yield stem + other
            if ending in ("ing", "ed") and stem[-1] == stem[-2]:
                yield stem[:-1]
    if word in _IRREGULAR:
        yield _IRREGULAR[word]


_ENDINGS = (
    ("ies", ("y",)),
    ("ves", ("f", "fe")),
    ("es", ("", "e")),
    ("s", ("",)),
    ("ing", ("", "e")),
    ("ed", ("", "e")),
)
_IRREGULAR = {
    "ran": "run", "swam": "swim", "flew": "fly", "flown": "fly", "fell": "fall", "fallen": "fall",
    "sang": "sing", "spun": "spin", "shook": "shake", "grew": "grow", "slept": "sleep",
    "drove": "drive", "mice": "mouse", "geese": "goose", "men": "man", "women": "woman",
    "people": "person", "children": "child", "kids": "kid", "asleep": "sleep",
}  # fmt: skip
