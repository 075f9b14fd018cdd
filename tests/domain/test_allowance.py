"""An allowance: seconds of video that come back as the window moves on."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from domain.allowance.aggregate import Allowance
from domain.allowance.errors import AllowanceExhausted
from domain.allowance.limit import Limit

ALICE = uuid4()
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
