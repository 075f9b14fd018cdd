"""Every version of every event that was ever stored is read as it was meant, down to the tables."""

from collections.abc import Sequence
from itertools import groupby
from typing import Any
from uuid import UUID

import msgspec
import pytest
from eventsourcing.application import project_aggregate
from eventsourcing.domain import BaseAggregate
from eventsourcing.utils import resolve_topic
from psycopg import Cursor
from psycopg.rows import TupleRow
from psycopg.sql import SQL, Identifier

from domain.catalogue import READABLE, stored_under
from myriorama.bootstrap.logs import projections
from myriorama.store.event_source import EventSource
from myriorama.store.mapper import JSONMapper
from myriorama.store.postgres import Pool
from myriorama.store.recorder import DomainRecorder
from projections.projection import AnyProjection, Projection, Recorded
from tests.corpus import Entry, breaches, gaps, read_corpus, read_seals
from tests.event_shapes import Shape, recorded_shapes

CORPUS = read_corpus()
ADDRESS = {"originator_id", "originator_version"}
FOLDED = [each for each in projections() if each.log == "domain"]

every_entry = pytest.mark.parametrize("entry", CORPUS, ids=lambda entry: entry.name)


def of_one_aggregate(entry: Entry) -> tuple[str, UUID]:
    return entry.topic.partition(".")[0], entry.originator_id


STREAMS = [list(entries) for _, entries in groupby(CORPUS, key=of_one_aggregate)]
# Of what nobody commands, such as what is settled, there is no aggregate.
COMMANDED = [stream for stream in STREAMS if "originator_topic" in stream[0].fields]


@every_entry
def test_an_entry_decodes_to_what_it_says(entry: Entry) -> None:
    event = JSONMapper().to_domain_event(entry.stored())

    decoded = {name: repr(value) for name, value in vars(event).items() if name not in ADDRESS}

    assert type(event) is READABLE[entry.topic]
    assert decoded == entry.decodes_to
    assert entry.class_version == entry.fields.get("class_version", 1)


@every_entry
def test_an_entry_of_the_present_version_is_what_would_be_stored_today(entry: Entry) -> None:
    mapper, kind = JSONMapper(), READABLE[entry.topic]
    if (entry.topic, entry.class_version) != (kind.TOPIC, getattr(kind, "class_version", 1)):
        pytest.skip("what an older release stored")

    stored = mapper.to_stored_event(mapper.to_domain_event(entry.stored()))

    assert stored == entry.stored()


@pytest.mark.parametrize("stream", COMMANDED, ids=lambda stream: stream[0].name)
def test_a_stream_makes_an_aggregate(stream: Sequence[Entry]) -> None:
    kind = resolve_topic(stream[0].fields["originator_topic"])

    events = [JSONMapper().to_domain_event(entry.stored()) for entry in stream]
    aggregate = project_aggregate(None, events)

    assert type(aggregate) is kind
    assert isinstance(aggregate, BaseAggregate)
    assert (aggregate.id, aggregate.version) == (stream[0].originator_id, len(stream))


def test_every_stored_version_has_its_example() -> None:
    topics = {topic: shapes for topic, shapes in recorded_shapes().items() if topic in READABLE}

    assert not (found := gaps(CORPUS, topics)), "\n".join(found)


def test_the_corpus_only_grows() -> None:
    assert not (found := breaches(CORPUS, read_seals())), "\n".join(found)


@pytest.fixture
def recorded(pool: Pool) -> Sequence[Recorded[Any]]:
    """The whole corpus as a projection reads it out of the log, in the order of time."""
    by_time = sorted(CORPUS, key=lambda entry: entry.fields["timestamp"])
    DomainRecorder(pool).insert_events([entry.stored() for entry in by_time])
    window = EventSource(pool).read(0, len(CORPUS), list(READABLE))
    assert not window.unreadable
    return window.events


def state(projection: AnyProjection, cursor: Cursor[TupleRow]) -> Sequence[object]:
    """Return all that the tables hold."""
    return [
        cursor.execute(
            SQL("SELECT array_agg(t::text ORDER BY t::text) FROM {} AS t").format(Identifier(table))
        ).fetchone()
        for table in projection.tables
    ]


@pytest.mark.parametrize("projection", FOLDED, ids=lambda projection: projection.name)
def test_every_stored_version_reaches_the_tables(
    projection: AnyProjection, recorded: Sequence[Recorded[Any]], pool: Pool
) -> None:
    followed = set(stored_under(projection.topics))
    versions = {entry.address: (entry.topic, entry.class_version) for entry in CORPUS}
    reached = set[tuple[str, int]]()

    with pool.connection() as connection, connection.transaction(), connection.cursor() as cursor:
        before = state(projection, cursor)
        for each in recorded:
            version = versions[each.event.originator_id, each.event.originator_version]
            if version[0] in followed:
                fold(projection, each, cursor)
                after = state(projection, cursor)
                reached |= {version} if after != before else set()
                before = after

    assert reached == {version for version in versions.values() if version[0] in followed}


def fold(projection: AnyProjection, each: Recorded[Any], cursor: Cursor[TupleRow]) -> None:
    if isinstance(projection, Projection):
        projection.fold([each], cursor)
    else:
        projection.fold_range(each.position - 1, each.position, cursor)


LENT = Entry(
    stream="a sample",
    topic="sample.lent",
    class_version=1,
    originator_id=UUID(int=1),
    originator_version=1,
    state='{"lender_id":null}',
    decodes_to={},
)
SHAPES = {"sample.lent": {1: Shape({"lender_id": "UUID | None"})}}


def test_a_version_without_an_example_is_a_gap() -> None:
    shapes = {"sample.lent": {**SHAPES["sample.lent"], 2: Shape({"lender_id": "UUID"})}}

    assert "version 1" in gaps([], SHAPES)[0]
    assert "version 2" in gaps([LENT], shapes)[-1]


def test_an_optional_field_has_an_example_with_and_one_without() -> None:
    given = msgspec.structs.replace(LENT, state=f'{{"lender_id":"{UUID(int=2)}"}}')

    assert "lender_id set" in gaps([LENT], SHAPES)[0]
    assert "lender_id unset" in gaps([given], SHAPES)[0]
    assert gaps([LENT, given], SHAPES) == []


def test_an_entry_that_was_edited_taken_out_or_not_sealed_is_noticed() -> None:
    seals = {LENT.name: LENT.seal}
    edited = msgspec.structs.replace(LENT, state='{"lender_id": null}')

    assert breaches([LENT], seals) == []
    assert "was edited" in breaches([edited], seals)[0]
    assert "was taken out" in breaches([], seals)[0]
    assert LENT.seal in breaches([LENT], {})[0]
