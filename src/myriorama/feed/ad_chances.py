"""Chances of ads in PostgreSQL: what they are learnt of, what was published, what is in force."""

from collections.abc import Iterable, Sequence
from uuid import UUID

import msgspec
import numpy as np
import structlog
from psycopg import AsyncConnection, Connection
from psycopg.rows import TupleRow, class_row

from ads.beacons import Beacon
from ads.chances import FEATURES, Example, Learnt, Ratio, ratio_of
from ads.lines import Creative, Line, Targeting
from ads.probability import (
    PLACES,
    Probabilities,
    feature_of_tired,
    features_of_creative,
    features_of_viewer,
)
from ads.viewer import Viewer

logger = structlog.get_logger(__name__)

EXAMPLES_MAX = 100_000
"""The latest so many are learnt of."""

LOOKED_BACK_MS = 7 * 86_400_000
_DAY_MS = 86_400_000
_KEPT = 5

# A decision tells what came of it once nothing more can: its token has expired, and all reports up
# to then, and those on their way, are settled. Until then it is left out, also if it was clicked:
# else the clicks among the latest would count, and the rest would not.
_OVER = """
    SELECT least(clock_ms(), (
        SELECT min(recorded_ms) FROM ad_events
        WHERE position > (SELECT position FROM settled_reports WHERE consumer = 'settlement')
    )) - 30000
"""

# Of invalid traffic nothing is learnt, neither that it clicked nor that it did not.
_CAME = """
    SELECT coalesce(bool_or(c.beacon = %(view)s), false) AS viewed,
           coalesce(bool_or(c.beacon = %(complete)s), false) AS completed,
           coalesce(bool_or(c.beacon = %(click)s), false) AS clicked
    FROM charges c WHERE c.decision_id = d.ad_decision_id
    HAVING count(c.mark) = 0 AND NOT EXISTS (
        SELECT FROM credits r WHERE r.decision_id = d.ad_decision_id)
"""

# A viewer is on record with the pages that were recorded whole, which are a fair sample.
_OUTCOMES = f"""
    SELECT d.place, d.line_id, d.creative_id, l.category, v.duration_ms, v.call_to_action,
           v.ai_label, l.targeting, (s.ads #> '{{auction,context,viewer}}')::text AS viewer,
           came.viewed, came.completed, came.clicked
    FROM ad_decisions d
    JOIN slates s ON s.position = d.position
                 AND s.recorded_at > to_timestamp(%(since)s / 1000.0) - interval '1 hour'
    JOIN line_items l ON l.line_item_id = d.line_id
    JOIN creatives v ON v.creative_id = d.creative_id
    JOIN LATERAL ({_CAME}) AS came ON true
    WHERE d.expires_ms <= %(over)s AND d.decided_at > to_timestamp(%(since)s / 1000.0)
      AND d.feed <> 'sandbox' AND s.ads #> '{{auction,context,viewer}}' IS NOT NULL
    ORDER BY d.decided_at DESC, d.ad_decision_id LIMIT %(most)s
"""  # noqa: S608 - made of constants alone

_BY_PLACE = f"""
    SELECT least(d.place, %(last)s), sum(d.p_view), sum(d.p_click),
           count(*) FILTER (WHERE came.viewed), count(*) FILTER (WHERE came.clicked)
    FROM ad_decisions d JOIN LATERAL ({_CAME}) AS came ON true
    WHERE d.expires_ms <= %(over)s AND d.decided_at > to_timestamp(%(since)s / 1000.0)
      AND d.feed <> 'sandbox'
    GROUP BY 1 ORDER BY 1
"""  # noqa: S608 - made of constants alone

_PUBLISH = """
    WITH version AS (
        SELECT greatest(coalesce(max(published), 0) + 1, clock_ms()) AS published FROM ad_chances
    ), told AS (
        INSERT INTO ad_chances SELECT published, %s::json, %s, %s, %s, %s, %s FROM version
    ), forgotten AS (
        DELETE FROM ad_chances WHERE published NOT IN (
            SELECT published FROM ad_chances ORDER BY published DESC LIMIT %s)
    )
    SELECT published, pg_notify('ad_chances', published::text) FROM version
"""

_PUBLISHED = "SELECT published, terms::text FROM ad_chances ORDER BY published DESC"

