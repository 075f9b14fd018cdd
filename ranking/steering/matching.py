"""How well videos match a rule: by their words, by what they mean, or by what they are.

Exact on every machine: meanings are compared as whole numbers.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from ranking.catalogue import CODE_STEPS, Videos
from ranking.chains import Serials
from ranking.state import State
from ranking.steering.rules import Rule

Floats = NDArray[np.float32]
Flags = NDArray[np.bool_]

MATCHED = 0.5
"""From here on a video is of a rule's subject."""

# Cosines of what is alike are .35 and more, of what is not about 0, up to .3.
COSINE_FROM, COSINE_TO = 0.30, 0.46


class Sight:
    """Some videos, looked at for the sake of several rules."""

    def __init__(self, state: State, serials: Serials, viewer: int) -> None:
        self._state, self._viewer = state, viewer
        self.serials = serials
        self.videos: Videos = state.videos
        self._hashes: NDArray[np.uint32] | None = None
        self._owners = np.zeros(0, np.int64)
        self._codes: Floats | None = None

    def matches(self, rule: Rule) -> Floats:
        """Return how well each video matches a rule, 0 to 1."""
        judge = _JUDGES.get(rule.about)
        if judge is not None:
            return judge(self, rule).astype(np.float32)
        alike = self.alike(np.rint(rule.vector * CODE_STEPS))
        return np.maximum(self.saying(rule), alike, dtype=np.float32)

    def alike(self, code: Floats) -> Floats:
        """Return how much each video means what a code means, 0 to 1."""
        if not code.any():
            return np.zeros(len(self.serials), np.float32)
        if self._codes is None:
            self._codes = self.videos.codes[self.serials].astype(np.float32)
        # Products of whole numbers, below 2**24: exact in whatever order they are added.
        cosine = (self._codes @ code.astype(np.float32)).astype(np.float64) / CODE_STEPS**2
        return np.clip((cosine - COSINE_FROM) / (COSINE_TO - COSINE_FROM), 0, 1).astype(np.float32)

    def by_author(self, rule: Rule) -> Flags:
        """Tell which the rule's author published."""
        return np.equal(self.videos.author[self.serials], rule.author)

    def of_length(self, rule: Rule) -> Flags:
        """Tell which are shorter, or longer, than the rule says."""
        side, bound_ms = rule.terms[0], int(rule.terms[1])
        durations_ms = self.videos.duration_ms[self.serials]
        return durations_ms > bound_ms if side == "over" else durations_ms < bound_ms

    def of_form(self, rule: Rule) -> Flags:
        """Tell which are remixes, are none, or have cameos."""
        match rule.terms[0]:
            case "remix":
                return self.videos.parent[self.serials] >= 0
            case "original":
                return self.videos.parent[self.serials] < 0
            case _:
                return self.videos.cameo_counts[self.serials] > 0

    def of_circle(self, rule: Rule) -> Flags:
        """Tell which are of people whom the viewer follows, or of others."""
        follows = self._state.people.follows.of(self._viewer) if self._viewer >= 0 else ()
        followed = np.isin(self.videos.author[self.serials], follows)
        return followed if rule.terms[0] == "following" else ~followed

    def saying(self, rule: Rule) -> Flags:
        """Tell which have all words of one of the rule's phrases in prompt, caption or hashtags."""
        found = self._having([phrase[0] for phrase in rule.phrases if len(phrase) == 1])
        for phrase in rule.phrases:
            if len(phrase) > 1:
                found |= np.logical_and.reduce([self._having([word]) for word in phrase])
        return found

    def _having(self, words: Sequence[int]) -> Flags:
        """Tell which have one of the words, or more."""
        if self._hashes is None:
            kept = [self.videos.words(serial) for serial in self.serials.tolist()]
            self._owners = np.repeat(np.arange(len(kept)), [len(each) for each in kept])
            self._hashes = np.concatenate([np.zeros(0, np.uint32), *kept])
        having = np.zeros(len(self.serials), np.bool_)
        if words:
            having[self._owners[np.isin(self._hashes, np.array(words, np.uint32))]] = True
        return having


_JUDGES: Mapping[str, Callable[[Sight, Rule], Flags]] = {
    "author": Sight.by_author,
    "hashtag": Sight.saying,
    "length": Sight.of_length,
    "form": Sight.of_form,
    "circle": Sight.of_circle,
}
