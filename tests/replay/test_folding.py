"""A window is folded whole, but for the events that cannot be: those are found, and told."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import ClassVar, Literal
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg import Connection, Cursor, sql
from psycopg.rows import TupleRow

from domain.invitation.aggregate import Invitation
from domain.invitation.events import InvitationIssued, InvitationRedeemed
from myriorama.replay.folding import DeadLetter, StandsStill, bury, fold_carefully, fold_next, look
from myriorama.store.event_source import EventSource
from myriorama.store.log import Log
from myriorama.store.postgres import Pool
from projections.projection import Projection, Recorded, SetProjection
from tests.foreign_events import insert

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


class Codes(Projection[InvitationIssued]):
    """Every code in the order it came. Python refuses POISON, and the table refuses VENOM."""

    name = "codes"
    log: ClassVar[Literal["domain", "views"]] = "domain"
    tables = ("codes",)
    topics = (InvitationIssued.TOPIC,)

    def fold(self, events: Sequence[Recorded[InvitationIssued]], cursor: Cursor[TupleRow]) -> None:
        for position, _, event in events:
            if event.code == "POISON":
                raise ValueError("poison")
            cursor.execute("INSERT INTO codes VALUES (%s, %s)", (position, event.code))


class Redemptions(Projection[InvitationRedeemed]):
    """Where invitations were redeemed."""

    name = "redemptions"
    tables = ("redemptions",)
    topics = (InvitationRedeemed.TOPIC,)

    def fold(
        self, events: Sequence[Recorded[InvitationRedeemed]], cursor: Cursor[TupleRow]
    ) -> None:
        for recorded in events:
            cursor.execute("INSERT INTO redemptions VALUES (%s)", (recorded.position,))


class Lengths(SetProjection):
    """How long each code is, in SQL; one without a code cannot be cast."""

    name = "lengths"
    tables = ("lengths",)
    topics = (InvitationIssued.TOPIC,)

    def fold_range(self, after: int, upto: int, cursor: Cursor[TupleRow]) -> None:
        cursor.execute(
            "INSERT INTO lengths"
            " SELECT position, length(convert_from(state, 'UTF8')::json->>'code') FROM events"
            " WHERE position > %s AND position <= %s",
            (after, upto),
        )


@pytest.fixture
def connection(pool: Pool) -> Iterator[Connection[TupleRow]]:
    with pool.connection() as connection:
        connection.execute("CREATE TABLE codes (position bigint, code text)")
        connection.execute("ALTER TABLE codes ADD CHECK (code <> 'VENOM')")
        connection.execute("CREATE TABLE redemptions (position bigint)")
        connection.execute("CREATE TABLE lengths (position bigint, length bigint NOT NULL)")
        yield connection


@pytest.fixture
def source(pool: Pool) -> EventSource:
    return EventSource(pool)


def issue(log: Log, *codes: str) -> None:
    for code in codes:
        log.save(Invitation.issue(code, issuer_id=UUID(int=1), at=NOON))


def column(connection: Connection[TupleRow], table: str, name: str) -> list[object]:
    query = sql.SQL("SELECT {} FROM {} ORDER BY position")
    rows = connection.execute(query.format(sql.Identifier(name), sql.Identifier(table)))
    return [value for (value,) in rows]


def test_several_projections_get_their_events_out_of_one_window(
    log: Log, source: EventSource, connection: Connection[TupleRow]
) -> None:
    invitation = Invitation.issue("FIRST", issuer_id=None, at=NOON)
    invitation.redeem(account_id=UUID(int=2), at=NOON)
    log.save(invitation)

    folded = fold_next(connection, source, [Codes(), Redemptions(), Lengths()], 0, upto=1)
    rest = fold_next(connection, source, [Codes(), Redemptions()], 1)

    assert (folded.upto, rest.upto) == (1, 2)
    assert column(connection, "codes", "code") == ["FIRST"]
    assert column(connection, "redemptions", "position") == [2]
    assert column(connection, "lengths", "length") == [5]


@pytest.mark.parametrize("poison", ["POISON", "VENOM"])
@pytest.mark.parametrize("place", [0, 7, 12])
def test_a_poisoned_event_is_found_and_all_others_are_folded(
    log: Log, source: EventSource, connection: Connection[TupleRow], poison: str, place: int
) -> None:
    codes = [f"C{number}" for number in range(13)]
    codes[place] = poison
    issue(log, *codes)

    folded = fold_next(connection, source, [Codes(), Redemptions()], 0)

    assert folded.upto == 13
    assert [(letter.projection, letter.position) for letter in folded.dead_letters] == [
        ("codes", place + 1)
    ]
    assert column(connection, "codes", "code") == [code for code in codes if code != poison]


def test_a_poisoned_event_is_found_in_a_set_as_well(
    source: EventSource, log: Log, connection: Connection[TupleRow], pool: Pool
) -> None:
    issue(log, "A", "BB")
    insert(pool, "{}")
    issue(log, "CCC", "DDDD")

    folded = fold_next(connection, source, [Lengths()], 0)

    assert [(letter.projection, letter.position) for letter in folded.dead_letters] == [
        ("lengths", 3)
    ]
    assert column(connection, "lengths", "length") == [1, 2, 3, 4]


class Elsewhere(EventSource):
    """A log whose past lies where nobody can reach it now."""

    def stage(self, cursor: Cursor[TupleRow], after: int, upto: int) -> None:
        raise ConnectionError(f"{after} to {upto} cannot be reached over {cursor}")


def test_while_the_past_of_a_log_cannot_be_reached_no_event_is_given_up(
    pool: Pool, log: Log, connection: Connection[TupleRow]
) -> None:
    issue(log, "A", "BB")

    source, lengths = Elsewhere(pool), Lengths()
    with pytest.raises(StandsStill, match="cannot be reached"):
        fold_next(connection, source, [lengths], 0)
    with pytest.raises(StandsStill, match="cannot be reached"):
        fold_carefully(connection, source, lengths, 0, look(source, [lengths], 0))

    assert column(connection, "lengths", "length") == []


def test_what_nobody_can_decode_is_told_to_those_who_ask_for_it(
    log: Log, source: EventSource, connection: Connection[TupleRow], pool: Pool
) -> None:
    issue(log, "FIRST")
    insert(pool, "no JSON")
    issue(log, "LAST")

    folded = fold_next(connection, source, [Codes(), Redemptions()], 0)
    bury(connection, folded.dead_letters)
    bury(connection, folded.dead_letters)

    assert column(connection, "codes", "code") == ["FIRST", "LAST"]
    (row,) = connection.execute("SELECT projection, position, error FROM dead_letters").fetchall()
    assert row[:2] == ("codes", 2)
    assert row[2].startswith(InvitationIssued.TOPIC)


def test_nothing_is_folded_past_an_event_of_a_newer_release(
    log: Log, source: EventSource, connection: Connection[TupleRow], pool: Pool
) -> None:
    issue(log, "FIRST")
    insert(pool, '{"class_version": 99}')
    issue(log, "LAST")

    folded = fold_next(connection, source, [Codes()], 0)
    with pytest.raises(StandsStill, match="version 99") as stands:
        fold_next(connection, source, [Codes()], folded.upto)
    others = fold_next(connection, source, [Redemptions()], 0)

    assert folded == (1, [])
    assert (stands.value.projection, stands.value.position) == ("codes", 2)
    assert column(connection, "codes", "code") == ["FIRST"]
    assert others == (3, [])


def test_no_event_is_given_up_for_a_table_that_is_not_there(
    log: Log, source: EventSource, connection: Connection[TupleRow]
) -> None:
    issue(log, "FIRST")
    connection.execute("DROP TABLE codes")

    with pytest.raises(StandsStill, match="UndefinedTable"):
        fold_next(connection, source, [Codes()], 0)


def test_no_event_is_given_up_for_a_connection_that_broke(
    log: Log, source: EventSource, database_url: str
) -> None:
    issue(log, "FIRST", "LAST")
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("CREATE TABLE codes (position bigint, code text)")

        class Cutting(Codes):
            def fold(
                self, events: Sequence[Recorded[InvitationIssued]], cursor: Cursor[TupleRow]
            ) -> None:
                cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
                super().fold(events, cursor)

        with pytest.raises(psycopg.OperationalError):
            fold_next(connection, source, [Cutting()], 0)


def test_a_text_too_long_for_its_index_is_the_events_fault(
    log: Log, source: EventSource, connection: Connection[TupleRow]
) -> None:
    connection.execute("CREATE INDEX ON codes (code)")
    incompressible = "".join(str(uuid4()) for _ in range(400))
    issue(log, "FIRST", incompressible, "LAST")

    folded = fold_next(connection, source, [Codes()], 0)

    (letter,) = folded.dead_letters
    assert (letter.projection, letter.position) == ("codes", 2)
    assert column(connection, "codes", "code") == ["FIRST", "LAST"]


def test_a_window_ends_where_it_is_told_to(log: Log, source: EventSource) -> None:
    issue(log, "FIRST", "SECOND", "THIRD")

    python = look(source, [Codes()], 0, 10, upto=2)
    sets = look(source, [Lengths()], 1, 10, upto=2)
    none = look(source, [Codes()], 2, 10, upto=2)

    assert ([r.event.code for r in python.events], python.upto) == (["FIRST", "SECOND"], 2)
    assert (sets.events, sets.upto) == ([], 2)
    assert (none.events, none.upto) == ([], 2)


def test_a_letter_keeps_no_byte_that_a_text_cannot_hold(connection: Connection[TupleRow]) -> None:
    bury(connection, [DeadLetter("codes", 1, "a\0b" + "x" * 9000)])

    (error,) = connection.execute("SELECT error FROM dead_letters").fetchone() or ("",)
    assert error.startswith("abx")
    assert len(error) == 2000
