"""Exposures: which slates an experiment had a part in, and how long what was in them was watched.

That an account was exposed is what the slate log says: each ranked slate names the arms it was made
by. Read for the tables of experiments.
"""

from typing import ClassVar, Literal

from psycopg import Cursor
from psycopg.rows import TupleRow

from domain.viewing.events import SlateServed, VideoViewed
from projections.projection import SetProjection

EXPOSE = """
    INSERT INTO exposed_slates (experiment_id, decision_id, arm, account_id, served_at, position)
    SELECT arm.key::uuid, s.decision_id, arm.value, s.viewer_id, s.recorded_at, s.position
    FROM slates s, json_each_text(s.ranking -> 'arms') AS arm
    WHERE s.position > %s AND s.position <= %s AND s.ranking IS NOT NULL
    ORDER BY s.position
    ON CONFLICT DO NOTHING
"""

# An app reports several times on a showing: each says how long it was watched until then. What was
# reported before the page was logged, which none does, would count or not by where windows end.
WATCH = """
    INSERT INTO exposed_showings AS shown (decision_id, video_id, watched_ms, loops, position)
    SELECT v.decision_id, v.video_id, max(v.watched_ms), max(v.loops), max(v.position)
    FROM viewings v
    WHERE v.position > %s AND v.position <= %s
      AND EXISTS (SELECT FROM exposed_slates s
                  WHERE s.decision_id = v.decision_id AND s.account_id = v.viewer_id
                    AND s.position < v.position)
    GROUP BY v.decision_id, v.video_id
    ON CONFLICT (decision_id, video_id) DO UPDATE
    SET watched_ms = greatest(shown.watched_ms, excluded.watched_ms),
        loops = greatest(shown.loops, excluded.loops), position = excluded.position
"""


class Exposures(SetProjection):
    """One row an experiment and slate, and one a showing of a video in such a slate."""

    name = "exposures"
    log: ClassVar[Literal["domain", "views"]] = "views"
    tables = ("exposed_slates", "exposed_showings")
    topics = (SlateServed.TOPIC, VideoViewed.TOPIC)

    def fold_range(self, after: int, upto: int, cursor: Cursor[TupleRow]) -> None:
        cursor.execute(EXPOSE, (after, upto))
        cursor.execute(WATCH, (after, upto))
