"""Text folded so that one word has one spelling, however it is dressed up.

Letters of other scripts that look like Latin ones, accents, invisible characters, digits that
stand for letters and words that are spelt l e t t e r by letter all come to the same. Lists of
words are folded too, so only what both come to matters, and other languages keep their words.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

WORD = re.compile(r"[^\W_]+")
"""A word, of whatever script: letters and digits in a row."""

BEGINNING = 3
"""The letters that a term has of a word's beginning, at the least."""


@dataclass(frozen=True)
class Folded:
    """A text as it is screened.

    `words` are its words as they stand; `readings` are those, and how they read if digits and
    signs are letters ("s3x"). `spelt` is what is spelt letter by letter ("k.i.l.l").
    """

    text: str
    words: tuple[str, ...]
    readings: tuple[tuple[str, ...], ...]
    spelt: tuple[str, ...]

    @cached_property
    def vocabulary(self) -> frozenset[str]:
        """Every word that it has in one way or another, once."""
        return frozenset(self.spelt).union(*self.readings)

    @cached_property
    def beginnings(self) -> frozenset[str]:
        """The first letters of all words, as many as a term has to tell of a word's beginning."""
        return frozenset([word[:BEGINNING] for word in self.vocabulary])


def fold(text: str) -> Folded:
    """Fold a text. Any string of Unicode has a fold, in time linear in its length."""
    plain = fold_letters(text)
    words = tuple(WORD.findall(plain))
    readings = [words]
    if _IN_DISGUISE.search(plain):
        dressed = _DRESSED.findall(plain)
        for leet in (_LEET, _LEET_TOO) if "1" in plain else (_LEET,):
            undressed = [one if one.isalpha() else _undress(one, leet) for one in dressed]
            readings.append(tuple(undressed))
    return Folded(plain, words, tuple(readings), tuple(_spelt(words)))


def fold_letters(text: str) -> str:
    """Fold what single characters look like: compatibility, case, accents, look-alikes."""
    if text.isascii():
        return text.casefold().translate(_CONTROLS)
    decomposed = unicodedata.normalize("NFKD", text.translate(_INVISIBLE)).casefold()
    return unicodedata.normalize("NFKC", decomposed.translate(_LOOKALIKES))


def _undress(word: str, leet: dict[int, int]) -> str:
    """Read digits and signs as letters, in what has a letter too: "2024" stays a number."""
    bare = word.strip("!|_")
    if bare.isnumeric() or not any(map(str.isalpha, bare)):
        return bare
    return bare.translate(leet)


def _spelt(words: tuple[str, ...]) -> Iterator[str]:
    """Join runs of single letters to words; a letter at an end may be a word of its own."""
    run: list[str] = []
    for word in (*words, ""):
        if len(word) == 1 and word.isalnum():
            run.append(word)
            continue
        if len(run) >= _SPELT_LETTERS_MIN:
            joined = "".join(run).translate(_LEET)
            yield joined
            yield joined[1:]
            yield joined[:-1]
        run.clear()


_SPELT_LETTERS_MIN = 3

_IN_DISGUISE = re.compile(r"[0-9@$!|\u20ac]")
_DRESSED = re.compile(r"[\w@$!|\u20ac]+")
_LEET = str.maketrans("013457@$!|\u20ac", "oleastasiie")
_LEET_TOO = _LEET | {ord("1"): ord("i")}

_CONTROLS: Mapping[int, str | None] = dict.fromkeys([*range(9), *range(14, 32), 127])


def _ranges(*bounds: tuple[int, int]) -> dict[int, None]:
    return {point: None for first, last in bounds for point in range(first, last + 1)}


# What takes no room: format characters, joiners, fillers, selectors, tags, and stray surrogates.
_INVISIBLE: Mapping[int, None] = {
    **_ranges((0x00, 0x08), (0x0E, 0x1F), (0x7F, 0x84), (0x86, 0x9F)),
    **_ranges((0x34F, 0x34F), (0x61C, 0x61C), (0x115F, 0x1160), (0x17B4, 0x17B5)),
    **_ranges((0x180B, 0x180F), (0x200B, 0x200F), (0x202A, 0x202E), (0x2060, 0x206F)),
    **_ranges((0x3164, 0x3164), (0xFE00, 0xFE0F), (0xFEFF, 0xFEFF), (0xFFA0, 0xFFA0)),
    **_ranges((0xFFF9, 0xFFFB), (0xAD, 0xAD), (0xD800, 0xDFFF), (0xE0000, 0xE0FFF)),
}

# By Latin letter, what looks like it when small: Cyrillic, Greek, Armenian, Cherokee, Lisu, IPA.
_LIKE = {
    "a": "\u0430\u03b1\u0251\u237a\u15c5\uab7a\u13aa",
    "b": "\u044c\u0432\u03b2\u0184\u0185\u0253\u13cf\ua4d0",
    "c": "\u0441\u03f2\u0188\u0254\u1d04\ua4da\u13df",
    "d": "\u0501\u0257\u0256\u13e7\ua4d3\u0111",
    "e": "\u0435\u0454\u03b5\u04bd\u0258\u0259\u025b\u212e\u13ac\ua4f0",
    "f": "\u0192\ua799\ua4dd\u03dd",
    "g": "\u0261\u0581\u0260\u050d\ua4d6\u13c0",
    "h": "\u04bb\u0570\u043d\u0266\u13bb\ua4e7\u0127",
    "i": "\u0456\u03b9\u0131\u0269\u04cf\ua4f2\u13a5",
    "j": "\u0458\u03f3\u029d\u13ab\ua4d9",
    "k": "\u043a\u03ba\u0138\u0199\u13e6\ua4d7",
    "l": "\u04c0\u2223\u01c0\u0142\u026b\u13de\ua4e1\u05c0",
    "m": "\u043c\u1d0d\u13b7\ua4df\u028d",
    "n": "\u0578\u057c\u03b7\u0273\u0274\ua4e0\u0438",
    "o": "\u043e\u03bf\u0585\u03c3\u00f8\u1d0f\u13a4\ua4f3\u0275",
    "p": "\u0440\u03c1\u01a5\u13e2\ua4d1",
    "q": "\u051b\u0566\u02a0",
    "r": "\u0433\u027e\u0280\u1d26\u13a1\ua4e3",
    "s": "\u0455\u01bd\ua731\u13da\ua4e2\u0282",
    "t": "\u0442\u03c4\u0288\u13a2\ua4d4",
    "u": "\u057d\u03c5\u028b\u1d1c\ua4f4",
    "v": "\u03bd\u0475\u1d20\u13d9\ua4e6",
    "w": "\u0461\u051d\u0561\u1d21\u13b3\ua4ea\u0448",
    "x": "\u0445\u03c7\ua4eb\u2573",
    "y": "\u0443\u04af\u03b3\u028f\u13bd\ua4ec",
    "z": "\u1d22\u13c3\ua4dc\u0290",
    "ss": "\u00df",
    "ae": "\u00e6",
    "oe": "\u0153",
}

_LOOKALIKES: Mapping[int, str | None] = {
    **_ranges((0x300, 0x36F), (0x1AB0, 0x1AFF), (0x1DC0, 0x1DFF), (0x20D0, 0x20FF)),
    **{ord(like): letter for letter, likes in _LIKE.items() for like in likes},
    **{0x1F1E6 + place: chr(ord("a") + place) for place in range(26)},  # regional indicators
    **{0x1F150 + place: chr(ord("a") + place) for place in range(26)},  # negative circled
    **{0x1F170 + place: chr(ord("a") + place) for place in range(26)},  # negative squared
}
