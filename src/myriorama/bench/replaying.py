"""Bench `replay`: folding a whole log anew, over copying the domain log out of PostgreSQL.

Python folds objects, sets are folded by SQL; each moves its position in the transaction that folds,
as the projector does when it catches up.
"""

import time
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime
from typing import ClassVar, Literal
from uuid import UUID

import psycopg
from eventsourcing.persistence import StoredEvent
from psycopg import Connection, Cursor
from psycopg.rows import TupleRow
from psycopg.sql import SQL, Identifier

from domain.reaction.events import VideoLiked
from domain.viewing.events import VideoViewed
from myriorama.bench.outcome import Outcome, Progress, median
from myriorama.bench.publishing import published
from myriorama.bench.scratch import House, scratch_house
from myriorama.bootstrap.logs import sources
from myriorama.replay.folding import Source
from myriorama.replay.interpreter import suit_windows
from myriorama.store.identity import new_id
from myriorama.store.mapper import JSONMapper
from myriorama.store.objects import open_objects
from myriorama.store.postgres import open_pool
from myriorama.store.recorder import DomainRecorder
from myriorama.workers.straggler import Straggler
from projections.engagement_counts import EngagementCounts
from projections.projection import AnyProjection, Projection, Recorded, SetProjection
from projections.view_counts import ViewCounts

EVENTS, VIEWS, VIDEOS, VIEWERS = 200_000, 500_000, 500, 2_000
BATCH = 1000
ROUNDS, COPIES = 5, 4

_COPY_OUT = "COPY (SELECT * FROM events ORDER BY position) TO STDOUT"

_TABLES = """
    CREATE TABLE likes (video_id uuid PRIMARY KEY, likes bigint NOT NULL) WITH (fillfactor = 50);
    CREATE TABLE plays (video_id uuid PRIMARY KEY, plays bigint NOT NULL) WITH (fillfactor = 50)
"""

# One showing in three is reported twice: view counts count it once.
_VIEW = """
    INSERT INTO viewings (position, recorded_at, viewer_id, video_id, decision_id, session_id,
                          sequence, watched_ms, loops)
    SELECT n, clock_timestamp(), viewers[1 + n * 3 %% %(viewers)s], videos[1 + n * 7 %% %(videos)s],
           md5((n - (n %% 3) / 2)::text)::uuid, md5((n / 20)::text)::uuid, n %% 20, 7431, 1
    FROM generate_series(1, %(views)s) AS n,
         (SELECT array_agg(gen_random_uuid()) FROM generate_series(1, %(viewers)s)) v (viewers),
         (SELECT array_agg(gen_random_uuid()) FROM generate_series(1, %(videos)s)) w (videos)
    ORDER BY n
"""

_APPENDED = """
    INSERT INTO view_appends (last_position, recorded_at, append_id)
    VALUES (%s, clock_timestamp(), gen_random_uuid())
"""

_RESET = "UPDATE projection_positions SET position = 0 WHERE name = %s"


class Likes(Projection[VideoLiked]):
    """How often each video was liked, nothing else: what Python can do at best."""

    name = "likes"
    tables = ("likes",)
    topics = (VideoLiked.TOPIC,)

    def fold(self, events: Sequence[Recorded[VideoLiked]], cursor: Cursor[TupleRow]) -> None:
        counts = Counter([recorded.event.video_id.int for recorded in events])
        cursor.execute(
            "INSERT INTO likes SELECT * FROM unnest(%b::uuid[], %b::bigint[])"
            " ON CONFLICT (video_id) DO UPDATE SET likes = likes.likes + excluded.likes",
            ([UUID(int=video) for video in counts], list(counts.values())),
        )


class Plays(SetProjection):
    """How often each video was reported, nothing else: what sets can do at best."""

    name = "plays"
    log: ClassVar[Literal["domain", "views"]] = "views"
    tables = ("plays",)
    topics = (VideoViewed.TOPIC,)

    def fold_range(self, after: int, upto: int, cursor: Cursor[TupleRow]) -> None:
        cursor.execute(
            "INSERT INTO plays SELECT video_id, count(*) FROM viewings"
            " WHERE position > %s AND position <= %s GROUP BY video_id"
            " ON CONFLICT (video_id) DO UPDATE SET plays = plays.plays + excluded.plays",
            (after, upto),
        )


