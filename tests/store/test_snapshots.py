"""A snapshot is a short cut that changes no answer, whatever it holds or becomes of it."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from importlib import import_module
from importlib.util import find_spec
from pkgutil import iter_modules
from types import UnionType
from typing import Any, get_args, get_type_hints
from uuid import UUID, uuid4

import pytest
from eventsourcing.domain import BaseAggregate
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import domain
from domain.aggregate import Aggregate, Event, InitialEvent
from domain.following.aggregate import Following
from myriorama.store.causation import Cause, cause
from myriorama.store.log import Log
from myriorama.store.mapper import JSONMapper
from myriorama.store.postgres import Pool
from myriorama.store.recorder import DomainRecorder
from myriorama.store.snapshots import Unfit, decoded, encoded

ALICE, BOB = UUID(int=1), UUID(int=2)
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
SHORT = 4


def kinds() -> list[type[Aggregate]]:
    contexts = [context.name for context in iter_modules(domain.__path__) if context.ispkg]
    modules = [f"domain.{context}.aggregate" for context in contexts]
    found = [
        kind
        for module in modules
        if find_spec(module)
        for kind in vars(import_module(module)).values()
        if isinstance(kind, type) and issubclass(kind, Aggregate) and kind.TOPIC
    ]
    return sorted(set(found), key=lambda kind: kind.TOPIC)


def events_of(kind: type[Aggregate]) -> tuple[type[InitialEvent], Sequence[type[Event]]]:
    """Return the event that begins such an aggregate, and those that may follow."""
    union = get_type_hints(kind.evolve)["event"]
    events: Sequence[Any] = get_args(union) if isinstance(union, UnionType) else (union,)
    (first,) = (event for event in events if issubclass(event, InitialEvent))
    return first, [event for event in events if event is not first]


PRINTABLE = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
MOMENTS = st.integers(0, 10**9).map(lambda us: NOON + timedelta(microseconds=us))
# Few, so that an event often meets what one before it left.
IDS = st.sampled_from([UUID(int=number) for number in range(3)])


@pytest.fixture(autouse=True)
def plain_values() -> None:
    """What fields are made of: values that JSON has room for."""
    st.register_type_strategy(datetime, MOMENTS)
    st.register_type_strategy(UUID, IDS)
    st.register_type_strategy(str, PRINTABLE)
    st.register_type_strategy(int, st.integers(-(2**63), 2**63 - 1))
    st.register_type_strategy(float, st.floats(allow_nan=False, allow_infinity=False))


def happening(
    event: type[Event], id_: UUID, version: int, draw: Callable[..., Any], **fields: Any
) -> Event:
    address = {"originator_id": st.just(id_), "originator_version": st.just(version)}
    happened: Event = draw(st.builds(event, **address, **fields))
    return happened


def live(kind: type[Aggregate], draw: Callable[..., Any], log: Log) -> UUID:
    """Have an aggregate live through whatever may happen to one, saved now and then."""
    id_ = uuid4()
    first, following = events_of(kind)
    begun = happening(first, id_, 1, draw, originator_topic=st.just(kind.TOPIC))
    aggregate: BaseAggregate[UUID] | None = begun.mutate(None)
    assert aggregate
    aggregate.pending_events.append(begun)
    for version in range(2, draw(st.integers(SHORT, 4 * SHORT)) if following else 2):
        if draw(st.booleans()):
            log.save(aggregate)
        event = happening(draw(st.sampled_from(following)), id_, version, draw)
        event.mutate(aggregate)
        aggregate.pending_events.append(event)
    log.save(aggregate)
    return id_


def folded(pool: Pool, id_: UUID) -> BaseAggregate[UUID] | None:
    """Return what the events alone come to."""
    aggregate: BaseAggregate[UUID] | None = None
    for stored in DomainRecorder(pool).select_events(id_):
        event: Any = JSONMapper().to_domain_event(stored)
        aggregate = event.mutate(aggregate)
    return aggregate


def snapshots(pool: Pool) -> list[tuple[UUID, int]]:
    with pool.connection() as connection:
        return connection.execute("SELECT originator_id, version FROM snapshots").fetchall()


def execute(pool: Pool, *statements: str) -> None:
    with pool.connection() as connection, connection.transaction():
        for statement in statements:
            connection.execute(statement.encode())


@pytest.mark.parametrize("kind", kinds(), ids=lambda kind: kind.TOPIC)
def test_no_answer_is_another_for_a_snapshot(pool: Pool, kind: type[Aggregate]) -> None:
    log = Log(pool, long=SHORT)
    pool.wait()  # it draws a random number for each connection, which Hypothesis does not like

    @settings(
        max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow], database=None
    )
    @given(st.data())
    def whatever_happens(data: st.DataObject) -> None:
        id_ = live(kind, data.draw, log)

        expected = folded(pool, id_)
        found = Log(pool, long=SHORT).find(kind, id_)
        without = Log(pool, long=10**9).find(kind, id_)

        assert found == expected == without
        assert found is not None
        assert expected is not None
        assert encoded(found) == encoded(expected)

    whatever_happens()

    assert snapshots(pool) or not events_of(kind)[1]


@pytest.fixture
def following(pool: Pool) -> Following:
    """Somebody who follows 99 accounts, one after the other, in a log that looks at no memory."""
    log = Log(pool)
    following = Following.start(ALICE, at=NOON)
    for number in range(99):
        following.follow(UUID(int=1000 + number), at=NOON + timedelta(seconds=number))
        log.save(following)
    return following


def decoding(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Note the version of every event that is decoded from now on."""
    read: list[int] = []
    decode = JSONMapper.decode

    def noted(self: JSONMapper, *stored: Any) -> Event:
        read.append(stored[-1])
        return decode(self, *stored)

    monkeypatch.setattr(JSONMapper, "decode", noted)
    return read


