"""What was stored stays readable: topics are for good, and no shape changes under its version."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, cast
from uuid import UUID

import pytest

from domain.aggregate import Event
from domain.catalogue import EVENTS, READABLE
from domain.viewing import events as viewing
from tests.event_shapes import (
    Shape,
    column_objections,
    objections,
    recorded_shapes,
    shape_of,
)

COLUMNS: list[type[Any]] = [
    kind for kind in vars(viewing).values() if isinstance(kind, type) and "TOPIC" in vars(kind)
]


def test_every_event_is_stored_as_it_is_on_record() -> None:
    recorded = recorded_shapes()
    columns = {kind.TOPIC for kind in COLUMNS}

    of_the_domain = {topic: shapes for topic, shapes in recorded.items() if topic not in columns}

    assert not (found := objections(READABLE, of_the_domain)), "\n\n".join(found)


def test_every_event_of_the_view_log_has_the_columns_on_record() -> None:
    recorded = recorded_shapes()

    assert recorded.keys() <= READABLE.keys() | {kind.TOPIC for kind in COLUMNS}
    assert not (found := column_objections(COLUMNS, recorded)), "\n\n".join(found)


def test_a_former_topic_is_nobody_elses() -> None:
    former = [topic for event in EVENTS.values() for topic in event.FORMER_TOPICS]

    assert len({*former, *EVENTS}) == len(former) + len(EVENTS)


@dataclass(frozen=True)
class Sampled(Event):
    """What the samples below are changes of."""

    seconds: int
    lender_id: UUID | None


RECORDED = {"sample.sampled": {1: shape_of(Sampled)}}
FIELDS = RECORDED["sample.sampled"][1].fields


def sample(base: type[Event], **declared: Any) -> Mapping[str, type[Event]]:
    """Return a catalogue of one class, which is `base` with something declared on top."""
    topic = declared.pop("topic", "sample.sampled")
    kind = cast("type[Event]", type(base.__name__, (base,), declared))
    kind.TOPIC = topic  # set late, so that it is registered nowhere
    return dict.fromkeys((*kind.FORMER_TOPICS, topic), kind)


@dataclass(frozen=True)
class Grown(Event):
    """A field more."""

    seconds: int
    lender_id: UUID | None
    note: str


@dataclass(frozen=True)
class Shrunk(Event):
    """A field less."""

    seconds: int


@dataclass(frozen=True)
class Renamed(Event):
    """A field by another name."""

    duration_s: int
    lender_id: UUID | None


@dataclass(frozen=True)
class Retyped(Event):
    """A field of another type."""

    seconds: float
    lender_id: UUID | None


@dataclass(frozen=True)
class Required(Event):
    """A field that may not be missing any more."""

    seconds: int
    lender_id: UUID


@dataclass(frozen=True)
class Private(Event):
    """A field that became personal."""

    PERSONAL: ClassVar[frozenset[str]] = frozenset({"lender_id"})

    seconds: int
    lender_id: UUID | None


def test_what_has_not_changed_raises_no_objection() -> None:
    assert objections(sample(Sampled), RECORDED) == []


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        (Grown, ["+ note: str"]),
        (Shrunk, ["- lender_id: UUID | None"]),
        (Renamed, ["- seconds: int", "+ duration_s: int"]),
        (Retyped, ["- seconds: int", "+ seconds: float"]),
        (Required, ["- lender_id: UUID | None", "+ lender_id: UUID"]),
        (Private, ["PERSONAL: () became ('lender_id',)"]),
    ],
)
def test_a_change_under_the_same_version_is_refused_with_what_to_do(
    changed: type[Event], told: list[str]
) -> None:
    (objection,) = objections(sample(changed), RECORDED)

    for part in told:
        assert part in objection
    assert "class_version = 2" in objection
    assert "upcast_v1_v2(state)" in objection
    assert "docs/evolving-events.md" in objection


def test_a_raised_version_needs_its_upcaster_and_its_record() -> None:
    upcaster, record = objections(sample(Grown, class_version=2), RECORDED)

    assert "upcast_v1_v2(state)" in upcaster
    assert '"2":{"fields":{"timestamp":"datetime",' in record


def test_a_raised_version_with_both_is_as_good_as_the_first() -> None:
    recorded = {"sample.sampled": {1: shape_of(Sampled), 2: shape_of(Grown)}}
    grown = sample(Grown, class_version=2, upcast_v1_v2=print)

    assert objections(grown, recorded) == []


def test_a_version_neither_falls_nor_skips_one() -> None:
    recorded = {"sample.sampled": {1: shape_of(Sampled), 2: shape_of(Grown)}}
    leapt = sample(Grown, class_version=3, upcast_v1_v2=print, upcast_v2_v3=print)

    assert "Versions only rise" in objections(sample(Sampled), recorded)[0]
    assert "no record of version 2" in objections(leapt, RECORDED)[0]


def test_a_topic_that_vanishes_is_refused() -> None:
    (objection,) = objections({}, RECORDED)

    assert "sample.sampled: events are stored under this topic for good" in objection


def test_a_topic_may_change_if_the_former_one_is_kept() -> None:
    recorded = {**RECORDED, "sample.taken": RECORDED["sample.sampled"]}

    lost = objections(sample(Sampled, topic="sample.taken"), recorded)
    kept = objections(
        sample(Sampled, topic="sample.taken", FORMER_TOPICS=("sample.sampled",)), recorded
    )

    assert len(lost) == 1
    assert kept == []


def test_a_former_topic_was_once_a_topic() -> None:
    (objection,) = objections(sample(Sampled, FORMER_TOPICS=("sample.simpled",)), RECORDED)

    assert "nothing was ever stored" in objection


def test_personal_names_fields() -> None:
    found = objections(sample(Sampled, PERSONAL=frozenset({"lender"})), RECORDED)

    assert "['lender'], which are no fields" in found[0]


@dataclass(frozen=True)
class Seen:
    """A row of typed columns."""

    TOPIC: ClassVar[str] = "sample.seen"

    viewer_id: UUID
    watched_ms: int


@dataclass(frozen=True)
class SeenFully(Seen):
    """A row that has one column more."""

    loops: int


@dataclass(frozen=True)
class SeenSince(Seen):
    """A row that has one column more, which may be empty."""

    left_at: datetime | None


def test_typed_columns_stay_and_grow_by_nullable_ones() -> None:
    full = {"sample.seen": {1: shape_of(SeenFully)}}
    brief = {"sample.seen": {1: shape_of(Seen)}}

    assert column_objections([Seen], brief) == []
    assert column_objections([Seen], full) == [
        "sample.seen.loops: rows have this column as int, and keep it."
    ]
    assert "let it be `int | None`" in column_objections([SeenFully], brief)[0]
    (only_to_record,) = column_objections([SeenSince], brief)
    assert only_to_record.startswith("add to tests/architecture/event_shapes.json")


def test_a_type_is_the_same_however_it_is_written() -> None:
    assert shape_of(Sampled) == Shape(
        {"timestamp": "datetime", "seconds": "int", "lender_id": "UUID | None"}
    )
