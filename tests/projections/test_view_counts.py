"""View counts, folded from the view log."""

from uuid import UUID

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import Cursor
from psycopg.rows import TupleRow

from myriorama.store.postgres import Pool
from projections.view_counts import ViewCounts

IDS = [UUID(int=n) for n in range(1, 4)]
FIXTURE = HealthCheck.function_scoped_fixture
SHOWINGS = st.tuples(*[st.sampled_from(IDS)] * 3)

VIEWED = """
    INSERT INTO viewings (position, viewer_id, decision_id, video_id, session_id, sequence,
                          watched_ms, loops)
    VALUES (%s, %s, %s, %s, gen_random_uuid(), 0, 100, 0)
"""


def record(cursor: Cursor[TupleRow], showings: list[tuple[UUID, UUID, UUID]]) -> None:
    """Make a view log of this transaction alone, in front of the one of the house."""
    cursor.execute("CREATE TEMP TABLE viewings (LIKE public.viewings INCLUDING DEFAULTS)")
    for position, showing in enumerate(showings, start=1):
        cursor.execute(VIEWED, (position, *showing))


@settings(max_examples=30, deadline=None, suppress_health_check=[FIXTURE])
@given(st.lists(SHOWINGS, min_size=1, max_size=30), st.integers(1, 30))
def test_a_showing_counts_once_however_the_log_is_cut(
    pool: Pool, showings: list[tuple[UUID, UUID, UUID]], window: int
) -> None:
    first = {showing: position for position, showing in reversed([*enumerate(showings, start=1)])}

    with (
        pool.connection() as connection,
        connection.transaction(force_rollback=True),
        connection.cursor() as cursor,
    ):
        record(cursor, showings)
        for after in range(0, len(showings), window):
            ViewCounts().fold_range(after, after + window, cursor)
        found = cursor.execute("SELECT video_id, views, position FROM view_counts").fetchall()

    assert sorted(found) == sorted(
        (video_id, len(counted), max(counted))
        for video_id in IDS
        if (counted := [at for (_, _, video), at in first.items() if video == video_id])
    )