def test_only_what_happened_behind_the_snapshot_is_read(
    pool: Pool, following: Following, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = decoding(monkeypatch)

    found = Log(pool).find(Following, following.id)

    assert snapshots(pool) == [(following.id, 64)]
    assert found == following
    assert read == list(range(65, 101))


def test_the_newest_snapshot_is_the_only_one(pool: Pool, following: Following) -> None:
    log = Log(pool)
    for number in range(100):
        following.unfollow(UUID(int=1000 + number), at=NOON)
        log.save(following)

    assert snapshots(pool) == [(following.id, 192)]
    assert Log(pool).find(Following, following.id) == following


@pytest.mark.parametrize(
    "harm",
    [
        "UPDATE snapshots SET shape = ''",
        "UPDATE snapshots SET state = 'nonsense'",
        'UPDATE snapshots SET state = \'{"dict":[["_version"]]}\'',
        'UPDATE snapshots SET state = \'{"os:system":["exit"]}\'',
        "UPDATE snapshots SET state = '{\"domain.nothing:Nothing\":[]}'",
        "UPDATE snapshots SET position = position + 1",
        "UPDATE snapshots SET recorded_at = recorded_at - interval '1 us'",
        "UPDATE snapshots SET version = 3",
        "DELETE FROM snapshots",
    ],
)
def test_a_snapshot_that_does_not_count_is_not_believed_and_made_anew(
    pool: Pool, following: Following, harm: str
) -> None:
    execute(pool, harm)

    found = Log(pool).find(Following, following.id)

    assert found == following
    assert snapshots(pool) == [(following.id, 100)]


@pytest.mark.parametrize("kept", [0, 30, 63, 64, 65])
def test_a_log_that_was_set_back_raises_nothing_from_the_dead(
    pool: Pool, following: Following, kept: int
) -> None:
    set_back(pool, kept)

    found = Log(pool).find(Following, following.id)

    assert found == folded(pool, following.id)
    assert (found.version if found else 0) == kept


def test_a_log_that_was_set_back_and_went_on_has_snapshots_of_its_own(
    pool: Pool, following: Following
) -> None:
    set_back(pool, 30)
    log = Log(pool)
    again = log.find(Following, following.id)
    assert again
    for number in range(70):
        again.block(UUID(int=5000 + number), at=NOON)
        log.save(again)

    found = Log(pool).find(Following, following.id)

    assert found == again == folded(pool, following.id)
    assert snapshots(pool) == [(following.id, 64)]


def set_back(pool: Pool, kept: int) -> None:
    execute(
        pool,
        "ALTER TABLE events DISABLE TRIGGER ALL",
        f"DELETE FROM events WHERE originator_version > {kept}",  # noqa: S608 - a number of ours
        "ALTER TABLE events ENABLE TRIGGER ALL",
    )


def test_a_save_stands_though_no_snapshot_can_be_kept(pool: Pool) -> None:
    execute(pool, "ALTER TABLE snapshots ADD CHECK (version < 0)")
    log = Log(pool)
    following = Following.start(ALICE, at=NOON)
    for number in range(70):
        following.follow(UUID(int=1000 + number), at=NOON)

    saved = log.save(following)

    assert saved.position == 71
    assert snapshots(pool) == []
    assert Log(pool).find(Following, following.id) == following


def test_a_save_stands_though_nothing_can_be_read_for_the_snapshot(pool: Pool) -> None:
    execute(pool, "ALTER TABLE snapshots RENAME TO snapshots_elsewhere")
    following = Following.start(ALICE, at=NOON)
    for number in range(70):
        following.follow(UUID(int=1000 + number), at=NOON)

    saved = Log(pool).save(following)

    assert saved.position == 71


def test_a_snapshot_is_of_what_was_recorded_and_not_of_what_is_being_decided(
    pool: Pool, following: Following
) -> None:
    token = cause.set(Cause(actor_id=BOB))
    following.block(BOB, at=NOON)
    found = Log(pool).find(Following, following.id)
    cause.reset(token)

    assert found
    assert not found.is_blocking(BOB)


@pytest.mark.parametrize("state", [float("nan"), float("inf"), object(), {1, 2}, b"bytes"])
def test_what_would_come_back_as_another_is_kept_in_no_snapshot(
    state: object, following: Following
) -> None:
    vars(following)["state"] = state

    with pytest.raises(Unfit):
        encoded(following)


def test_a_state_comes_back_in_its_order_and_of_its_types(following: Following) -> None:
    vars(following)["state"] = {
        UUID(int=2): (1, 1.0, True, None, [datetime.fromisoformat("2026-11-22T12:00:00.5+01:00")]),
        "a": {"dict": {}, "tuple": ()},
        3: "\x00\u2028ü",
    }

    again = decoded(Following, encoded(following))

    assert again == following
    assert repr(vars(again)["state"]) == repr(vars(following)["state"])
