"""What kept videos cost: exact to the instant at which a video is seven days old."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from psycopg.rows import class_row

from domain.generation.aggregate import Generation
from domain.generation.recipe import Recipe
from domain.generation.work import Delivery
from myriorama.api.costs import COSTS, KEPT_AFTER, CostRow
from myriorama.store.event_source import EventSource
from myriorama.store.log import Log
from myriorama.store.postgres import Pool
from myriorama.studio.procedural import CAPABILITIES
from projections.generation_costs import GenerationCosts
from tests.folding import fold
from tests.publishing import published

ALICE = uuid4()
MONDAY = datetime(2026, 11, 16, tzinfo=UTC)
DAY = timedelta(days=1)
INSTANT = timedelta(microseconds=1)


def made(  # noqa: PLR0913 - what happens to one
    log: Log,
    completed_at: datetime,
    *,
    gpu_ms: int,
    seconds: int = 4,
    published_at: datetime | None = None,
    deleted_at: datetime | None = None,
) -> None:
    """Record a generation, its video and its end, each at its time."""
    recipe = Recipe(
        prompt="a fox jumps over a brook",
        seconds=seconds,
        orientation="portrait",
        resolution="480p",
        seed=7,
        model=CAPABILITIES.model,
    )
    at = completed_at
    asked = Generation.request(
        uuid4(), recipe, account_id=ALICE, capabilities=CAPABILITIES, at=at - DAY
    )
    asked.dispatch(at=at)
    asked.claim("w1", 1, lease=DAY, at=at)
    delivery = Delivery(
        video_key="k",
        poster_key="k",
        thumbnail_key="k",
        sha256="k",
        size_bytes=1,
        width=480,
        height=832,
        duration_ms=seconds * 1000,
        renderer="procedural-1",
        gpu_ms=gpu_ms,
    )
    asked.complete(1, delivery, at=at)
    log.save(asked)
    if published_at:
        video = published(
            ALICE, generation_id=asked.id, duration_ms=seconds * 1000, at=published_at
        )
        if deleted_at:
            video.delete(by=ALICE, as_moderator=False, at=deleted_at)
        log.save(video)


def costs(pool: Pool, at: datetime) -> Sequence[CostRow]:
    params = {"after": KEPT_AFTER, "at": at.replace(tzinfo=None)}
    with pool.connection() as connection, connection.cursor(row_factory=class_row(CostRow)) as rows:
        return rows.execute(COSTS, params).fetchall()


def test_what_was_kept_for_seven_days_counts_and_everything_costs(log: Log, pool: Pool) -> None:
    kept_until = MONDAY + KEPT_AFTER
    made(log, MONDAY, gpu_ms=1_000)  # a draft for good
    made(log, MONDAY, gpu_ms=2_000, seconds=5, published_at=MONDAY + DAY)
    made(log, MONDAY, gpu_ms=3_000, published_at=MONDAY, deleted_at=kept_until)
    made(log, MONDAY, gpu_ms=4_000, seconds=6, published_at=MONDAY, deleted_at=kept_until + INSTANT)
    made(log, MONDAY, gpu_ms=5_000, published_at=kept_until + INSTANT)
    made(log, MONDAY + 7 * DAY, gpu_ms=6_000, seconds=3, published_at=MONDAY + 8 * DAY)

    fold(pool, GenerationCosts())

    younger, older = costs(pool, MONDAY + 14 * DAY)
    assert (older.model, older.work_class, older.cohort) == ("procedural-1", "plain", "2026-W47")
    assert (older.generations, older.gpu_ms, older.made_ms) == (5, 15_000, 23_000)
    assert (older.kept_ms, older.is_final) == (11_000, True)
    assert (younger.cohort, younger.kept_ms, younger.is_final) == ("2026-W48", 3_000, False)


@pytest.mark.parametrize("cut", [1, 3, 5])
def test_it_is_the_same_however_the_log_is_cut(log: Log, pool: Pool, cut: int) -> None:
    made(log, MONDAY, gpu_ms=1_000, published_at=MONDAY, deleted_at=MONDAY + DAY)
    made(log, MONDAY, gpu_ms=2_000, published_at=MONDAY + DAY)
    projection = GenerationCosts()
    fold(pool, projection)
    whole = costs(pool, MONDAY)
    events = EventSource(pool).read(0, 10_000, projection.topics).events

    with pool.connection() as connection, connection.cursor() as cursor:
        cursor.execute("TRUNCATE generation_costs")
        projection.fold(events[:cut], cursor)
        projection.fold(events[cut:], cursor)

    assert costs(pool, MONDAY) == whole
    assert whole[0].kept_ms == 4_000
