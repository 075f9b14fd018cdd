"""The log keeps what it acknowledged, once, in order, and only if what was read still holds."""

import pickle
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from domain.aggregate import Event
from domain.catalogue import EVENTS
from domain.following.aggregate import Following
from domain.invitation.aggregate import Invitation
from domain.invitation.errors import InvitationSpent
from myriorama.store.causation import Cause, cause
from myriorama.store.log import Log, LostRace
from myriorama.store.mapper import JSONMapper
from myriorama.store.postgres import Pool
from myriorama.store.recorder import CommandRepeated
from myriorama.store.remembered import Remembered

ALICE, BOB = UUID(int=1), UUID(int=2)
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
TOPICS = tuple(EVENTS)


def issue(log: Log, code: str) -> Invitation:
    invitation = Invitation.issue(code, issuer_id=ALICE, at=NOON)
    log.save(invitation)
    return invitation


def test_what_was_saved_is_found_as_it_was(log: Log) -> None:
    issue(log, "FIRST")

    found = log.find(Invitation, Invitation.identify("FIRST"))

    assert found is not None
    assert (found.code, found.issuer_id, found.version) == ("FIRST", ALICE, 1)


def test_of_two_who_change_the_same_aggregate_one_loses(log: Log) -> None:
    issue(log, "FIRST")
    for_alice = log.find(Invitation, Invitation.identify("FIRST"))
    for_bob = log.find(Invitation, Invitation.identify("FIRST"))
    assert for_alice
    assert for_bob

    for_alice.redeem(account_id=ALICE, at=NOON)
    for_bob.redeem(account_id=BOB, at=NOON)
    log.save(for_alice)

    with pytest.raises(LostRace):
        log.save(for_bob)


def test_a_decision_fails_when_what_it_rested_on_has_changed(log: Log) -> None:
    read = issue(log, "READ")
    changed = log.find(Invitation, read.id)
    assert changed
    changed.redeem(account_id=BOB, at=NOON)
    log.save(changed)

    decided = Invitation.issue("DECIDED", issuer_id=ALICE, at=NOON)
    with pytest.raises(LostRace):
        log.save(decided, expect={read.id: 1})

    assert log.find(Invitation, decided.id) is None


def test_a_decision_on_what_was_not_there_fails_when_it_is(log: Log) -> None:
    appeared = issue(log, "APPEARED")

    with pytest.raises(LostRace):
        log.save(Invitation.issue("DECIDED", issuer_id=None, at=NOON), expect={appeared.id: 0})


def test_all_aggregates_of_a_save_are_recorded_or_none(log: Log) -> None:
    issue(log, "TAKEN")

    with pytest.raises(LostRace):
        log.save(
            Invitation.issue("FREE", issuer_id=ALICE, at=NOON),
            Invitation.issue("TAKEN", issuer_id=BOB, at=NOON),
        )

    assert log.find(Invitation, Invitation.identify("FREE")) is None


@pytest.fixture
def command_id() -> Iterator[UUID]:
    identity = uuid4()
    token = cause.set(Cause(command_id=identity))
    yield identity
    cause.reset(token)


def test_a_command_is_applied_once(log: Log, command_id: UUID) -> None:
    issue(log, "FIRST")

    token = cause.set(Cause(command_id=command_id))
    with pytest.raises(CommandRepeated):
        issue(log, "SECOND")
    cause.reset(token)

    assert log.find(Invitation, Invitation.identify("SECOND")) is None


def test_a_command_that_lost_its_race_may_try_again(log: Log, command_id: UUID) -> None:
    invitation = issue_without_cause(log, "FIRST")
    outdated = log.find(Invitation, invitation.id)
    assert outdated
    outdated.redeem(account_id=ALICE, at=NOON)
    with pytest.raises(LostRace):
        log.save(outdated, expect={uuid4(): 3})

    again = log.find(Invitation, invitation.id)
    assert again
    again.redeem(account_id=BOB, at=NOON)

    assert log.save(again).position == 2
    assert command_id


