"""What advertisers are told: written once, from the log and from the books.

Kept in PostgreSQL alone; a source has a key, so whoever dies while it writes can begin again.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from psycopg import Connection
from psycopg.rows import TupleRow

from ads.days import day_of
from domain.campaign.events import CampaignCompleted
from domain.catalogue import Event
from domain.creative.events import CreativeApproved, CreativeRejected
from domain.line_item.events import LineItemExhausted
from domain.top_up.events import TopUpSucceeded
from myriorama.store.event_source import EventSource
from myriorama.store.postgres import Pool

_TOPICS = (
    CampaignCompleted.TOPIC,
    CreativeApproved.TOPIC,
    CreativeRejected.TOPIC,
    LineItemExhausted.TOPIC,
    TopUpSucceeded.TOPIC,
)
_AT_ONCE = 500
_LATE_MS = 3_600_000

_READ = "SELECT position FROM ad_notices_read FOR UPDATE"
_ADVANCE = "UPDATE ad_notices_read SET position = %s"

# Whose something is, the read side knows once it has come to it.
_SHOWN = """
    SELECT coalesce(min(position), 0) FROM projection_positions
    WHERE name IN ('ad_webhooks', 'campaigns', 'creatives', 'line_items')
"""

_OWNERS = """
    SELECT campaign_id, advertiser_id FROM campaigns WHERE campaign_id = ANY(%(ids)s)
    UNION ALL SELECT creative_id, advertiser_id FROM creatives WHERE creative_id = ANY(%(ids)s)
    UNION ALL
    SELECT line_item_id, advertiser_id FROM line_items WHERE line_item_id = ANY(%(ids)s)
"""

_TELL = """
    INSERT INTO ad_notices (source_key, advertiser_id, type, occurred_at, body)
    VALUES (%s, %s, %s, %s, %s) ON CONFLICT DO NOTHING
"""

_LOW = """
    SELECT b.advertiser_id, s.id, s.budget_micros, s.spent_micros, clock_timestamp()
    FROM spending s JOIN budgeted_lines b ON b.line_id = s.id
    WHERE s.scope = 'line' AND s.day = 0 AND s.spent_micros >= s.budget_micros / 10 * 8
      AND s.spent_micros > 0
      AND EXISTS (SELECT FROM ad_webhooks w WHERE w.advertiser_id = b.advertiser_id AND w.is_open)
      AND NOT EXISTS (SELECT FROM ad_notices n
                      WHERE n.source_key = 'budget:' || s.id || ':' || s.budget_micros)
"""

_ZONES = """
    SELECT DISTINCT a.zone, clock_ms() FROM advertisers a JOIN ad_webhooks w USING (advertiser_id)
    WHERE w.is_open
"""

_READY = """
    SELECT a.advertiser_id, d.day, clock_timestamp()
    FROM advertisers a JOIN unnest(%s::text[], %s::date[]) AS d (zone, day) USING (zone)
    WHERE EXISTS (SELECT FROM ad_webhooks w WHERE w.advertiser_id = a.advertiser_id AND w.is_open)
      AND EXISTS (SELECT FROM budgeted_lines b JOIN charges c USING (line_id)
                  WHERE b.advertiser_id = a.advertiser_id AND c.day = d.day - date '0001-01-01' + 1)
      AND NOT EXISTS (SELECT FROM ad_notices n
                      WHERE n.source_key = 'report:' || a.advertiser_id || ':' || d.day)
"""


class Notice(NamedTuple):
    """What an advertiser is told, once a `source_key`."""

    source_key: str
    advertiser_id: UUID
    type: str
    occurred_at: datetime
    told: Mapping[str, Any]

    @property
    def body(self) -> str:
        """Return what is sent, to the byte: it is signed."""
        document = {
            "type": self.type,
            "timestamp": self.occurred_at.isoformat(),
            "data": {"advertiser_id": self.advertiser_id, **self.told},
        }
        return json.dumps(document, separators=(",", ":"), default=str)


class Notices:
    """Writes what is new."""

    def __init__(self, pool: Pool) -> None:
        self._source = EventSource(pool)

    def read_log(self, connection: Connection[TupleRow]) -> bool:
        """Tell what was recorded since the last time; return whether there may be more."""
        with connection.transaction():
            (after,) = connection.execute(_READ).fetchone() or (0,)
            (shown,) = connection.execute(_SHOWN).fetchone() or (0,)
            window = self._source.read(after, _AT_ONCE, _TOPICS)
            events = [each for each in window.events if each.position <= shown]
            ids = {"ids": [each.event.originator_id for each in events]}
            owners = {row[0]: row[1] for row in connection.execute(_OWNERS, ids)}
            tell(connection, _of_log((each.event for each in events), owners))
            reached = max(after, min(shown, window.upto))
            if reached > after:
                connection.execute(_ADVANCE, (reached,))
        return bool(events)

    @staticmethod
    def read_books(connection: Connection[TupleRow]) -> None:
        """Tell which budgets are low (four fifths are spent), and which days are reported."""
        with connection.transaction():
            tell(connection, _of_books(connection))


def tell(connection: Connection[TupleRow], notices: Iterable[Notice]) -> None:
    """Write notices; what was told before is not told again."""
    for each in notices:
        of = (each.source_key, each.advertiser_id, each.type, each.occurred_at, each.body)
        connection.execute(_TELL, of)


def _of_log(events: Iterable[Event], owners: Mapping[UUID, UUID]) -> Iterator[Notice]:
    for event in events:
        id_, at = event.originator_id, event.timestamp
        key, owner = f"event:{id_}:{event.originator_version}", owners.get(event.originator_id)
        if isinstance(event, TopUpSucceeded):
            told = {"amount_micros": event.amount_micros, "currency": event.currency}
            whose = event.advertiser_id
            yield Notice(key, whose, "top_up.succeeded", at, {"top_up_id": id_, **told})
        elif owner is None:
            continue
        elif isinstance(event, CampaignCompleted):
            yield Notice(key, owner, "campaign.completed", at, {"campaign_id": id_})
        elif isinstance(event, CreativeApproved):
            outcome = {"decision": "approved", "reasons": list[str]()}
            yield Notice(key, owner, "creative.reviewed", at, {"creative_id": id_, **outcome})
        elif isinstance(event, CreativeRejected):
            outcome = {"decision": "rejected", "reasons": list(event.reasons)}
            yield Notice(key, owner, "creative.reviewed", at, {"creative_id": id_, **outcome})
        elif isinstance(event, LineItemExhausted):
            told = {"line_item_id": id_, "spent_micros": event.spent_micros}
            yield Notice(key, owner, "line_item.exhausted", at, told)


def _of_books(connection: Connection[TupleRow]) -> Iterator[Notice]:
    for advertiser_id, line_id, budget, spent, at in connection.execute(_LOW).fetchall():
        told = {"line_item_id": line_id, "budget_micros": budget, "spent_micros": spent}
        yield Notice(f"budget:{line_id}:{budget}", advertiser_id, "budget.low", at, told)
    # Yesterday, in the zone of each, once there is no token any more that could charge it.
    settled = {
        zone: day_of(now_ms - _LATE_MS, ZoneInfo(zone)) - timedelta(days=1)
        for zone, now_ms in connection.execute(_ZONES)
    }
    ready = connection.execute(_READY, ([*settled], [*settled.values()]))
    for advertiser_id, day, at in ready.fetchall():
        url = f"/v1/advertisers/{advertiser_id}/reports?first_day={day}&last_day={day}&by=line"
        key = f"report:{advertiser_id}:{day}"
        yield Notice(key, advertiser_id, "report.ready", at, {"day": day, "url": url})
