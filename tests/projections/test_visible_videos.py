"""Who may see a video, in SQL: the twin of the domain's rule says the same in every case."""

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import product
from typing import Any
from uuid import UUID

from psycopg import Cursor
from psycopg.rows import TupleRow

from domain.aggregate import Aggregate
from domain.following.aggregate import Following
from domain.video.aggregate import Video
from domain.video.visibility import Relation, Visibility, may_list, may_see
from myriorama.store.postgres import Pool
from projections.projection import Projection, Recorded
from projections.relations import Relations
from projections.videos import Videos
from tests.publishing import published

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
ALICE = UUID(int=1)
VISIBILITIES: tuple[Visibility, ...] = ("public", "followers", "link")
STANDINGS = [  # the viewer follows, the viewer blocks, the author blocks
    (follows, blocks, is_blocked)
    for follows, blocks, is_blocked in product((False, True), repeat=3)
    if not (follows and blocks)
]


def publish(number: int, visibility: Visibility, *, deleted: bool) -> Video:
    video = published(ALICE, generation_id=UUID(int=number), at=NOON)
    video.edit(caption="", visibility=visibility, remixable=True, by=ALICE, at=NOON)
    if deleted:
        video.delete(by=ALICE, as_moderator=False, at=NOON)
    return video


def fold(
    projection: Projection[Any], aggregates: Sequence[Aggregate], cursor: Cursor[TupleRow]
) -> None:
    events: list[Any] = [event for a in aggregates for event in a.collect_events()]
    mine = [event for event in events if event.TOPIC in projection.topics]
    projection.fold([Recorded(n, NOON, event) for n, event in enumerate(mine, start=1)], cursor)


def test_sql_and_domain_agree_on_who_sees_what(pool: Pool) -> None:
    cases = list(product(VISIBILITIES, (False, True)))
    videos = [publish(n, v, deleted=d) for n, (v, d) in enumerate(cases, start=100)]
    alice = Following.start(ALICE, at=NOON)
    viewers: dict[UUID | None, Relation] = {None: Relation(), ALICE: Relation(is_author=True)}
    followings = [alice]
    for number, (follows, blocks, is_blocked) in enumerate(STANDINGS, start=10):
        viewer = Following.start(UUID(int=number), at=NOON)
        viewer.mute(ALICE, at=NOON)  # which has no part in it
        if follows:
            viewer.follow(ALICE, at=NOON)
        if blocks:
            viewer.block(ALICE, at=NOON)
        if is_blocked:
            alice.block(viewer.account_id, at=NOON)
        followings.append(viewer)
        viewers[viewer.account_id] = Relation(
            follows_author=follows, is_blocked=blocks or is_blocked
        )

    with pool.connection() as connection, connection.cursor() as cursor:
        fold(Videos(), videos, cursor)
        fold(Relations(), followings, cursor)
        for viewer_id, relation in viewers.items():
            seen = cursor.execute(
                "SELECT video_id FROM visible_videos(%s)", (viewer_id,)
            ).fetchall()
            listed = cursor.execute(
                "SELECT video_id FROM listed_videos(%s)", (viewer_id,)
            ).fetchall()

            assert {video_id for (video_id,) in seen} == {
                v.id for v in videos if may_see(v.visibility, relation, deleted=v.deleted)
            }
            assert {video_id for (video_id,) in listed} == {
                v.id for v in videos if may_list(v.visibility, relation, deleted=v.deleted)
            }


def test_lists_of_visible_videos_are_read_by_index(pool: Pool) -> None:
    with pool.connection() as connection:
        connection.execute("SET enable_seqscan = off")
        plan = "\n".join(
            line
            for (line,) in connection.execute(
                """
                EXPLAIN SELECT video_id FROM listed_videos(%s) WHERE author_id = %s
                ORDER BY published_position DESC LIMIT 20
                """,
                (ALICE, ALICE),
            )
        )

    assert "Index Scan" in plan
    assert "Function Scan" not in plan
    assert "Seq Scan" not in plan