def issue_without_cause(log: Log, code: str) -> Invitation:
    token = cause.set(None)
    try:
        return issue(log, code)
    finally:
        cause.reset(token)


@pytest.mark.parametrize(
    "change", ["UPDATE events SET topic = ''", "DELETE FROM events", "TRUNCATE events"]
)
def test_what_happened_cannot_be_changed(log: Log, pool: Pool, change: str) -> None:
    issue(log, "FIRST")

    with pool.connection() as connection, pytest.raises(psycopg.errors.RaiseException):
        connection.execute(change.encode())


def test_the_log_notes_who_commanded_and_why(log: Log, pool: Pool) -> None:
    token = cause.set(Cause(actor_id=BOB, request_id="r-1", traceparent="00-ab-cd-01"))
    issue(log, "FIRST")
    cause.reset(token)

    with pool.connection() as connection:
        noted = connection.execute("SELECT actor_id, request_id, traceparent FROM events")
        assert noted.fetchall() == [(BOB, "r-1", "00-ab-cd-01")]


def test_an_invitation_is_redeemed_once_however_often_it_is_asked(log: Log) -> None:
    invitation = issue(log, "FIRST")
    invitation.redeem(account_id=ALICE, at=NOON)

    with pytest.raises(InvitationSpent):
        invitation.redeem(account_id=BOB, at=NOON)


@pytest.fixture
def following_id(log: Log) -> UUID:
    """Somebody who follows a hundred accounts, and of whom the log was asked."""
    following = Following.start(ALICE, at=NOON)
    for number in range(100):
        following.follow(UUID(int=1000 + number), at=NOON + timedelta(seconds=number))
    log.save(following)
    assert log.find(Following, following.id)
    return following.id


def test_a_long_aggregate_is_not_replayed_from_its_beginning(
    log: Log, following_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[int] = []
    decode = JSONMapper.decode

    def counted(self: JSONMapper, *stored: Any) -> Event:
        read.append(stored[-1])
        return decode(self, *stored)

    monkeypatch.setattr(JSONMapper, "decode", counted)

    found = log.find(Following, following_id)

    assert found is not None
    assert found.version == 101
    assert found.is_following(UUID(int=1099))
    assert read == [101]


def test_what_another_process_recorded_is_seen_at_once(
    log: Log, pool: Pool, following_id: UUID
) -> None:
    elsewhere = Log(pool)
    changed = elsewhere.find(Following, following_id)
    assert changed is not None
    for number in range(100):
        changed.unfollow(UUID(int=1000 + number), at=NOON)
    changed.block(BOB, at=NOON)
    elsewhere.save(changed)

    for _ in range(2):
        found = log.find(Following, following_id)

        assert found is not None
        assert found.version == changed.version
        assert found.is_blocking(BOB)
        assert not found.is_following(UUID(int=1000))


def test_what_was_not_saved_is_not_found(log: Log, following_id: UUID) -> None:
    decided = log.find(Following, following_id)
    assert decided is not None
    decided.block(BOB, at=NOON)

    found = log.find(Following, following_id)

    assert found is not None
    assert not found.is_blocking(BOB)
    assert found.version == 101
    assert not found.pending_events


@pytest.mark.parametrize("kept", [0, 50, 100])
def test_a_log_that_was_set_back_is_believed(
    log: Log, pool: Pool, following_id: UUID, kept: int
) -> None:
    with pool.connection() as connection:
        connection.execute("ALTER TABLE events DISABLE TRIGGER ALL")
        connection.execute("DELETE FROM events WHERE originator_version > %s", (kept,))
        connection.execute("ALTER TABLE events ENABLE TRIGGER ALL")

    found = log.find(Following, following_id)

    assert (found.version if found else 0) == kept


def test_what_is_remembered_is_bounded(log: Log, following_id: UUID) -> None:
    found = log.find(Following, following_id)
    other = Following.start(BOB, at=NOON)
    assert found is not None
    remembered = Remembered(bytes_max=len(pickle.dumps(found)) + 100)
    remembered.put(found)

    remembered.put(other)

    assert remembered.get(following_id) is None
    assert remembered.get(other.id) is not None
