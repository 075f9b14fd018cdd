"""Ad decisions: each ad that was shown is one row, as it is on record."""

from uuid import UUID

import msgspec
import pytest
from psycopg import Cursor
from psycopg.rows import TupleRow

from ads.record import AdRecord
from myriorama.store.postgres import Pool
from projections.ad_decisions import AdDecisions
from tests.ads.test_record import AUCTION, NOON_MS, SHOWN

ALICE, BOB = UUID(int=1), UUID(int=2)
PAGES = [UUID(int=number) for number in range(21, 24)]
SECOND = msgspec.structs.replace(SHOWN, ad_decision_id=UUID(int=77), position=8, reasons=())
OTHER = msgspec.structs.replace(SHOWN, ad_decision_id=UUID(int=78), above=None, kind="cpc")

SERVED = """
    INSERT INTO slates (position, decision_id, viewer_id, feed, video_ids, ads)
    VALUES (%s, %s, %s, 'for_you', '{}', %s)
"""


def happen(cursor: Cursor[TupleRow]) -> None:
    """Make a view log of this transaction alone, in front of the one of the house."""
    cursor.execute("CREATE TEMP TABLE slates (LIKE public.slates INCLUDING DEFAULTS)")
    pages = [
        (ALICE, AdRecord(AUCTION, (SHOWN, SECOND)).encode()),
        (BOB, None),
        (BOB, AdRecord(AUCTION).encode()),
        (BOB, AdRecord(AUCTION, (OTHER,)).encode()),
    ]
    for position, (viewer, ads) in enumerate(pages, start=1):
        cursor.execute(SERVED, (position, PAGES[position % 3], viewer, ads))


@pytest.mark.parametrize("window", [1, 3, 10])
def test_each_ad_that_was_shown_is_a_row(pool: Pool, window: int) -> None:
    with (
        pool.connection() as connection,
        connection.transaction(force_rollback=True),
        connection.cursor() as cursor,
    ):
        happen(cursor)
        for after in range(0, 12, window):
            AdDecisions().fold_range(after, after + window, cursor)
        AdDecisions().fold_range(0, 12, cursor)  # as when a page was logged twice
        rows = cursor.execute(
            "SELECT ad_decision_id, viewer_id, decision_id, feed, place, above, kind, reasons,"
            " day, p_view, multiplier, version, reason, position FROM ad_decisions ORDER BY 1"
        ).fetchall()
        decided = cursor.execute(
            "SELECT DISTINCT (extract(epoch FROM decided_at) * 1000)::bigint FROM ad_decisions"
        ).fetchall()

    at, said = (739_943, 0.61, 0.75, 12, "sold"), [*SHOWN.reasons]
    assert rows == [
        (UUID(int=1), ALICE, PAGES[1], "for_you", 3, UUID(int=8), "cpm", said, *at, 1),
        (UUID(int=77), ALICE, PAGES[1], "for_you", 8, UUID(int=8), "cpm", [], *at, 1),
        (UUID(int=78), BOB, PAGES[1], "for_you", 3, None, "cpc", said, *at, 4),
    ]
    assert decided == [(NOON_MS,)]
