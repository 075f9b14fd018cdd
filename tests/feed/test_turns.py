"""Turns: who asks for one thing is not kept waiting by who asks for many."""

import asyncio
from uuid import UUID, uuid4

import pytest

from myriorama.feed.turns import WAITING_MAX, TooManyWaiting, Turns

ALICE, BOB, MALLORY = uuid4(), uuid4(), uuid4()


async def step() -> None:
    """Let everybody go on who can."""
    for _ in range(5):
        await asyncio.sleep(0)


def test_accounts_take_turns_however_many_of_one_wait() -> None:
    async def play() -> list[UUID]:
        turns, came = Turns(), list[UUID]()

        async def ask(who: UUID) -> None:
            async with turns.turn(who):
                came.append(who)
                await step()

        asking = [asyncio.create_task(ask(MALLORY)) for _ in range(1 + WAITING_MAX)]
        await asyncio.sleep(0)
        asking += [asyncio.create_task(ask(who)) for who in (ALICE, BOB)]
        await asyncio.gather(*asking)
        return came

    came = asyncio.run(play())

    assert came[:4] == [MALLORY, MALLORY, ALICE, BOB]
    assert len(came) == 3 + WAITING_MAX


def test_who_has_many_waiting_is_refused_and_told_when_to_ask_again() -> None:
    async def play() -> None:
        turns = Turns()
        async with turns.turn(MALLORY):
            waiting = [asyncio.create_task(hold(turns, MALLORY)) for _ in range(WAITING_MAX)]
            await step()
            with pytest.raises(TooManyWaiting) as refused:
                await hold(turns, MALLORY)
        await asyncio.gather(*waiting)
        await hold(turns, MALLORY)
        assert refused.value.reset_s > 0

    asyncio.run(play())


async def fail(turns: Turns) -> None:
    async with turns.turn(ALICE):
        raise ZeroDivisionError


async def hold(turns: Turns, who: UUID) -> None:
    async with turns.turn(who):
        pass


@pytest.mark.parametrize("is_let_in", [False, True])
def test_who_leaves_while_waiting_takes_no_turn_with_them(*, is_let_in: bool) -> None:
    async def play() -> None:
        turns = Turns()
        async with turns.turn(ALICE):
            leaving = asyncio.create_task(hold(turns, MALLORY))
            staying = asyncio.create_task(hold(turns, BOB))
            await step()
            if not is_let_in:
                leaving.cancel()
                await step()
        leaving.cancel()
        await asyncio.wait_for(staying, 10)
        await asyncio.wait_for(hold(turns, ALICE), 10)
        assert leaving.cancelled()

    asyncio.run(play())


def test_what_fails_gives_its_turn_to_the_next() -> None:
    async def play() -> None:
        turns = Turns()
        with pytest.raises(ZeroDivisionError):
            await fail(turns)
        await asyncio.wait_for(hold(turns, BOB), 10)

    asyncio.run(play())
