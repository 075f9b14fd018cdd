"""What trends is told by the last hours of both logs; older ones are forgotten in any cut."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import Cursor
from psycopg.rows import TupleRow

from domain.reaction.aggregate import Reaction
from domain.reaction.events import VideoLiked
from myriorama.store.postgres import Pool
from projections.engagement_hours import HOURS_KEPT, EngagementHours, Engaging, hour_of
from projections.projection import Recorded
from projections.view_hours import ViewHours

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
FOX, OWL = UUID(int=11), UUID(int=12)
FIXTURE = HealthCheck.function_scoped_fixture

VIEWED = """
    INSERT INTO viewings (position, recorded_at, viewer_id, decision_id, video_id, session_id,
                          sequence, watched_ms, loops)
    VALUES (%s, %s, %s, gen_random_uuid(), %s, gen_random_uuid(), 0, 100, 0)
"""


def like(account: int, video_id: UUID) -> Engaging:
    reaction = Reaction.start(UUID(int=account), video_id, at=NOON)
    reaction.like(at=NOON)
    return next(e for e in reaction.collect_events() if isinstance(e, VideoLiked))


@settings(max_examples=30, deadline=None, suppress_health_check=[FIXTURE])
@given(
    st.lists(st.tuples(st.integers(0, 3 * HOURS_KEPT), st.sampled_from([FOX, OWL])), max_size=20),
    st.integers(1, 7),
)
def test_engagement_is_kept_by_the_hour_for_a_week(
    pool: Pool, likes: list[tuple[int, UUID]], window: int
) -> None:
    log = [
        Recorded(position, NOON + timedelta(hours=hours), like(position, video_id))
        for position, (hours, video_id) in enumerate(likes, start=1)
    ]

    with pool.connection() as connection, connection.transaction(force_rollback=True):
        cursor = connection.cursor()
        for after in range(0, len(log), window):
            EngagementHours().fold(log[after : after + window], cursor)
        found = cursor.execute("SELECT hour, video_id, likes FROM engagement_hours").fetchall()

    newest = max((hours for hours, _ in likes), default=0)
    kept = [(hours, video_id) for hours, video_id in likes if hours > newest - HOURS_KEPT]
    assert sorted(found) == sorted(
        (hour_of(NOON) + hours, video_id, kept.count((hours, video_id)))
        for hours, video_id in set(kept)
    )


def watch(cursor: Cursor[TupleRow], views: list[tuple[int, int, UUID]]) -> None:
    """Make a view log of this transaction alone, in front of the one of the house."""
    cursor.execute("CREATE TEMP TABLE viewings (LIKE public.viewings INCLUDING DEFAULTS)")
    for position, (hours, viewer, video_id) in enumerate(views, start=1):
        at = NOON + timedelta(hours=hours)
        cursor.execute(VIEWED, (position, at, UUID(int=viewer), video_id))


@settings(max_examples=30, deadline=None, suppress_health_check=[FIXTURE])
@given(
    st.lists(
        st.tuples(st.integers(0, 3 * HOURS_KEPT), st.integers(1, 2), st.sampled_from([FOX, OWL])),
        min_size=1,
        max_size=20,
    ),
    st.integers(1, 7),
)
def test_who_watches_again_within_the_hour_counts_once(
    pool: Pool, views: list[tuple[int, int, UUID]], window: int
) -> None:
    views = sorted(views)  # the time of the view log never goes back

    with pool.connection() as connection, connection.transaction(force_rollback=True):
        cursor = connection.cursor()
        watch(cursor, views)
        for after in range(0, len(views), window):
            ViewHours().fold_range(after, after + window, cursor)
        found = cursor.execute("SELECT hour, video_id, viewers FROM view_hours").fetchall()
        (watchers,) = cursor.execute("SELECT count(*) FROM hourly_viewers").fetchone() or (0,)

    kept = {view for view in views if view[0] > views[-1][0] - HOURS_KEPT}
    seen = [(hour_of(NOON) + hours, video_id) for hours, _, video_id in kept]
    assert watchers == len(kept)
    assert sorted(found) == sorted((*showing, seen.count(showing)) for showing in set(seen))
