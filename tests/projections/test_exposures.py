"""Exposures: who was shown a slate by which arm, and how long what was in it was watched."""

import json
from uuid import UUID

import pytest
from psycopg import Cursor
from psycopg.rows import TupleRow

from myriorama.store.postgres import Pool
from projections.exposures import Exposures

ALICE, BOB = UUID(int=1), UUID(int=2)
TRIAL, OTHER = UUID(int=11), UUID(int=12)
PAGES = [UUID(int=number) for number in range(21, 25)]
VIDEOS = [UUID(int=number) for number in range(31, 34)]

SERVED = """
    INSERT INTO slates (position, decision_id, viewer_id, feed, video_ids, ranking)
    VALUES (%s, %s, %s, 'for_you', '{}', %s)
"""

VIEWED = """
    INSERT INTO viewings (position, viewer_id, decision_id, video_id, session_id, sequence,
                          watched_ms, loops)
    VALUES (%s, %s, %s, %s, gen_random_uuid(), 0, %s, %s)
"""


def happen(cursor: Cursor[TupleRow]) -> None:
    """Make a view log of this transaction alone, in front of the one of the house."""
    cursor.execute("CREATE TEMP TABLE viewings (LIKE public.viewings INCLUDING DEFAULTS)")
    cursor.execute("CREATE TEMP TABLE slates (LIKE public.slates INCLUDING DEFAULTS)")
    both = json.dumps({"arms": {str(TRIAL): "more", str(OTHER): "a"}})
    one = json.dumps({"arms": {str(TRIAL): "as-is"}})
    for position, (page, viewer, ranking) in enumerate(
        [
            (PAGES[0], ALICE, both),
            (PAGES[0], ALICE, None),  # the second page of that slate
            (PAGES[1], BOB, one),
            (PAGES[2], BOB, json.dumps({"arms": {}})),
            (PAGES[3], BOB, None),
        ],
        start=1,
    ):
        cursor.execute(SERVED, (position, page, viewer, ranking))
    for position, viewed in enumerate(
        [
            (ALICE, PAGES[0], VIDEOS[0], 1000, 0),
            (ALICE, PAGES[0], VIDEOS[0], 9000, 2),
            (ALICE, PAGES[0], VIDEOS[1], 500, 0),
            (BOB, PAGES[0], VIDEOS[2], 500, 0),  # of somebody else's page
            (BOB, PAGES[3], VIDEOS[2], 500, 0),  # of a page without a part in it
            (BOB, PAGES[1], VIDEOS[2], 700, 0),
        ],
        start=6,
    ):
        cursor.execute(VIEWED, (position, *viewed))


@pytest.mark.parametrize("window", [1, 4, 100])
def test_each_slate_is_an_exposure_and_each_showing_counts_once(pool: Pool, window: int) -> None:
    with (
        pool.connection() as connection,
        connection.transaction(force_rollback=True),
        connection.cursor() as cursor,
    ):
        happen(cursor)
        for after in range(0, 12, window):
            Exposures().fold_range(after, after + window, cursor)
        slates = cursor.execute(
            "SELECT experiment_id, decision_id, arm, account_id FROM exposed_slates"
        ).fetchall()
        showings = cursor.execute(
            "SELECT decision_id, video_id, watched_ms, loops FROM exposed_showings"
        ).fetchall()

    assert sorted(slates) == [
        (TRIAL, PAGES[0], "more", ALICE),
        (TRIAL, PAGES[1], "as-is", BOB),
        (OTHER, PAGES[0], "a", ALICE),
    ]
    assert sorted(showings) == [
        (PAGES[0], VIDEOS[0], 9000, 2),
        (PAGES[0], VIDEOS[1], 500, 0),
        (PAGES[1], VIDEOS[2], 700, 0),
    ]
