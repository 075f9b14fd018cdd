"""What ads know of videos: their words, and whether an ad may stand beside them."""

import asyncio
from uuid import UUID

import psycopg
import pytest

from ads.page import Slot
from myriorama.feed.ad_slots import AdSlots, slot_of
from myriorama.feed.label_rules import LabelRules
from myriorama.store.postgres import async_pool
from tests.feed.worlds import ACCOUNT, VIDEO

VIDEO_ID, ALICE = UUID(int=1), UUID(int=2)
RULES = LabelRules(
    {"political": "allow", "mature": "interstitial"}, {"political": "allow", "mature": "drop"}
)


@pytest.mark.parametrize(
    ("labels", "safety"),
    [
        ([], "safe"),
        (["political"], "limited"),
        (["mature"], "unsafe"),
        (["political", "mature"], "unsafe"),
        (["of a newer release"], "unsafe"),
    ],
)
def test_what_moderators_say_decides_what_may_stand_beside(labels: list[str], safety: str) -> None:
    assert slot_of(VIDEO_ID, ALICE, labels, "", "", rules=RULES).safety == safety


def test_words_are_compared_without_case_and_accents() -> None:
    slot = slot_of(VIDEO_ID, ALICE, [], "A plane CRASH at the Café", "#Travel", rules=RULES)

    assert {"plane", "crash", "cafe", "travel", "plane crash"} <= slot.keywords
    assert slot.category == "travel"


def test_what_is_sensitive_names_the_category_first() -> None:
    slot = slot_of(VIDEO_ID, ALICE, [], "food and alcohol", "", rules=RULES)

    assert slot.category == "alcohol"


async def known(slots: AdSlots) -> list[Slot]:
    """Return the page once its video was read, which nobody waits for but a test."""
    while (page := slots.of_page([VIDEO_ID.bytes], ranked=True))[0].safety is None:  # noqa: ASYNC110 - nothing tells of it
        await asyncio.sleep(0.01)
    return page


def test_a_video_is_unsafe_until_it_was_read_and_again_when_moderators_look(
    database_url: str,
) -> None:
    async def act() -> None:
        async with async_pool(database_url) as pool:
            slots = AdSlots(pool)
            before = slots.of_page([VIDEO_ID.bytes], ranked=False)
            after = await known(slots)
            with psycopg.connect(database_url, autocommit=True) as database:
                database.execute("UPDATE videos SET labels = '{mature}', position = 5")
            await slots.refresh_videos()
            labelled = await known(slots)

            assert [each[0].safety for each in (before, after, labelled)] == [
                None,
                "safe",
                "unsafe",
            ]
            assert (before[0].video_id, after[0].author_id) == (VIDEO_ID, ALICE)
            assert (after[0].worth, labelled[0].worth) == (1.0, 1.0)

    with psycopg.connect(database_url, autocommit=True) as database:
        database.execute(ACCOUNT, {"n": 1, "id": ALICE})
        database.execute(VIDEO, {"n": 3, "id": VIDEO_ID, "author": ALICE, "visibility": "public"})

    asyncio.run(act())
