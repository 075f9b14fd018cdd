"""Review: what a check of a creative says, and for which reasons one is rejected."""

from dataclasses import dataclass, replace
from typing import Literal, get_args

from domain.creative.errors import NoteInvalid, ReasonsInvalid
from domain.text import is_readable

Reason = Literal[
    "adult",
    "broken_landing_page",
    "cameo_not_granted",
    "deceptive",
    "prohibited_goods",
    "low_quality",
    "mislabelled",
    "restricted_category",
    "trademark",
    "unsafe",
    "words",
]
REASONS: frozenset[str] = frozenset(get_args(Reason))
REASONS_MAX = 5
NOTE_LENGTH_MAX = 1000


@dataclass(frozen=True)
class Check:
    """What one check says: "allow", "doubt" (a person decides) or "refuse".

    `code` is one of the reasons, and empty where it allows; `detail` is what gave rise to it.
    """

    check: str
    version: str
    verdict: Literal["allow", "doubt", "refuse"]
    code: str = ""
    detail: str = ""


def undoubted(check: Check) -> Check:
    """Return what a check says where no person is asked: what it doubts, it allows."""
    return replace(check, verdict="allow", code="") if check.verdict == "doubt" else check


def check_reasons(reasons: tuple[str, ...]) -> None:
    """Let reasons pass that say why something is rejected.

    Raises:
        ReasonsInvalid: there is none, or no such one, or there are too many.
    """
    if not 1 <= len(reasons) <= REASONS_MAX or not REASONS.issuperset(reasons):
        raise ReasonsInvalid(f"Name 1 to {REASONS_MAX} of {', '.join(sorted(REASONS))}.")


def check_note(text: str) -> None:
    """Let a note or statement pass that can be read.

    Raises:
        NoteInvalid: it is empty, too long, or cannot be read.
    """
    if not text.strip() or len(text) > NOTE_LENGTH_MAX or not is_readable(text):
        raise NoteInvalid(f"Say it in 1 to {NOTE_LENGTH_MAX} characters.")
