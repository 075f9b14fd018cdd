"""Cuts a sentence into clauses: each with the words that ask, what they ask for, and until when."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from ranking.steering.languages.lexicon import Lexicon, Marker
from ranking.steering.subjects import is_filler, length_at, says_nothing
from ranking.steering.times import End, find_time
from ranking.steering.tokens import Sort, Token

NOT_A_WISH = "not_a_wish"


@dataclass
class Clause:
    """A part of a sentence; `subject` is what is left of it without marker and times."""

    marker: Marker | None = None
    tokens: list[Token] = field(default_factory=list[Token])
    subject: list[Token] = field(default_factory=list[Token])
    end: End | None = None
    problem: str = ""


def read_clauses(sentence: Sequence[Token], lexicon: Lexicon, now: datetime) -> Sequence[Clause]:
    """Return the clauses of a sentence, in order; what stands before the first is one, too."""
    reading = _Reading(sentence, lexicon, now)
    reading.read()
    return list(reading.told())


class _Reading:
    def __init__(self, sentence: Sequence[Token], lexicon: Lexicon, now: datetime) -> None:
        self._tokens, self._lexicon, self._now = sentence, lexicon, now
        self._words = [t.text if t.sort is Sort.WORD else "" for t in sentence]
        self._clauses = [Clause()]
        self._lead: End | None = None
        self._asked_at = 0

    def read(self) -> None:
        place = 0
        while place < len(self._tokens):
            place += self._step(place)

    def told(self) -> Iterator[Clause]:
        """Yield what is to be told of: not what is filler alone."""
        for clause in self._clauses:
            if clause.marker is None and not clause.problem:
                if says_nothing(clause.subject, self._lexicon):
                    continue
                clause.problem = "nothing_asked"
            clause.end = clause.end or self._lead
            yield clause

    def _step(self, place: int) -> int:
        """Understand what stands at a place, and return how many tokens that took."""
        lexicon, words = self._lexicon, self._words
        if lexicon.denials.find(words, place):
            return self._deny(place)
        length = length_at(words, place, lexicon)
        if (request := self._requested(place)) is not None:
            return self._request(place, request)
        if not length and (time := find_time(words, place, lexicon.times, self._now)):
            return self._last(place, time.length, time.end)
        thing = length[0] if length else _long_thing(words, place, lexicon)
        if not thing and (found := self._marker(place)):
            return self._open(place, *found)
        return self._keep(place, thing or 1)

    def _marker(self, place: int) -> tuple[int, Marker] | None:
        """Find words that ask, with a degree before them, or with a slip of the keyboard."""
        markers, words = self._lexicon.markers, self._words
        found = markers.find(words, place)
        begins = self._begins(place)
        if found and found[0] == 1 and words[place] in self._lexicon.imperatives and not begins:
            return None
        degree = self._lexicon.degrees.find(words, place)
        if degree:
            after = markers.find(words, place + degree[0])
            if after and not after[1].is_weak and (not found or found[0] <= degree[0]):
                marker = after[1]
                if marker.kind != "hide":
                    marker = marker._replace(strength=degree[1])
                return degree[0] + after[0], marker
        if found is None and begins:
            meant = _meant(words[place], markers.singles)
            return markers.find([meant], 0) if meant else None
        return found

    def _begins(self, place: int) -> bool:
        """Tell whether a clause may begin at a place: at the start, or after a pause."""
        at = place - 1
        while at >= self._asked_at and not self._is_pause(at):
            if not is_filler(self._tokens[at], self._lexicon):
                return False
            at -= 1
        return at < 0 or self._is_pause(at)

    def _is_pause(self, place: int) -> bool:
        token = self._tokens[place]
        return token.sort is Sort.COMMA or token.text in self._lexicon.separators

    def _is_open(self) -> bool:
        return self._clauses[-1].marker is not None

    def _keep(self, place: int, length: int) -> int:
        taken = self._tokens[place : place + length]
        self._clauses[-1].tokens += taken
        self._clauses[-1].subject += taken
        return length

    def _open(self, place: int, length: int, marker: Marker) -> int:
        taken = list(self._tokens[place : place + length])
        self._asked_at = place + length
        last = self._clauses[-1]
        names_nothing = says_nothing(last.subject, self._lexicon)
        if last.marker is not None and not last.problem and names_nothing:
            paused = any(t.sort is Sort.COMMA for t in last.subject)
            last.marker, last.problem = _joined(last.marker, marker, paused=paused)
            last.subject.clear()
            last.tokens += taken
        elif _ends_denial(last, marker) and self._says_no_more(place + length):
            last.tokens += taken
        else:
            self._clauses.append(Clause(marker, taken))
        return length

    def _says_no_more(self, place: int) -> bool:
        """Tell whether what follows names nothing: "keine Spinnen mehr", "plus" at the end."""
        for at in range(place, len(self._tokens)):
            if self._is_pause(at):
                return True
            if not is_filler(self._tokens[at], self._lexicon):
                return False
        return True

    def _requested(self, place: int) -> int | None:
        """Return how many words ask for something without a verb: "cheer me up"."""
        request = self._lexicon.requests.find(self._words, place)
        if request is None or self._is_open() or self._lexicon.markers.find(self._words, place):
            return None
        return request[0]

    def _request(self, place: int, length: int) -> int:
        taken = list(self._tokens[place : place + length])
        self._clauses.append(Clause(Marker("boost"), list(taken), list(taken)))
        return length

    def _last(self, place: int, length: int, end: End | None) -> int:
        clause = self._clauses[-1]
        clause.tokens += self._tokens[place : place + length]
        if end is None:
            clause.problem = "time"
        elif self._is_open():
            clause.end = end
        else:
            self._lead = end
        return length

    def _deny(self, place: int) -> int:
        """Take everything up to the next pause for no wish."""
        upto = place + 1
        while upto < len(self._tokens) and not self._is_pause(upto):
            upto += 1
        denied = Clause(None, list(self._tokens[place:upto]), problem=NOT_A_WISH)
        self._clauses.append(denied)
        # What comes after a pause belongs to nothing that was said before.
        self._clauses.append(Clause())
        return upto - place


def _joined(first: Marker, second: Marker, *, paused: bool) -> tuple[Marker, str]:
    """Return what two markers with nothing between them ask for, and why that is no wish."""
    if first.is_weak or (paused and second.is_weak):
        kept = second
    elif first.kind == second.kind:
        kept = first if first.strength >= second.strength else second
    elif second.is_weak or (first.kind == "hide" and second.kind == "boost"):
        kept = first
    else:
        return second, NOT_A_WISH
    return kept._replace(is_for_good=first.is_for_good or kept.is_for_good), ""


def _ends_denial(clause: Clause, marker: Marker) -> bool:
    return clause.marker is not None and clause.marker.kind == "hide" and marker.kind == "boost"


def _long_thing(words: Sequence[str], place: int, lexicon: Lexicon) -> int:
    """Return how many words a thing of several has: "people I don't know" asks for nothing."""
    thing = lexicon.things.find(words, place)
    return thing[0] if thing and thing[0] > 1 else 0


def _meant(word: str, known: Sequence[str]) -> str | None:
    """Return the word that was meant if two letters changed places, or one is too many or lacks."""
    return next((each for each in known if len(each) > 3 and _is_slip(word, each)), None)  # noqa: PLR2004 - short words resemble others


def _is_slip(word: str, meant: str) -> bool:
    if not word or word[0] != meant[0] or abs(len(word) - len(meant)) > 1 or word == meant:
        return False
    if len(word) == len(meant):
        at = next(i for i, (a, b) in enumerate(zip(word, meant, strict=True)) if a != b)
        swapped = word[:at] + word[at + 1 : at + 2] + word[at] + word[at + 2 :]
        return swapped == meant
    longer, shorter = sorted((word, meant), key=len, reverse=True)
    return any(longer[:at] + longer[at + 1 :] == shorter for at in range(1, len(longer)))
