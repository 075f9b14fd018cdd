"""Ad reports: which ads should not be shown, who says so, and why. Read by who reviews ads."""

from collections.abc import Sequence

from psycopg import Cursor
from psycopg.rows import TupleRow

from domain.ad_report.events import AdReported
from projections.projection import Projection, Recorded

REPORT = """
    INSERT INTO ad_reports (account_id, creative_id, ad_decision_id, advertiser_id, reason, note,
                            reported_at, position)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING
"""


class AdReports(Projection[AdReported]):
    """One row for each account and each creative that it reported."""

    name = "ad_reports"
    tables = ("ad_reports",)
    topics = (AdReported.TOPIC,)

    def fold(self, events: Sequence[Recorded[AdReported]], cursor: Cursor[TupleRow]) -> None:
        cursor.executemany(
            REPORT,
            [
                (
                    event.account_id,
                    event.creative_id,
                    event.ad_decision_id,
                    event.advertiser_id,
                    event.reason,
                    event.note,
                    event.timestamp,
                    position,
                )
                for position, _, event in events
            ],
        )
