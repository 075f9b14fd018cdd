"""The ad repository: each viewer of a creative counts once, however the log is cut."""

from uuid import UUID

import msgspec
import pytest

from ads.record import AdRecord
from myriorama.store.postgres import Pool
from projections.ad_repository import AdRepository
from tests.ads.test_record import AUCTION, SHOWN
from tests.projections.test_ad_decisions import SERVED

ALICE, BOB = UUID(int=1), UUID(int=2)
HER_OTHER = msgspec.structs.replace(SHOWN, creative_id=UUID(int=78), reasons=("everybody",))


@pytest.mark.parametrize("window", [1, 2, 10])
def test_viewers_are_counted_once_and_showings_each_time(pool: Pool, window: int) -> None:
    later = msgspec.structs.replace(AUCTION, at_ms=AUCTION.at_ms + 5_000)
    pages = [
        (ALICE, AdRecord(AUCTION, (SHOWN, HER_OTHER)).encode()),
        (ALICE, AdRecord(later, (SHOWN,)).encode()),
        (BOB, None),
        (BOB, AdRecord(later, (SHOWN,)).encode()),
    ]
    with (
        pool.connection() as connection,
        connection.transaction(force_rollback=True),
        connection.cursor() as cursor,
    ):
        cursor.execute("CREATE TEMP TABLE slates (LIKE public.slates INCLUDING DEFAULTS)")
        for position, (viewer, ads) in enumerate(pages, start=1):
            cursor.execute(SERVED, (position, UUID(int=position), viewer, ads))

        for after in range(0, 12, window):
            AdRepository().fold_range(after, after + window, cursor)

        rows = cursor.execute(
            "SELECT creative_id, showings, reach, last_shown_at - first_shown_at, first_position"
            " FROM ad_repository ORDER BY showings DESC"
        ).fetchall()
        parameters = cursor.execute(
            "SELECT parameter, showings FROM ad_repository_parameters WHERE creative_id = %s"
            " ORDER BY parameter",
            (SHOWN.creative_id,),
        ).fetchall()

    assert [(row[0], row[1], row[2], row[3].total_seconds(), row[4]) for row in rows] == [
        (SHOWN.creative_id, 3, 2, 5.0, 1),
        (HER_OTHER.creative_id, 1, 1, 0.0, 1),
    ]
    assert parameters == [(each, 3) for each in sorted(SHOWN.reasons)]
