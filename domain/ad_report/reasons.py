"""For which reasons an ad is reported, and how much may be said to them."""

from typing import Literal, get_args

Reason = Literal[
    "deception", "offensive", "illegal", "unlabelled", "likeness", "minor_safety", "other"
]
REASONS: frozenset[str] = frozenset(get_args(Reason))
NOTE_LENGTH_MAX = 1000