def measure(progress: Progress) -> Outcome:
    """Copy the domain log, then fold it and the view log, in turns."""
    projections: Sequence[AnyProjection] = (Likes(), EngagementCounts(), Plays(), ViewCounts())
    suit_windows()
    copied = list[float]()
    folded = {projection.name: list[float]() for projection in projections}
    with scratch_house() as house, psycopg.connect(house.database_url, autocommit=True) as database:
        _fill(house, database)
        with open_pool(house.database_url, size_max=4) as pool:
            logs = sources(pool, open_objects(house.environment["MYRIORAMA_OBJECTS"]))
            for turn in range(ROUNDS):
                copied.append(_copy(database))
                for projection in projections:
                    source = logs[projection.log]
                    folded[projection.name].append(_fold(house, database, source, projection))
                told = ", ".join(f"{name} {rates[-1]:,.0f}/s" for name, rates in folded.items())
                progress(f"turn {turn + 1}: copied {copied[-1]:,.0f}/s, {told}")
    return Outcome(
        "replay",
        {
            "copy_to_per_s": median(copied),
            "python_per_s": median(folded["likes"]),
            "engagement_counts_per_s": median(folded["engagement_counts"]),
            "sets_per_s": median(folded["plays"]),
            "view_counts_per_s": median(folded["view_counts"]),
        },
        {
            "python_over_copy_to": _ratio(folded["likes"], copied),
            "engagement_counts_over_copy_to": _ratio(folded["engagement_counts"], copied),
            "sets_over_copy_to": _ratio(folded["plays"], copied),
            "view_counts_over_copy_to": _ratio(folded["view_counts"], copied),
        },
    )


def _ratio(ours: Sequence[float], reference: Sequence[float]) -> float:
    return median([one / other for one, other in zip(ours, reference, strict=True)])


def _copy(database: Connection[TupleRow]) -> float:
    """Copy the whole log out, a few times; return how many events a second."""
    began = time.perf_counter()
    for _ in range(COPIES):
        with database.cursor().copy(_COPY_OUT) as copy:
            for _ in copy:
                pass
    return COPIES * (EVENTS + VIDEOS) / (time.perf_counter() - began)


def _fold(
    house: House, database: Connection[TupleRow], source: Source, projection: AnyProjection
) -> float:
    """Fold a whole log into empty tables; return how many events a second."""
    tables = SQL(", ").join(map(Identifier, projection.tables))
    database.execute(SQL("TRUNCATE {}").format(tables))
    database.execute(_RESET, (projection.name,))
    began = time.perf_counter()
    Straggler(house.database_url, source, projection).run()
    took = time.perf_counter() - began
    return source.head() / took


def _fill(house: House, database: Connection[TupleRow]) -> None:
    """Store likes of some hundred videos through the recorder, and views as a log has them."""
    mapper = JSONMapper()
    videos = [published(new_id()) for _ in range(VIDEOS)]
    with open_pool(house.database_url, size_max=1) as pool, closing(DomainRecorder(pool)) as log:
        log.insert_events([mapper.to_stored_event(video) for video in videos])
        for begin in range(0, EVENTS, BATCH):
            log.insert_events(_likes(mapper, [video.originator_id for video in videos], begin))
    database.execute(_TABLES)
    with database.transaction():
        database.execute("SET LOCAL ROLE myriorama_recorder")
        database.execute(_VIEW, {"views": VIEWS, "viewers": VIEWERS, "videos": VIDEOS})
        database.execute(_APPENDED, (VIEWS,))
    database.execute("VACUUM ANALYZE")


def _likes(mapper: JSONMapper, video_ids: Sequence[UUID], begin: int) -> list[StoredEvent]:
    """Return a batch of likes, each of an account of its own."""
    now, likes = datetime.now(UTC), list[StoredEvent]()
    for number in range(begin, begin + BATCH):
        event = VideoLiked(
            originator_id=new_id(),
            originator_version=1,
            timestamp=now,
            account_id=new_id(),
            video_id=video_ids[number * 7 % VIDEOS],
        )
        likes.append(mapper.to_stored_event(event))
    return likes
