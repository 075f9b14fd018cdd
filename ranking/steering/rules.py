"""A rule as the ranking keeps it: what of the event matters to a page, ready to be compared.

Held by the state for each viewer, in the order in which the rules were added.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Self
from uuid import UUID

import msgspec
import numpy as np
from numpy.typing import NDArray

from domain.steering.events import RuleAdded, RuleChanged
from ranking.steering.meanings import meaning
from ranking.steering.words import hashed, words

Embed = Callable[[Sequence[str]], NDArray[np.float32]]

NOBODY = -1


@dataclass(frozen=True, slots=True, eq=False)
class Rule:
    """One rule of one viewer. `vector` is what its words mean, zero where they mean nothing."""

    rule_id: UUID
    kind: str
    about: str
    terms: tuple[str, ...]
    author: int
    strength: float
    expires_ms: int | None
    phrases: tuple[tuple[int, ...], ...]
    vector: NDArray[np.float32]

    @classmethod
    def of(cls, event: RuleAdded, *, author: int = NOBODY, embed: Embed) -> Self:
        """Return the rule that an account added; `author` is the serial of `author_id`."""
        said = meaning(event.about, event.terms)
        return cls(
            rule_id=event.rule_id,
            kind=event.kind,
            about=event.about,
            terms=event.terms,
            author=author,
            strength=event.strength / 100,
            expires_ms=_milliseconds(event),
            phrases=tuple(tuple(map(hashed, words(phrase))) for phrase in said),
            vector=_vector(said, embed),
        )

    def changed(self, event: RuleChanged) -> Self:
        """Return the rule as its owner changed it."""
        return replace(self, strength=event.strength / 100, expires_ms=_milliseconds(event))

    def acts(self, as_of_ms: int) -> bool:
        """Tell whether the rule has not ended."""
        return self.expires_ms is None or as_of_ms < self.expires_ms

    def encode(self) -> bytes:
        """Return all that the rule is, the same bytes for the same rule."""
        told = (str(self.rule_id), self.kind, self.about, self.terms, self.author, self.strength)
        return msgspec.json.encode((*told, self.expires_ms, self.phrases)) + self.vector.tobytes()


def _vector(said: Sequence[str], embed: Embed) -> NDArray[np.float32]:
    if not said:
        return np.zeros_like(embed([""])[0])
    meant = embed(list(said)).astype(np.float64)
    total: NDArray[np.float64] = np.asarray(meant.sum(axis=0), np.float64)
    length = float(np.sqrt((total * total).sum())) or 1.0
    return np.asarray(total / length, np.float32)


def _milliseconds(event: RuleAdded | RuleChanged) -> int | None:
    return None if event.expires_at is None else round(event.expires_at.timestamp() * 1000)
