"""An allowance: seconds of video that come back as the window moves on."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.allowance.aggregate import Allowance, Credit
from domain.allowance.errors import AllowanceExhausted, CreditDiffers, CreditInvalid
from domain.allowance.limit import Limit

ALICE, BOB = uuid4(), uuid4()
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
LIMIT = Limit(seconds=20, window=24 * HOUR)


def test_one_may_ask_up_to_the_limit_and_not_for_a_second_more() -> None:
    allowance = Allowance.open(ALICE, at=NOON)
    allowance.spend(uuid4(), 15, LIMIT, at=NOON)
    allowance.spend(uuid4(), 5, LIMIT, at=NOON)

    with pytest.raises(AllowanceExhausted) as refused:
        allowance.spend(uuid4(), 2, LIMIT, at=NOON + HOUR)

    assert refused.value.reset_s == 23 * 3600
    assert allowance.spent(LIMIT, at=NOON) == 20


def test_seconds_come_back_one_window_after_they_were_taken() -> None:
    allowance = Allowance.open(ALICE, at=NOON)
    allowance.spend(uuid4(), 10, LIMIT, at=NOON)
    allowance.spend(uuid4(), 10, LIMIT, at=NOON + HOUR)

    assert allowance.reset_s(10, LIMIT, at=NOON + 2 * HOUR) == 22 * 3600
    assert allowance.reset_s(15, LIMIT, at=NOON + 2 * HOUR) == 23 * 3600
    assert allowance.spent(LIMIT, at=NOON + 24 * HOUR) == 10
    assert allowance.spent(LIMIT, at=NOON + 25 * HOUR) == 0


def test_what_did_not_come_to_be_is_given_back_once() -> None:
    allowance = Allowance.open(ALICE, at=NOON)
    failed = uuid4()
    allowance.spend(failed, 15, LIMIT, at=NOON)
    allowance.collect_events()

    allowance.give_back(failed, at=NOON)
    allowance.give_back(failed, at=NOON)
    allowance.give_back(uuid4(), at=NOON)

    assert len(allowance.collect_events()) == 1
    assert allowance.spent(LIMIT, at=NOON) == 0


def test_what_is_longer_than_the_whole_limit_never_fits() -> None:
    allowance = Allowance.open(ALICE, at=NOON)

    assert allowance.reset_s(21, LIMIT, at=NOON) == 24 * 3600


def test_the_window_is_spent_before_the_balance() -> None:
    allowance = Allowance.open(ALICE, at=NOON)
    allowance.credit(10, source_key="payment 1", reason="bought", at=NOON)

    allowance.spend(uuid4(), 15, LIMIT, at=NOON)
    allowance.spend(uuid4(), 8, LIMIT, at=NOON)

    assert (allowance.left(LIMIT, at=NOON), allowance.balance) == (0, 7)
    assert allowance.reset_s(7, LIMIT, at=NOON) == 0
    assert allowance.reset_s(8, LIMIT, at=NOON + HOUR) == 23 * 3600


def test_what_the_balance_paid_does_not_come_back_with_the_window() -> None:
    allowance = Allowance.open(ALICE, at=NOON)
    allowance.credit(10, source_key="payment 1", reason="bought", at=NOON)
    allowance.spend(uuid4(), 15, LIMIT, at=NOON)
    allowance.spend(uuid4(), 10, LIMIT, at=NOON)

    later = NOON + 24 * HOUR

    assert (allowance.left(LIMIT, at=later), allowance.balance) == (20, 5)


def test_what_is_given_back_returns_to_where_it_came_from() -> None:
    allowance = Allowance.open(ALICE, at=NOON)
    allowance.credit(10, source_key="payment 1", reason="bought", at=NOON)
    both, paid = uuid4(), uuid4()
    allowance.spend(both, 22, LIMIT, at=NOON)
    allowance.spend(paid, 5, LIMIT, at=NOON)

    allowance.give_back(both, at=NOON + 25 * HOUR)

    assert (allowance.left(LIMIT, at=NOON + 25 * HOUR), allowance.balance) == (20, 5)


def test_one_is_told_of_the_balance_when_both_are_too_little() -> None:
    allowance = Allowance.open(ALICE, at=NOON)
    allowance.credit(3, source_key="payment 1", reason="bought", at=NOON)

    with pytest.raises(AllowanceExhausted, match="20 of 20 seconds and 3 of the balance"):
        allowance.spend(uuid4(), 24, LIMIT, at=NOON)

    assert allowance.balance == 3


def test_a_key_stands_for_one_credit_of_one_account() -> None:
    credit = Credit.claim("payment 1", account_id=ALICE, seconds=10, at=NOON)

    credit.require_same(ALICE, 10)
    for account_id, seconds in ((ALICE, 11), (BOB, 10)):
        with pytest.raises(CreditDiffers):
            credit.require_same(account_id, seconds)

    assert credit.id == Credit.identify("payment 1")


@pytest.mark.parametrize(
    ("seconds", "key"), [(0, "k"), (-5, "k"), (1_000_001, "k"), (5, ""), (5, "k" * 201)]
)
def test_a_credit_has_seconds_and_a_key(seconds: int, key: str) -> None:
    with pytest.raises(CreditInvalid):
        Credit.claim(key, account_id=ALICE, seconds=seconds, at=NOON)


def test_it_is_known_when_the_next_seconds_of_the_window_come_back() -> None:
    allowance = Allowance.open(ALICE, at=NOON)
    before = allowance.returns_at(LIMIT, at=NOON)
    allowance.credit(10, source_key="payment 1", reason="bought", at=NOON)
    allowance.spend(uuid4(), 12, LIMIT, at=NOON)
    allowance.spend(uuid4(), 12, LIMIT, at=NOON + HOUR)
    narrower = Limit(seconds=5, window=LIMIT.window)

    assert before is None
    assert allowance.returns_at(LIMIT, at=NOON + HOUR) == NOON + 24 * HOUR
    assert allowance.returns_at(narrower, at=NOON + HOUR) == NOON + 25 * HOUR


@given(
    steps=st.lists(
        st.tuples(st.sampled_from(["spend", "give back", "credit"]), st.integers(1, 15)),
        max_size=30,
    )
)
def test_no_second_is_lost_or_made_whatever_comes_after_what(steps: list[tuple[str, int]]) -> None:
    allowance = Allowance.open(ALICE, at=NOON)
    taken, credited = dict[UUID, int](), 0
    for number, (step, seconds) in enumerate(steps):
        if step == "credit":
            allowance.credit(seconds, source_key=str(number), reason="bought", at=NOON)
            credited += seconds
        elif step == "give back" and taken:
            allowance.give_back(returned := next(iter(taken)), at=NOON)
            del taken[returned]
        elif allowance.reset_s(seconds, LIMIT, at=NOON) == 0:
            allowance.spend(new := uuid4(), seconds, LIMIT, at=NOON)
            taken[new] = seconds

    left = allowance.left(LIMIT, at=NOON)

    assert left + allowance.balance + sum(taken.values()) == LIMIT.seconds + credited
    assert allowance.balance >= 0
