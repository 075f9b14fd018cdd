"""A query: who is to be shown something, when, and by which seed; and the same within a state.

All that a ranking depends on beside the state, the model and the policy stands in the query, so it
is what the slate log keeps of a request. There is no clock behind it and no other randomness.
"""

from typing import Literal, NamedTuple, Protocol
from uuid import UUID

import msgspec
import numpy as np
from numpy.typing import NDArray

Serials = NDArray[np.int32]

Kind = Literal["for_you", "popular"]

SLATE_SIZE_MAX = 100
NOBODY = -1


class Query(msgspec.Struct, frozen=True):
    """A request for a slate.

    `decision` names it; `size`: how many are wanted, if the policy does not say fewer. `viewer` is
    the account's ID (16 bytes); `pending` are the IDs of videos that were served to the viewer and
    that the state does not know to be served, oldest first. For "popular" nothing about the viewer
    counts but what must not be shown to them.
    """

    decision: UUID
    viewer: bytes
    kind: Kind
    as_of_ms: int
    seed: int
    size: int = SLATE_SIZE_MAX
    pending: tuple[bytes, ...] = ()


class Directory(Protocol):
    """Knows the serials of IDs."""

    def serial(self, identity: bytes, /) -> int:
        """Return the serial of an ID, `NOBODY` (-1) if it is not known."""
        ...


class Resolved(NamedTuple):
    """A query in the terms of one state.

    `viewer` is the account's serial, -1 if the state does not know it (yet). `pending` are serials,
    oldest first. `is_personal`: what is known about the viewer may order what they are shown.
    """

    query: Query
    viewer: int
    as_of_ms: int
    is_personal: bool
    pending: Serials


def resolve(query: Query, people: Directory, videos: Directory) -> Resolved:
    """Return the query in the terms of a state; videos that it does not know are left out."""
    viewer = people.serial(query.viewer)
    known = (videos.serial(video_id) for video_id in query.pending)
    pending = np.array([serial for serial in known if serial != NOBODY], np.int32)
    is_personal = query.kind == "for_you" and viewer != NOBODY
    return Resolved(query, viewer, query.as_of_ms, is_personal, pending)
