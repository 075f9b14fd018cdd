"""Allowances at once: a key credits once, a second is spent once, and comes back once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from domain.account.aggregate import Account, Handle
from domain.allowance.errors import AllowanceExhausted, CreditDiffers
from domain.generation.wish import Wish
from myriorama.application.allowances import Allowances
from myriorama.application.generations import Generations, Submitted
from myriorama.bootstrap.application import create_allowances, create_generations
from myriorama.settings import Settings
from myriorama.store.log import Log
from myriorama.store.postgres import Pool

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
ALICE, BOB = uuid4(), uuid4()


@pytest.fixture
def allowances(settings: Settings, log: Log) -> Allowances:
    for account_id, handle in ((ALICE, "alice"), (BOB, "bob")):
        account = Account.open(
            account_id,
            handle=handle,
            display_name=handle,
            email=f"{handle}@example.org",
            password_hash="",
            age_band="18+",
            scopes=("viewer", "creator"),
            invitation_id=None,
            invited_by=None,
            at=NOON,
        )
        log.save(account, Handle.claim(handle, account_id=account_id, at=NOON))
    return create_allowances(settings, log)


@pytest.fixture
def generations(settings: Settings, log: Log, pool: Pool) -> Generations:
    narrow = replace(settings, allowance_seconds=4, generations_in_flight_max=50)
    return create_generations(narrow, pool, log)


def at_once(*commands: Callable[[], object]) -> list[object]:
    """Give the commands at the same time; return what each returned, or why it was refused."""

    def outcome(command: Callable[[], object]) -> object:
        try:
            return command()
        except (AllowanceExhausted, CreditDiffers) as refusal:
            return type(refusal)

    with ThreadPoolExecutor(len(commands)) as threads:
        return list(threads.map(outcome, commands))


def test_one_key_credits_one_account_once_whoever_is_first(allowances: Allowances) -> None:
    def credit(who: str) -> Callable[[], object]:
        return lambda: allowances.credit(who, 10, source_key="payment 1", reason="", at=NOON)

    outcomes = at_once(*[credit("alice"), credit("bob")] * 3)

    purchased = [
        allowances.remaining(account_id, at=NOON).purchased_seconds for account_id in (ALICE, BOB)
    ]
    assert sorted(purchased) == [0, 10]
    assert outcomes.count(CreditDiffers) == 3


def test_the_balance_is_spent_once_and_comes_back_once(
    allowances: Allowances, generations: Generations
) -> None:
    allowances.credit("alice", 4, source_key="payment 1", reason="", at=NOON)
    wish = Wish(prompt="a fox jumps over a brook", seconds=4)

    asked = at_once(*[lambda: generations.request(wish, by=ALICE, at=NOON)] * 5)
    made = [each.generation_id for each in asked if isinstance(each, Submitted)]
    spent = allowances.remaining(ALICE, at=NOON).purchased_seconds
    at_once(*[lambda id_=id_: generations.cancel(id_, by=ALICE, at=NOON) for id_ in made * 2])

    assert (len(made), asked.count(AllowanceExhausted), spent) == (2, 3, 0)
    assert allowances.remaining(ALICE, at=NOON).purchased_seconds == 4
