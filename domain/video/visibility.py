"""Who may see a video: the one rule, for the write side and, as SQL of the same sense, for lists.

The read side's twin is the function `visible_videos` of the database; a test holds both together.
"""

from dataclasses import dataclass
from typing import Literal

Visibility = Literal["public", "followers", "link"]


@dataclass(frozen=True)
class Relation:
    """How somebody who looks stands to the author; a visitor without an account is a stranger."""

    is_author: bool = False
    follows_author: bool = False
    is_blocked: bool = False
    """One of the two blocks the other, whichever."""


STRANGER = Relation()


def may_see(visibility: str, relation: Relation, *, deleted: bool) -> bool:
    """Tell whether who knows the ID of a video may see it."""
    if deleted:
        return False
    if relation.is_author:
        return True
    if relation.is_blocked:
        return False
    return visibility in {"public", "link"} or relation.follows_author


def may_list(visibility: str, relation: Relation, *, deleted: bool) -> bool:
    """Tell whether a video may stand in a list: one with a link is for those who were given it."""
    listed = visibility != "link" or relation.is_author
    return listed and may_see(visibility, relation, deleted=deleted)
