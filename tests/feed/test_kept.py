"""What is kept in memory is kept only if nothing happened to it while it was read."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any
from uuid import UUID

import psycopg
import pytest

from myriorama.feed.cards import Cards
from myriorama.feed.circles import Circles
from myriorama.feed.encoded_cards import EncodedCards
from myriorama.feed.timeline import Timeline
from myriorama.store.postgres import async_pool
from myriorama.store.signing import MEDIA_LIFETIME_S, Signer
from tests.feed.worlds import ACCOUNT, EDIT, RELATE, VIDEO

NOW = 1_800_000_000
ALICE, BOB, VIDEO_ID = (UUID(int=number) for number in range(1, 4))
MUTED = {"follows": False, "blocks": False, "mutes": True}

Story = Callable[[Circles, EncodedCards, Callable[..., None]], Coroutine[Any, Any, None]]


@pytest.fixture
def play(database_url: str) -> Callable[[Story], None]:
    """Tell a story of Alice, Bob, and Alice's one video."""

    def run(story: Story) -> None:
        with psycopg.connect(database_url, autocommit=True) as database:

            def do(statement: Any, n: int, **fields: Any) -> None:
                database.execute(statement, {**fields, "n": n})

            do(ACCOUNT, 1, id=ALICE)
            do(ACCOUNT, 2, id=BOB)
            do(VIDEO, 3, id=VIDEO_ID, author=ALICE, visibility="public")
            asyncio.run(_with_parts(database_url, story, do))

    return run


async def _with_parts(url: str, story: Story, do: Callable[..., None]) -> None:
    async with async_pool(url) as pool:
        cards = Cards(pool, Signer(b"a secret of the tests, long enough"))
        await story(Circles(pool, Timeline()), EncodedCards(cards), do)


async def shown(cards: EncodedCards, *, now: int = NOW) -> bytes:
    (card,) = await cards.of([VIDEO_ID.bytes], now=now)
    assert card is not None
    return card.opened


def rename(do: Callable[..., None], n: int) -> None:
    do(EDIT, n, id=VIDEO_ID, visibility="public", state="live")


def test_a_circle_that_changes_while_it_is_read_is_read_again(
    play: Callable[[Story], None],
) -> None:
    async def story(circles: Circles, _: EncodedCards, do: Callable[..., None]) -> None:
        reading = asyncio.create_task(circles.of(BOB.bytes))
        await asyncio.sleep(0)
        circles.forget([BOB.bytes])
        assert not (await reading).hidden

        do(RELATE, 4, account=BOB, other=ALICE, **MUTED)

        assert (await circles.of(BOB.bytes)).hidden

    play(story)


@pytest.mark.parametrize("changed", ["video", "author"])
def test_a_card_that_changes_while_it_is_read_is_read_again(
    play: Callable[[Story], None], changed: str
) -> None:
    async def story(_: Circles, cards: EncodedCards, do: Callable[..., None]) -> None:
        reading = asyncio.create_task(shown(cards))
        await asyncio.sleep(0)
        if changed == "video":
            cards.forget([VIDEO_ID.bytes])
        else:
            cards.forget_authors([ALICE.bytes])
        assert b'"caption 3"' in await reading

        rename(do, 4)

        assert b'"caption 4"' in await shown(cards)

    play(story)


def test_a_card_is_kept_for_half_of_the_life_of_its_urls_at_most(
    play: Callable[[Story], None],
) -> None:
    async def story(_: Circles, cards: EncodedCards, do: Callable[..., None]) -> None:
        await shown(cards)
        rename(do, 4)

        assert b'"caption 3"' in await shown(cards, now=NOW + MEDIA_LIFETIME_S // 4)
        assert b'"caption 4"' in await shown(cards, now=NOW + MEDIA_LIFETIME_S // 2)

    play(story)


def test_memory_has_an_end(database_url: str) -> None:
    video_ids = [UUID(int=100 + number) for number in range(9)]

    async def story() -> None:
        async with async_pool(database_url) as pool:
            source = Cards(pool, Signer(b"a secret of the tests, long enough"))
            cards = EncodedCards(source, count_max=3)
            for video_id in video_ids:
                await cards.of([video_id.bytes], now=NOW)
            rename_all("changed")
            found = await cards.of([video_id.bytes for video_id in video_ids], now=NOW)
            kept = [card is not None and b"changed" not in card.opened for card in found]
            assert kept == [False] * 6 + [True] * 3

    with psycopg.connect(database_url, autocommit=True) as database:

        def rename_all(caption: str) -> None:
            database.execute("UPDATE videos SET caption = %s", (caption,))

        database.execute(ACCOUNT, {"id": ALICE, "n": 1})
        for n, video_id in enumerate(video_ids, start=2):
            database.execute(
                VIDEO, {"id": video_id, "author": ALICE, "visibility": "public", "n": n}
            )
        asyncio.run(story())
