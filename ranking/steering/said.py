"""What somebody said of their feed, as far as it was understood."""

from datetime import datetime
from typing import NamedTuple

RULES_MAX = 24
NOT_UNDERSTOOD_MAX = 24


class Asked(NamedTuple):
    """A rule that was asked for; its fields are those of the event, but for the author's ID.

    `is_default_end`: nobody said how long it is to last.
    """

    kind: str
    about: str
    terms: tuple[str, ...]
    strength: int
    expires_at: datetime | None
    is_default_end: bool
    said: str


class Missed(NamedTuple):
    """A part that was not understood, and why.

    "nothing_asked": there is no word in it that asks; "no_subject": it does not say of what, or of
    too much at once; "not_a_wish": it is denied, contradicts itself or depends on something;
    "time": it names no time there is; "unreadable": it is no sentence; "too_many": a text has at
    most `RULES_MAX` rules.
    """

    said: str
    reason: str


class Said(NamedTuple):
    """All that was understood of a text, and what was not."""

    rules: tuple[Asked, ...]
    not_understood: tuple[Missed, ...]
