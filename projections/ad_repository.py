"""The ad repository: every creative that was shown, when, to how many, and by which targeting.

Folded from what is on record of the pages (`ads/record.py`). Read by the public, to whom it is
never told who the viewers were.
"""

from typing import ClassVar, Literal

from psycopg import Cursor
from psycopg.rows import TupleRow

from domain.viewing.events import SlateServed
from projections.projection import SetProjection

REACH = """
    WITH shown AS (
        SELECT ad.creative_id, ad.advertiser_id, s.viewer_id, s.position,
               to_timestamp((s.ads #>> '{auction,at_ms}')::bigint / 1000.0) AS shown_at
        FROM slates s, json_populate_recordset(NULL::shown_ad, s.ads -> 'shown') AS ad
        WHERE s.position > %(after)s AND s.position <= %(upto)s AND s.ads IS NOT NULL
          AND s.feed <> 'sandbox'
    ), fresh AS (
        INSERT INTO ad_repository_viewers SELECT DISTINCT creative_id, viewer_id FROM shown
        ON CONFLICT DO NOTHING RETURNING creative_id
    )
    INSERT INTO ad_repository AS kept
    SELECT creative_id, (array_agg(advertiser_id ORDER BY position))[1], min(shown_at),
           max(shown_at), count(*),
           (SELECT count(*) FROM fresh WHERE fresh.creative_id = shown.creative_id),
           min(position), max(position)
    FROM shown GROUP BY creative_id
    ON CONFLICT (creative_id) DO UPDATE
    SET first_shown_at = least(kept.first_shown_at, excluded.first_shown_at),
        last_shown_at = greatest(kept.last_shown_at, excluded.last_shown_at),
        showings = kept.showings + excluded.showings, reach = kept.reach + excluded.reach,
        position = excluded.position
"""

PARAMETERS = """
    INSERT INTO ad_repository_parameters AS kept
    SELECT ad.creative_id, parameter, count(*)
    FROM slates s, json_populate_recordset(NULL::shown_ad, s.ads -> 'shown') AS ad,
         unnest(ad.reasons) AS parameter
    WHERE s.position > %(after)s AND s.position <= %(upto)s AND s.ads IS NOT NULL
      AND s.feed <> 'sandbox'
    GROUP BY ad.creative_id, parameter
    ON CONFLICT (creative_id, parameter) DO UPDATE SET showings = kept.showings + excluded.showings
"""


class AdRepository(SetProjection):
    """One row a creative that was shown; one a viewer of it, and one a targeting of it."""

    name = "ad_repository"
    log: ClassVar[Literal["domain", "views"]] = "views"
    tables = ("ad_repository", "ad_repository_viewers", "ad_repository_parameters")
    topics = (SlateServed.TOPIC,)

    def fold_range(self, after: int, upto: int, cursor: Cursor[TupleRow]) -> None:
        window = {"after": after, "upto": upto}
        cursor.execute(REACH, window)
        cursor.execute(PARAMETERS, window)
