"""Lists of words and phrases, and where a folded text has one of them.

A term is a word ("knife"), a phrase of words ("cut into pieces"), or the beginning of a word
("strangl*"). A word is found as a whole word alone: no place name or bird is refused for what it
has inside. Terms of scripts that are written without spaces are found anywhere.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from myriorama.studio.screening.folding import BEGINNING, Folded, fold_letters


@dataclass(frozen=True)
class Hit:
    """A term that a text has, and at which of its words."""

    term: str
    place: int


class Terms:
    """A list of terms, as many as one likes: a text is looked through once for all of them."""

    def __init__(self, terms: Iterable[str], *, exceptions: Iterable[str] = ()) -> None:
        self._terms = _Table.of(terms)
        self._exceptions = _Table.of(exceptions)

    def hits(self, folded: Folded) -> list[Hit]:
        """Tell the terms that a text has, in plain sight first, and then those in disguise."""
        found = [Hit(term, 0) for term in self._terms.unbroken if term in folded.text]
        if self._terms.may_be_in(folded):
            found += [hit for words in folded.readings for hit in self._among(words)]
            found += [hit for word in folded.spelt for hit in self._terms.among((word,))]
        return found

    def _among(self, words: Sequence[str]) -> list[Hit]:
        hits = self._terms.among(words)
        if not hits:
            return hits
        excepted = {
            place
            for innocent in self._exceptions.among(words)
            for place in range(innocent.place, innocent.place + len(innocent.term.split()))
        }
        return [hit for hit in hits if hit.place not in excepted]


@dataclass
class _Table:
    """Terms by their first word, or by the first letters of it."""

    whole: dict[str, list[Sequence[str]]]
    begun: dict[str, list[Sequence[str]]]
    unbroken: list[str]

    @classmethod
    def of(cls, terms: Iterable[str]) -> "_Table":
        table = cls({}, {}, [])
        for term in terms:
            folded = fold_letters(term)
            words = _TERM.findall(folded)
            if _UNSPACED.search(folded):
                table.unbroken.append(folded)
            elif words[0].endswith("*"):
                table.begun.setdefault(words[0][:BEGINNING], []).append(words)
            else:
                table.whole.setdefault(words[0], []).append(words)
        return table

    def may_be_in(self, folded: Folded) -> bool:
        """Tell, in no time, of most texts that they have none of the terms."""
        return not (
            self.whole.keys().isdisjoint(folded.vocabulary)
            and self.begun.keys().isdisjoint(folded.beginnings)
        )

    def among(self, words: Sequence[str]) -> list[Hit]:
        """Tell the terms that stand among some words."""
        whole, begun = self.whole, self.begun
        hits: list[Hit] = []
        for place, word in enumerate(words):
            if word in whole:
                hits += _at(whole[word], words, place)
            if word[:BEGINNING] in begun:
                hits += _at(begun[word[:BEGINNING]], words, place)
        return hits


def _at(terms: Iterable[Sequence[str]], words: Sequence[str], place: int) -> Iterator[Hit]:
    for term in terms:
        there = words[place : place + len(term)]
        if len(there) == len(term) and all(map(_matches, term, there)):
            yield Hit(" ".join(term), place)


def _matches(wanted: str, word: str) -> bool:
    return word.startswith(wanted[:-1]) if wanted.endswith("*") else word == wanted


_TERM = re.compile(r"[^\W_]+\*?")
# Han, kana and Thai are written without spaces between words.
_UNSPACED = re.compile(r"[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff]")
