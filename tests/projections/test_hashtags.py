"""Hashtags: what captions carry, and how many public videos each has, whatever is edited."""

from collections import Counter
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.cameo.events import CameoRevoked
from domain.video.aggregate import Video
from domain.video.hashtags import hashtags
from myriorama.store.postgres import Pool
from projections.hashtags import Hashtags
from projections.projection import Recorded
from tests.publishing import published

ALICE = UUID(int=1)
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
CAMEOS = [UUID(int=71), UUID(int=72)]
CAPTIONS = st.sampled_from(["", "no tag", "#fox", "#fox #owl", "#Owl and #fox", "#café"])
EDITS = st.one_of(
    st.tuples(st.just("caption"), CAPTIONS),
    st.tuples(st.just("visibility"), st.sampled_from(["public", "followers", "link"])),
    st.tuples(st.just("delete"), st.just("")),
    st.tuples(st.just("revoke"), st.sampled_from(["0", "1"])),
)
DEEDS = st.lists(st.tuples(st.integers(0, 2), EDITS), max_size=20)


def test_a_caption_is_read_as_people_write_it() -> None:
    assert hashtags("A fox! #Fox #fox #night_time, #2026 #4k (#café) C# a#b ##no &#39; #한국") == (
        "fox",
        "night_time",
        "4k",
        "cafe",
        "한국",
    )
    assert hashtags("#" * 2000) == ()
    assert hashtags("#" + "x" * 2000) == ()
    assert len(hashtags(" ".join(f"#tag{n}" for n in range(100)))) == 30


def publish(number: int, caption: str) -> Video:
    cameo_ids = tuple(CAMEOS[: number % 3])
    differing = {"caption": caption, "cameo_ids": cameo_ids}
    return published(ALICE, generation_id=UUID(int=number), at=NOON, **differing)


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(DEEDS, st.integers(1, 7))
def test_they_are_counted_exactly_however_the_log_is_cut(
    pool: Pool, deeds: list[tuple[int, tuple[str, str]]], window: int
) -> None:
    videos = [publish(number, "#fox #start") for number in range(3)]
    revoked = list[CameoRevoked]()
    events = list[Any](event for video in videos for event in video.collect_events())
    for index, (what, value) in deeds:
        video = videos[index]
        if what == "revoke":
            cameo_id = CAMEOS[int(value)]
            revoked.append(CameoRevoked(cameo_id, 9, NOON))
            events.append(revoked[-1])
        elif what == "delete":
            video.delete(by=ALICE, as_moderator=False, at=NOON)
        elif not video.deleted:
            now: dict[str, Any] = {
                "caption": video.caption,
                "visibility": video.visibility,
                what: value,
            }
            video.edit(**now, remixable=True, by=ALICE, at=NOON)
        events += video.collect_events()
    events = [event for event in events if event.TOPIC in Hashtags.topics]
    log = [Recorded(position, NOON, event) for position, event in enumerate(events, start=1)]

    with pool.connection() as connection, connection.transaction(force_rollback=True):
        cursor = connection.cursor()
        for after in range(0, len(log), window):
            Hashtags().fold(log[after : after + window], cursor)
        rows = cursor.execute("SELECT tag, videos FROM hashtags").fetchall()
        carried = {
            (video_id, tag)
            for video_id, tag in cursor.execute(
                "SELECT video_id, tag FROM video_hashtags WHERE tag <> ''"
            ).fetchall()
        }

    gone = {cameo.originator_id for cameo in revoked}
    live = [video for video in videos if not video.deleted and gone.isdisjoint(video.cameo_ids)]
    assert carried == {(video.id, tag) for video in live for tag in hashtags(video.caption)}
    public = [video for video in live if video.visibility == "public"]
    assert dict(rows) == Counter(tag for video in public for tag in hashtags(video.caption))
