"""A page of the feed as the ads know it: videos in an order that no ad changes."""

from typing import Literal
from uuid import UUID

import msgspec

Safety = Literal["safe", "limited", "unsafe"]


class Slot(msgspec.Struct, frozen=True, gc=False):
    """A video of the page.

    `keywords` are casefolded. `safety` None means that nobody has looked yet, which counts as
    unsafe. `worth` is what seeing it is worth to the viewer, from 0 on; `Rules.worth_micros` says
    what that is in money.
    """

    video_id: UUID
    author_id: UUID
    category: str | None = None
    keywords: frozenset[str] = frozenset()
    safety: Safety | None = None
    worth: float = 0.0
