"""Ad decisions: every ad that was shown, to whom, where, at which price, and why.

Folded from what is on record of the pages (`ads/record.py`). Read by receipts, explanations and
reports, and by servers that have just started, for what each viewer was shown before.
"""

from typing import ClassVar, Literal

from psycopg import Cursor
from psycopg.rows import TupleRow

from domain.viewing.events import SlateServed
from projections.projection import SetProjection

RECORD = """
    INSERT INTO ad_decisions
    SELECT shown.ad_decision_id, to_timestamp((s.ads #>> '{auction,at_ms}')::bigint / 1000.0),
           s.viewer_id, s.decision_id, s.feed, shown.surface, shown.position, line_id, campaign_id,
           advertiser_id, creative_id, kind, price_micros, bid_micros, multiplier, ecpm_micros,
           runner_up_micros, reserve_micros, p_view, p_click, p_billed, propensity, lease_id, day,
           above, below, reasons, expires_ms, (s.ads #>> '{auction,version}')::bigint,
           s.ads #>> '{auction,reason}', (s.ads #>> '{auction,exact}')::boolean,
           s.ads #>> '{auction,rules}', s.position, displaced_micros, viewer_micros, p_reached
    FROM slates s, json_populate_recordset(NULL::shown_ad, s.ads -> 'shown') AS shown
    WHERE s.position > %s AND s.position <= %s AND s.ads IS NOT NULL
    ORDER BY s.position, shown.position
    ON CONFLICT DO NOTHING
"""


class AdDecisions(SetProjection):
    """One row an ad that was shown."""

    name = "ad_decisions"
    log: ClassVar[Literal["domain", "views"]] = "views"
    tables = ("ad_decisions",)
    topics = (SlateServed.TOPIC,)

    def fold_range(self, after: int, upto: int, cursor: Cursor[TupleRow]) -> None:
        cursor.execute(RECORD, (after, upto))
