"""New IDs sort by time; those of a command that is sent again are the same, and nobody's guess."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TypeVar
from uuid import UUID

import pytest

from domain.comment.aggregate import Comment
from domain.invitation.aggregate import Invitation
from domain.invitation.errors import InvitationSpent
from myriorama.store.causation import Cause, Key, cause
from myriorama.store.identity import new_id, new_secret
from myriorama.store.log import Log, LostRace, retried
from myriorama.store.postgres import Pool
from myriorama.store.recorder import CommandRepeated

R = TypeVar("R")

ALICE, BOB, VIDEO = UUID(int=1), UUID(int=2), UUID(int=3)
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
SEED = b"seed" * 8


def sent(  # noqa: PLR0913 - what is known of a command with a key
    command: Callable[[], R],
    *,
    seed: bytes = SEED,
    at: datetime = NOON,
    is_again: bool = False,
    applied: range | None = None,
    number: int = 1,
) -> tuple[R, Cause]:
    """Run a command under a key, as a request with one would, and return its cause, too."""
    command_id = UUID(int=number)
    present = Cause(command_id=command_id, key=Key(command_id, at, seed, is_again), applied=applied)
    token = cause.set(present)
    try:
        return command(), present
    finally:
        cause.reset(token)


def three_ids() -> list[UUID]:
    return [new_id() for _ in range(3)]


def test_a_command_that_is_sent_again_makes_the_same_ids() -> None:
    first, _ = sent(three_ids)
    again, _ = sent(three_ids, is_again=True)
    of_another, _ = sent(three_ids, seed=b"another!" * 4)

    assert first == again
    assert len({*first, *of_another}) == 6


def test_ids_under_a_key_are_of_version_7_and_sort_by_when_it_was_claimed() -> None:
    earlier, _ = sent(three_ids)
    later, _ = sent(three_ids, seed=b"another!" * 4, at=NOON + timedelta(milliseconds=1))
    now = new_id()

    for each in (*earlier, *later, now):
        assert (each.version, each.variant) == (7, now.variant)
    assert max(earlier) < min(later)
    assert earlier[0].int >> 80 == int(NOON.timestamp() * 1000)


def test_secrets_are_new_without_a_key_and_the_same_again_under_one() -> None:
    first, _ = sent(lambda: (new_id(), new_secret()))
    again, _ = sent(lambda: (new_id(), new_secret()), is_again=True)

    assert first == again
    assert new_secret() != new_secret()
    assert len(new_secret()) == len(first[1])


@retried
def post(log: Log, text: str = "What a fox!") -> UUID:
    comment = Comment.post(
        new_id(), video_id=VIDEO, author_id=ALICE, parent=None, text=text, at=NOON
    )
    log.save(comment)
    return comment.id


def positions(pool: Pool) -> list[int]:
    with pool.connection() as connection:
        return [position for (position,) in connection.execute("SELECT position FROM events")]


def test_a_command_that_was_overtaken_by_itself_is_told_what_it_was_told(
    log: Log, pool: Pool
) -> None:
    first, cause_first = sent(lambda: post(log))

    again, cause_again = sent(lambda: post(log), is_again=True)

    assert again == first
    assert cause_first.position == cause_again.position == 1
    assert positions(pool) == [1]


def test_another_command_under_the_same_key_is_told_that_it_was_applied(
    log: Log, pool: Pool
) -> None:
    sent(lambda: post(log))

    with pytest.raises(CommandRepeated):
        sent(lambda: post(log))
    with pytest.raises(CommandRepeated):
        sent(lambda: post(log), seed=b"another!" * 4, is_again=True)

    assert positions(pool) == [1]


def test_ids_are_the_same_whichever_attempt_succeeds(log: Log) -> None:
    attempts: list[UUID] = []

    @retried
    def contended() -> UUID:
        attempts.append(new_id())
        if len(attempts) < 4:
            raise LostRace
        return attempts[-1]

    made, _ = sent(contended)

    assert set(attempts) == {made}
    assert log.find(Comment, made) is None


def test_a_command_is_decided_again_on_what_the_log_was_then(log: Log, pool: Pool) -> None:
    log.save(Invitation.issue("FIRST", issuer_id=ALICE, at=NOON))

    @retried
    def redeem() -> int:
        invitation = log.find(Invitation, Invitation.identify("FIRST"))
        assert invitation
        invitation.redeem(account_id=BOB, at=NOON)
        log.save(invitation)
        found = log.find(Invitation, invitation.id)
        assert found
        return found.version

    first, _ = sent(redeem)
    with pytest.raises(InvitationSpent):
        sent(redeem, number=2)
    again, present = sent(redeem, is_again=True, applied=range(2, 3))

    assert first == again == 2
    assert present.position == 2
    assert positions(pool) == [1, 2]


def test_what_is_refused_though_it_was_applied_is_told_to_be_applied(log: Log) -> None:
    invitation = Invitation.issue("FIRST", issuer_id=ALICE, at=NOON)
    invitation.redeem(account_id=BOB, at=NOON)
    log.save(invitation)

    @retried
    def redeem() -> None:
        invitation.redeem(account_id=ALICE, at=NOON)

    with pytest.raises(CommandRepeated):
        sent(redeem, is_again=True, applied=range(1, 2))
