"""Pages that no feed of ours has served, in the view log for the ads that were decided on them.

Whoever stores one does so within a transaction of their own, together with what comes of it.
"""

from collections.abc import Sequence
from typing import LiteralString, NamedTuple
from uuid import UUID

from myriorama.store.identity import new_id
from myriorama.store.postgres import AdvisoryLock

_RECORDER = "SET LOCAL ROLE myriorama_recorder"

_APPEND = """
    SELECT append_slates(%s, %s, %s::uuid[], %s::uuid[], %s::text[], %s::bigint[], %s::bigint[],
                         '{}'::uuid[], %s::text[], %s::text[])
"""

_STRANGER = "RESET ROLE"


class PageElsewhere(NamedTuple):
    """A page that shows no video of ours; `ads` is the record of its auction, as JSON text."""

    decision_id: UUID
    viewer_id: UUID
    ads: str


def recording(
    feed: str, pages: Sequence[PageElsewhere]
) -> Sequence[tuple[LiteralString, Sequence[object]]]:
    """Return the statements that append pages, to be run in their order in one transaction.

    `feed` is what the view log calls where they were seen.
    """
    count = len(pages)
    rows = (
        [page.decision_id for page in pages],
        [page.viewer_id for page in pages],
        [feed] * count,
        [None] * count,
        [0] * count,
        [None] * count,
        [page.ads for page in pages],
    )
    return (
        (_RECORDER, ()),
        (_APPEND, (AdvisoryLock.VIEW_LOG, new_id(), *rows)),
        (_STRANGER, ()),
    )
