"""Engagement counts: exact, whatever people do in whatever order, however the log is cut."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import Cursor
from psycopg.rows import TupleRow

from domain.aggregate import Aggregate
from domain.comment.aggregate import Comment
from domain.reaction.aggregate import Reaction
from domain.video.aggregate import Video
from myriorama.store.postgres import Pool
from projections.comments import Comments
from projections.engagement_counts import EngagementCounts
from projections.projection import Projection, Recorded
from projections.reactions import Reactions
from tests.publishing import published

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
PEOPLE = [UUID(int=n) for n in (1, 2, 3)]
ALICE = PEOPLE[0]
FOX, OWL = (Video.identify(UUID(int=n)) for n in (11, 12))
VERBS = ("like", "unlike", "bookmark", "unbookmark", "share", "comment", "erase", "remix", "delete")
DEEDS = st.lists(
    st.tuples(st.sampled_from(PEOPLE), st.sampled_from((FOX, OWL)), st.sampled_from(VERBS)),
    max_size=40,
)
FIXTURE = HealthCheck.function_scoped_fixture


@dataclass
class World:
    """What people did, as sets and as a log."""

    likes: dict[UUID, set[UUID]] = field(default_factory=lambda: defaultdict(set))
    bookmarks: dict[UUID, set[UUID]] = field(default_factory=lambda: defaultdict(set))
    shares: dict[UUID, set[UUID]] = field(default_factory=lambda: defaultdict(set))
    comments: dict[UUID, list[Comment]] = field(default_factory=lambda: defaultdict(list))
    remixes: dict[UUID, list[Video]] = field(default_factory=lambda: defaultdict(list))
    log: list[Recorded[Any]] = field(default_factory=list[Recorded[Any]])

    def __post_init__(self) -> None:
        videos = [published(ALICE, generation_id=UUID(int=n), at=NOON) for n in (11, 12)]
        self.videos = {video.id: video for video in videos}
        self.reactions: dict[tuple[UUID, UUID], Reaction] = {}
        self.record(*self.videos.values())

    def record(self, *aggregates: Aggregate) -> None:
        for aggregate in aggregates:
            for event in aggregate.collect_events():
                self.log.append(Recorded(len(self.log) + 1, NOON, event))

    def do(self, who: UUID, video_id: UUID, verb: str) -> None:
        match verb:
            case "comment":
                comment = Comment.post(
                    uuid4(), video_id=video_id, author_id=who, parent=None, text="!", at=NOON
                )
                self.comments[video_id].append(comment)
                self.record(comment)
            case "erase":
                if self.comments[video_id]:
                    comment = self.comments[video_id].pop()
                    comment.delete(by=ALICE, video_author_id=ALICE, at=NOON)
                    self.record(comment)
            case "remix":
                remix = published(ALICE, parent=self.videos[video_id], at=NOON)
                self.remixes[video_id].append(remix)
                self.record(remix)
            case "delete":
                if self.remixes[video_id]:
                    remix = self.remixes[video_id].pop()
                    remix.delete(by=ALICE, as_moderator=False, at=NOON)
                    self.record(remix)
            case _:
                self.react(who, video_id, verb)

    def react(self, who: UUID, video_id: UUID, verb: str) -> None:
        key = (who, video_id)
        if key not in self.reactions:
            self.reactions[key] = Reaction.start(*key, at=NOON)
        getattr(self.reactions[key], verb)(at=NOON)
        self.record(self.reactions[key])
        kept = {"like": self.likes, "bookmark": self.bookmarks, "share": self.shares}
        if verb in kept:
            kept[verb][video_id].add(who)
        else:
            kept[verb.removeprefix("un")][video_id].discard(who)

    def counts(self, video_id: UUID) -> tuple[int, ...]:
        kept = (self.likes, self.comments, self.shares, self.bookmarks, self.remixes)
        return tuple(len(of[video_id]) for of in kept)


def fold(
    projection: Projection[Any],
    log: Sequence[Recorded[Any]],
    window: int,
    cursor: Cursor[TupleRow],
) -> list[TupleRow]:
    """Fold the log into empty tables, cut into windows, and return the rows."""
    table = projection.tables[0].encode()
    cursor.execute(b"TRUNCATE " + table)
    mine = [recorded for recorded in log if recorded.event.TOPIC in projection.topics]
    for begin in range(0, len(mine), window):
        projection.fold(mine[begin : begin + window], cursor)
    return sorted(cursor.execute(b"SELECT * FROM " + table).fetchall(), key=str)


@settings(max_examples=40, deadline=None, suppress_health_check=[FIXTURE])
@given(deeds=DEEDS, window=st.integers(1, 50))
def test_counts_are_the_sizes_of_the_sets_however_the_log_is_cut(
    pool: Pool, deeds: list[tuple[UUID, UUID, str]], window: int
) -> None:
    world = World()
    for deed in deeds:
        world.do(*deed)

    with pool.connection() as connection, connection.cursor() as cursor:
        rows = fold(EngagementCounts(), world.log, window, cursor)
        in_one_window = fold(EngagementCounts(), world.log, len(world.log), cursor)

    counts = {row[0]: row[2:7] for row in rows}
    assert counts[FOX] == world.counts(FOX)
    assert counts[OWL] == world.counts(OWL)
    assert rows == in_one_window


@settings(max_examples=20, deadline=None, suppress_health_check=[FIXTURE])
@given(deeds=DEEDS, window=st.integers(1, 50))
def test_reactions_and_comments_are_who_is_in_the_sets(
    pool: Pool, deeds: list[tuple[UUID, UUID, str]], window: int
) -> None:
    world = World()
    for deed in deeds:
        world.do(*deed)

    with pool.connection() as connection, connection.cursor() as cursor:
        reactions = fold(Reactions(), world.log, window, cursor)
        comments = fold(Comments(), world.log, window, cursor)
        assert comments == fold(Comments(), world.log, 1, cursor)

    assert {(who, video) for who, video, liked, *_ in reactions if liked} == {
        (who, video) for video, fans in world.likes.items() for who in fans
    }
    assert {row[0] for row in comments if not row[5]} == {
        comment.id for written in world.comments.values() for comment in written
    }
    assert all(not row[4] for row in comments if row[5])
