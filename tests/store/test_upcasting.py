"""An event that was stored three times in three shapes is one event to whoever reads it today.

The event and its aggregate are of this file alone: what is shown is the way from the stored bytes
to an aggregate and to a table, for a field that was renamed, one that was added, and a topic that
was changed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec
import pytest
from eventsourcing.application import Repository
from eventsourcing.persistence import EventStore, MapperDeserialisationError, StoredEvent
from psycopg import Cursor
from psycopg.rows import TupleRow

from domain.aggregate import Aggregate, InitialEvent
from myriorama.replay.public_events import published
from myriorama.store.event_source import EventSource
from myriorama.store.mapper import JSONMapper, SchemaFromFuture, upcast
from myriorama.store.postgres import Pool
from myriorama.store.recorder import DomainRecorder
from projections.projection import Projection, Recorded

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


@dataclass(frozen=True)
class ClipRecorded(InitialEvent):
    """A clip was recorded: at first in seconds, and without saying who did."""

    TOPIC = "sample.clip_recorded"
    FORMER_TOPICS = ("sample.clip_taken",)
    class_version = 3

    duration_ms: int
    recorded_by: UUID | None

    @staticmethod
    def upcast_v1_v2(state: dict[str, Any]) -> None:
        state["duration_ms"] = state.pop("seconds") * 1000

    @staticmethod
    def upcast_v2_v3(state: dict[str, Any]) -> None:
        state["recorded_by"] = None


class Clip(Aggregate):
    """What the samples are streams of."""

    TOPIC = "sample_clip"

    def __init__(self, duration_ms: int, recorded_by: UUID | None) -> None:
        self.duration_ms = duration_ms
        self.recorded_by = recorded_by

    def evolve(self, event: ClipRecorded) -> None:
        """Nothing: `__init__` took the fields."""


class Durations(Projection[ClipRecorded]):
    """How long the clips are."""

    name = "durations"
    tables = ("durations",)
    topics = (ClipRecorded.TOPIC,)

    def fold(self, events: Sequence[Recorded[ClipRecorded]], cursor: Cursor[TupleRow]) -> None:
        for _, _, clip in events:
            cursor.execute("INSERT INTO durations VALUES (%s)", (clip.duration_ms,))


EVENTS = dict.fromkeys((ClipRecorded.TOPIC, *ClipRecorded.FORMER_TOPICS), ClipRecorded)


def stored(clip: int, topic: str, fields: str) -> StoredEvent:
    state = f'{{"timestamp":"2026-11-22T12:00:00Z","originator_topic":"sample_clip",{fields}}}'
    return StoredEvent(UUID(int=clip), 1, topic, state.encode())


FIRST = stored(1, "sample.clip_taken", '"seconds":4')
SECOND = stored(2, "sample.clip_recorded", '"duration_ms":4500,"class_version":2')
THIRD = JSONMapper(EVENTS).to_stored_event(
    ClipRecorded(UUID(int=3), 1, NOON, "sample_clip", 5250, UUID(int=9))
)
FOURTH = stored(4, "sample.clip_recorded", '"length":1,"class_version":4')


@pytest.fixture
def recorder(pool: Pool) -> DomainRecorder:
    recorder = DomainRecorder(pool)
    recorder.insert_events([FIRST, SECOND, THIRD])
    return recorder


def test_an_aggregate_is_what_its_events_mean_today(recorder: DomainRecorder) -> None:
    clips = Repository[UUID](EventStore[UUID](JSONMapper(EVENTS), recorder))

    found: Sequence[Clip] = [clips.get(UUID(int=number)) for number in (1, 2, 3)]

    assert [clip.duration_ms for clip in found] == [4000, 4500, 5250]
    assert [clip.recorded_by for clip in found] == [None, None, UUID(int=9)]


@pytest.mark.usefixtures("recorder")
def test_a_projection_folds_every_version_under_every_topic(pool: Pool) -> None:
    window = EventSource(pool, EVENTS).read(0, 10, Durations.topics)

    with pool.connection() as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE durations (duration_ms bigint)")
        Durations().fold(window.events, cursor)
        folded = cursor.execute("SELECT duration_ms FROM durations").fetchall()

    assert folded == [(4000,), (4500,), (5250,)]
    assert not window.unreadable


@pytest.mark.parametrize(
    ("event", "data"),
    [
        (FIRST, {"duration_ms": 4000, "recorded_by": None}),
        (SECOND, {"duration_ms": 4500, "recorded_by": None}),
        (THIRD, {"duration_ms": 5250, "recorded_by": str(UUID(int=9))}),
    ],
)
def test_what_leaves_the_house_is_of_the_present_shape(
    event: StoredEvent, data: dict[str, Any]
) -> None:
    public = published(event.topic, event.state, EVENTS)

    assert public.topic == ClipRecorded.TOPIC
    assert msgspec.json.decode(msgspec.json.encode(public.data)) == data


def test_what_is_stored_today_says_its_version_and_needs_no_upcaster() -> None:
    assert THIRD.topic == ClipRecorded.TOPIC
    assert upcast(ClipRecorded, THIRD.state)["recorded_by"] == str(UUID(int=9))
    assert b'"class_version":3' in THIRD.state


def test_a_version_that_is_not_known_yet_is_no_unreadable_event() -> None:
    with pytest.raises(SchemaFromFuture, match="in version 4; this release knows 3"):
        JSONMapper(EVENTS).to_domain_event(FOURTH)


@pytest.mark.parametrize(
    "fields",
    [
        '"class_version":1',  # nothing to upcast
        '"seconds":"four","class_version":1',
        '"duration_ms":1,"recorded_by":null,"class_version":0',
        '"duration_ms":1,"recorded_by":null,"class_version":"3"',
        '"duration_ms":1,"recorded_by":null,"class_version":true',
        '"duration_ms":1,"recorded_by":null,"class_version":null',
        '"duration_ms":1.5,"recorded_by":null,"class_version":3',
    ],
)
def test_what_no_release_stored_is_told_from_what_a_newer_one_did(fields: str) -> None:
    garbled = stored(5, ClipRecorded.TOPIC, fields)

    with pytest.raises(MapperDeserialisationError, match=r"sample\.clip_recorded"):
        JSONMapper(EVENTS).to_domain_event(garbled)
