"""Why an ad was shown, told from what was logged when it was, and from nothing else."""

import asyncio
import time
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from psycopg import AsyncConnection
from psycopg.rows import TupleRow, class_row
from psycopg_pool import AsyncConnectionPool

from domain.errors import NotFound

ONE = """
    SELECT d.ad_decision_id, d.decided_at, d.viewer_id, d.line_id, d.advertiser_id, d.creative_id,
           d.reasons, d.reason, a.name, a.website, c.category, c.ai_label
    FROM ad_decisions d JOIN advertisers a USING (advertiser_id)
    JOIN creatives c USING (creative_id)
    WHERE d.ad_decision_id = %s
"""

# Pages are logged together, and folded behind that, some tenths of a second after they were served.
_LOGGED_WITHIN_S, _AGAIN_S = 3.0, 0.1

_OF_A_PERSON = ("age", "interest")
_TOLD = {
    "country": "It is for people in the country {value}, where you seem to be.",
    "language": 'It is for people who read "{value}", the language that your app asks for.',
    "age": "It is for people of the age band {value}, as you are by what you told us.",
    "interest": 'It is for people interested in "{value}": you liked that, or asked to see more.',
    "platform": 'It is for people who use "{value}", as you did.',
}


class ShownAdNotFound(NotFound):
    """You were shown no ad under this ID, or its day is not kept any more."""


class ShownAd(msgspec.Struct, frozen=True):
    """An ad that was shown to a viewer, as it is on record; whose it is, as they are named now.

    `reasons` are those of `ads.record.Shown`, `reason` that of the whole decision.
    """

    ad_decision_id: UUID
    decided_at: datetime
    viewer_id: UUID
    line_id: UUID
    advertiser_id: UUID
    creative_id: UUID
    reasons: list[str]
    reason: str
    name: str
    website: str
    category: str
    ai_label: str

    @property
    def is_contextual(self) -> bool:
        """Whether nothing of its viewer's age and interests chose it."""
        return not any(each.partition(":")[0] in _OF_A_PERSON for each in self.reasons)


class ShownAds:
    """Reads what is on record of the ads that each viewer was shown."""

    def __init__(self, pool: AsyncConnectionPool[AsyncConnection[TupleRow]]) -> None:
        self._pool = pool

    async def of(self, viewer_id: UUID, ad_decision_id: UUID) -> ShownAd:
        """Return an ad that was shown to a viewer; one of just now is waited for.

        Raises:
            ShownAdNotFound: it was not shown to them, or there is no such thing.
        """
        shown = await self._read(ad_decision_id)
        while shown is None and 0 <= time.time() - _made_at_s(ad_decision_id) < _LOGGED_WITHIN_S:
            await asyncio.sleep(_AGAIN_S)
            shown = await self._read(ad_decision_id)
        if shown is None or shown.viewer_id != viewer_id:
            raise ShownAdNotFound("You were shown no ad under this ID.")
        return shown

    async def _read(self, ad_decision_id: UUID) -> ShownAd | None:
        async with (
            self._pool.connection() as connection,
            connection.cursor(row_factory=class_row(ShownAd)) as cursor,
        ):
            return await (await cursor.execute(ONE, (ad_decision_id,))).fetchone()


def told(reasons: Sequence[str]) -> list[str]:
    """Say in sentences whom an ad was for, and that its viewer is one of them."""
    return [_told(*reason.partition(":")[::2]) for reason in reasons]


def _told(axis: str, value: str) -> str:
    if axis == "everybody":
        return "It is for everybody."
    template = _TOLD.get(axis, "It is for people of whom this is true: {axis} {value}.")
    return template.format(axis=axis, value=value)


def _made_at_s(ad_decision_id: UUID) -> float:
    return (ad_decision_id.int >> 80) / 1000
