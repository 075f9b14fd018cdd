"""View counts, folded from the view log."""

from datetime import UTC, datetime
from uuid import UUID, uuid4

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.viewing.events import VideoViewed
from myriorama.store.postgres import Pool
from projections.projection import Recorded
from projections.view_counts import ViewCounts

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
IDS = [UUID(int=n) for n in range(1, 4)]
FIXTURE = HealthCheck.function_scoped_fixture
SHOWINGS = st.tuples(*[st.sampled_from(IDS)] * 3)


def viewed(
    position: int, viewer_id: UUID, decision_id: UUID, video_id: UUID
) -> Recorded[VideoViewed]:
    event = VideoViewed(viewer_id, video_id, decision_id, uuid4(), 0, 100, 0)
    return Recorded(position, NOON, event)


@settings(max_examples=30, deadline=None, suppress_health_check=[FIXTURE])
@given(st.lists(SHOWINGS, min_size=1, max_size=30), st.integers(1, 30))
def test_a_showing_counts_once_however_the_log_is_cut(
    pool: Pool, showings: list[tuple[UUID, UUID, UUID]], window: int
) -> None:
    events = [viewed(position, *showing) for position, showing in enumerate(showings, start=1)]
    first = {showing: position for position, showing in reversed([*enumerate(showings, start=1)])}

    with pool.connection() as connection, connection.cursor() as cursor:
        cursor.execute("TRUNCATE view_counts, counted_views")
        for begin in range(0, len(events), window):
            ViewCounts().fold(events[begin : begin + window], cursor)
        found = cursor.execute("SELECT video_id, views, position FROM view_counts").fetchall()

    assert sorted(found) == sorted(
        (video_id, len(counted), max(counted))
        for video_id in IDS
        if (counted := [at for (_, _, video), at in first.items() if video == video_id])
    )