_BEACONS = {"view": Beacon.VIEWABLE, "complete": Beacon.COMPLETE, "click": Beacon.CLICK}


class _Row(msgspec.Struct, frozen=True):
    place: int
    line_id: UUID
    creative_id: UUID
    category: str
    duration_ms: int
    call_to_action: str
    ai_label: str
    targeting: object
    viewer: str
    viewed: bool
    completed: bool
    clicked: bool


def examples(connection: Connection[TupleRow]) -> Sequence[Example]:
    """Return what came of the ads of the last days, in the order of their time."""
    over = _over(connection)
    asked = {"over": over, "since": over - LOOKED_BACK_MS, "most": EXAMPLES_MAX, **_BEACONS}
    with connection.cursor(row_factory=class_row(_Row)) as cursor:
        rows = cursor.execute(_OUTCOMES, asked).fetchall()
    known: dict[tuple[UUID, UUID], tuple[str, ...]] = {}
    return [_example(row, known) for row in reversed(rows)]


def ratio_of_last_day(connection: Connection[TupleRow], chances: Probabilities) -> Ratio:
    """Return how many views and clicks came for each that was expected when it was decided."""
    over = _over(connection)
    asked = {"over": over, "since": over - _DAY_MS, "last": PLACES - 1, **_BEACONS}
    rows = connection.execute(_BY_PLACE, asked).fetchall()
    places, view, click, viewed, clicked = np.array(rows, np.float64).reshape(-1, 5).T
    reach = np.take(np.array(chances.reach), places.astype(np.int64))
    return ratio_of(
        (int(viewed.sum()), float(reach @ view)), (int(clicked.sum()), float(reach @ click))
    )


def publish(connection: Connection[TupleRow], learnt: Learnt, count: int) -> int:
    """Publish chances as a version, and return it; whoever listens is told."""
    terms = msgspec.json.encode(learnt.chances, order="deterministic").decode()
    (before, after) = learnt.before, learnt.after
    ratios = (before.view, after.view, before.click, after.click)
    row = connection.execute(_PUBLISH, (terms, count, *ratios, _KEPT - 1)).fetchone()
    return int(row[0]) if row else 0


def read_in_force(connection: Connection[TupleRow]) -> Probabilities:
    """Return the chances that are in force: the newest that can be read, or the prior."""
    return _newest(connection.execute(_PUBLISHED).fetchall())[0]


async def in_force(connection: AsyncConnection[TupleRow]) -> tuple[Probabilities, int]:
    """Return the same, and when they were published: 0 for the prior."""
    return _newest(await (await connection.execute(_PUBLISHED)).fetchall())


def _newest(rows: Iterable[TupleRow]) -> tuple[Probabilities, int]:
    for published, terms in rows:
        try:
            chances = msgspec.json.decode(terms, type=Probabilities)
        except msgspec.DecodeError as error:
            logger.warning("chances cannot be read", published=published, error=str(error))
            continue
        if chances.version == FEATURES:
            return chances, published
    return Probabilities.prior(), 0


def _over(connection: Connection[TupleRow]) -> int:
    row = connection.execute(_OVER).fetchone()
    return int(row[0]) if row else 0


def _example(row: _Row, known: dict[tuple[UUID, UUID], tuple[str, ...]]) -> Example:
    ids = row.line_id, row.creative_id
    of_creative = known.get(ids)
    if of_creative is None:
        of_creative = known[ids] = features_of_creative(*_as_shown(row))
    viewer = msgspec.json.decode(row.viewer, type=Viewer)
    tired = feature_of_tired(len(viewer.shown_ms.get(row.line_id.int, ())))
    features = (*of_creative, *features_of_viewer(viewer), tired)
    return Example(features, row.place, row.viewed, row.completed, row.clicked)


def _as_shown(row: _Row) -> tuple[Line, Creative]:
    """Return line and creative as far as features go by them."""
    creative = Creative(
        creative_id=row.creative_id,
        video_key="",
        duration_ms=row.duration_ms,
        click_url="",
        call_to_action=row.call_to_action,
        ai_label=bool(row.ai_label),
    )
    line = Line(
        line_id=row.line_id,
        campaign_id=row.line_id,
        advertiser_id=row.line_id,
        kind="cpm",
        bid_micros=1,
        creatives=(creative,),
        targeting=msgspec.convert(row.targeting, Targeting),
        category=row.category,
    )
    return line, creative
