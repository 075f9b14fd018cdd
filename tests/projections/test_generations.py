"""The table of generations: what it shows of each, and in whose turn it puts them."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from myriorama.store.log import Log
from myriorama.store.postgres import Pool
from projections.generations import Generations
from tests.drafts import draft, generation
from tests.folding import fold
from tests.publishing import published

ALICE, BOB = uuid4(), uuid4()

ROW = """
    SELECT state, attempt, reason, video_key IS NOT NULL, ended_at IS NOT NULL, lease_expires_at
    FROM generations WHERE generation_id = %s
"""
QUEUE = "SELECT generation_id, place FROM generation_queue WHERE state = 'queued' ORDER BY place"


def row(pool: Pool, generation_id: UUID) -> tuple[object, ...]:
    with pool.connection() as connection:
        found = connection.execute(ROW, (generation_id,)).fetchone()
    assert found is not None
    return found


def test_a_row_follows_its_generation_to_each_of_its_ends(log: Log, pool: Pool) -> None:
    at = datetime.now(UTC)
    delivered = draft(log, ALICE)
    cancelled, refused, failed, running = (generation(ALICE) for _ in range(4))
    cancelled.cancel(by=ALICE, at=at)
    refused.refuse(reason="consent_withdrawn", detail="", at=at)
    for attempt in (1, 2):
        failed.dispatch(at=at)
        failed.claim("w1", attempt, lease=timedelta(seconds=30), at=at)
        failed.fail(attempt, reason="render_failed", detail="", at=at)
    running.dispatch(at=at)
    running.claim("w1", 1, lease=timedelta(seconds=30), at=at)
    log.save(cancelled, refused, failed, running)

    fold(pool, Generations())

    assert row(pool, delivered) == ("completed", 1, None, True, True, None)
    assert row(pool, cancelled.id) == ("cancelled", 0, None, False, True, None)
    assert row(pool, refused.id) == ("refused", 0, "consent_withdrawn", False, True, None)
    assert row(pool, failed.id) == ("failed", 2, "render_failed", False, True, None)
    assert row(pool, running.id)[:2] == ("running", 1)
    assert row(pool, running.id)[-1] == at + timedelta(seconds=30)


def test_a_published_draft_tells_its_video(log: Log, pool: Pool) -> None:
    generation_id = draft(log, ALICE)
    video = published(ALICE, generation_id=generation_id)
    log.save(video)

    fold(pool, Generations())

    query = "SELECT generation_id FROM generations WHERE video_id = %s"
    with pool.connection() as connection:
        found = connection.execute(query, (video.id,)).fetchall()
    assert found == [(generation_id,)]


def test_everybodys_first_comes_before_anybodys_second(log: Log, pool: Pool) -> None:
    first, second, third = (generation(ALICE) for _ in range(3))
    at = datetime.now(UTC)
    first.dispatch(at=at)
    first.claim("w1", 1, lease=timedelta(seconds=30), at=at)
    log.save(first, second, third)
    later = generation(BOB)
    log.save(later)

    fold(pool, Generations())

    with pool.connection() as connection:
        queue = connection.execute(QUEUE).fetchall()
    assert queue == [(later.id, 1), (second.id, 2), (third.id, 3)]
