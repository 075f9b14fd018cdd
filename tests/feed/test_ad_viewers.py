"""Viewers as ads know them: what may be targeted, and what they were shown, wherever that was."""

import asyncio
from collections.abc import Awaitable, Callable
from uuid import UUID

import psycopg
import pytest

from myriorama.feed.ad_clients import Client
from myriorama.feed.ad_preferences import AdPreferences
from myriorama.feed.ad_sessions import BEGUN, Session
from myriorama.feed.ad_viewers import AdViewers
from myriorama.feed.known_viewers import Showing
from myriorama.store.postgres import async_pool

ALICE, LINE, CAMPAIGN, ADVERTISER, CREATIVE = (UUID(int=number) for number in range(1, 6))
NOON_MS = 1_795_348_800_000
IOS = Client("DE", "de", "ios")
DANCE, NOTHING = frozenset({"dance"}), frozenset[str]()

ACCOUNT = """
    INSERT INTO accounts (account_id, handle, display_name, bio, age_band, scopes, invitations_left,
                          opened_at, version, position)
    VALUES (%s, 'alice', '', '', %s, '{}', 0, now(), 1, 1)
"""

LIKED = "INSERT INTO reactions (account_id, video_id, liked, position) VALUES (%s, %s, true, 1)"

TAGGED = """
    INSERT INTO video_hashtags (video_id, tag, public, published_position, position)
    VALUES (%s, %s, true, 1, 1)
"""

SHOWN = """
    INSERT INTO ad_decisions
    SELECT %s, to_timestamp(%s / 1000.0), %s, gen_random_uuid(), 'latest', 2, 3, %s, %s, %s, %s,
           'cpm', 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, NULL, NULL, '{}', %s, 1, 'sold', true, '', %s
"""

SEEN = """
    INSERT INTO charges (decision_id, beacon, line_id, creative_id, advertiser_id, day, lease_id,
                         place, surface, reported_ms, position, batch, micros, mark)
    VALUES (%s, 1, %s, %s, %s, 1, 1, 3, 2, 0, 1, 1, 0, %s)
"""


class House:
    """Some tables by hand, and the viewers of one process over them."""

    def __init__(self, url: str) -> None:
        self.url = url

    def is_told(self, statement: str, *values: object) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(statement.encode(), values)

    def has_shown(self, decision: UUID, *, at_ms: int, position: int) -> None:
        ids = (LINE, CAMPAIGN, ADVERTISER, CREATIVE)
        self.is_told(SHOWN, decision, at_ms, ALICE, *ids, at_ms + 600_000, position)

    def was_seen(self, decision: UUID, mark: str | None = None) -> None:
        self.is_told(SEEN, decision, LINE, CREATIVE, ADVERTISER, mark)

    def run(
        self, act: Callable[[AdViewers], Awaitable[None]], *, times_max: int = 1_000_000
    ) -> None:
        async def acting() -> None:
            async with async_pool(self.url) as pool:
                preferences = AdPreferences(pool)
                viewers = AdViewers(pool, preferences, key=b"a key", times_max=times_max)
                await viewers.load()
                await act(viewers)

        asyncio.run(acting())


@pytest.fixture
def house(database_url: str) -> House:
    return House(database_url)


@pytest.mark.parametrize(
    ("age_band", "band", "interests"),
    [("18+", "18+", DANCE), ("16-17", "", NOTHING), ("", "", NOTHING)],
)
def test_only_who_is_of_age_is_told_apart_by_age_and_interests(
    house: House, age_band: str, band: str, interests: frozenset[str]
) -> None:
    house.is_told(ACCOUNT, ALICE, age_band)
    house.is_told(LIKED, ALICE, UUID(int=9))
    house.is_told(TAGGED, UUID(int=9), "dance")

    async def act(viewers: AdViewers) -> None:
        known = await viewers.read(ALICE.bytes, NOON_MS)
        viewer = viewers.viewer(known, IOS, BEGUN, NOON_MS)
        assert (viewer.age_band, viewer.interests) == (band, interests)
        assert viewer.is_minor == (age_band != "18+")
        assert viewer.contextual_only == viewer.is_minor
        assert (viewer.country, viewer.language, viewer.platform) == IOS

    house.run(act)


@pytest.mark.parametrize(
    "asked",
    [
        "INSERT INTO personalisation (account_id, personalised, position) VALUES (%s, false, 1)",
        "INSERT INTO ad_preferences (account_id, contextual_only, position) VALUES (%s, true, 1)",
    ],
)
def test_who_asks_for_it_is_told_apart_by_nothing(house: House, asked: str) -> None:
    house.is_told(ACCOUNT, ALICE, "18+")
    house.is_told(asked, ALICE)

    async def act(viewers: AdViewers) -> None:
        viewer = viewers.viewer(await viewers.read(ALICE.bytes, NOON_MS), IOS, BEGUN, NOON_MS)
        assert (viewer.age_band, viewer.interests, viewer.contextual_only) == ("", NOTHING, True)
        assert not viewer.is_minor

    house.run(act)


def test_what_was_seen_before_this_process_began_counts_and_what_was_not_does_not(
    house: House,
) -> None:
    now_ms = NOON_MS
    seen, unseen, marked, waiting = (UUID(int=number) for number in range(20, 24))
    house.is_told(ACCOUNT, ALICE, "18+")
    for position, (decision, ago_ms) in enumerate(
        [(seen, 3_000_000), (unseen, 2_000_000), (marked, 1_000_000), (waiting, 60_000)], 1
    ):
        house.has_shown(decision, at_ms=now_ms - ago_ms, position=position)
    house.was_seen(seen)
    house.was_seen(marked, "crawler")

    async def act(viewers: AdViewers) -> None:
        known = await viewers.read(ALICE.bytes, now_ms)
        shown = viewers.viewer(known, IOS, BEGUN, now_ms).shown_ms
        counted = (now_ms - 3_000_000, now_ms - 60_000)
        assert shown == {of.int: counted for of in (LINE, CAMPAIGN, ADVERTISER, CREATIVE)}

    house.run(act)


def test_an_ad_counts_at_once_and_no_more_when_it_was_not_seen_in_its_time(house: House) -> None:
    house.is_told(ACCOUNT, ALICE, "18+")
    seen, unseen = UUID(int=20), UUID(int=21)
    house.was_seen(seen)
    counts_for = (LINE.int,)

    async def act(viewers: AdViewers) -> None:
        known = await viewers.read(ALICE.bytes, NOON_MS)
        showings = [
            Showing(decision, counts_for, NOON_MS + at, NOON_MS + at + 600_000)
            for at, decision in enumerate((seen, unseen))
        ]
        viewers.was_served(ALICE.bytes, known, Session(20, 2, 3), showings, NOON_MS)

        assert known.shown_ms() == {LINE.int: (NOON_MS, NOON_MS + 1)}
        await viewers.forget_unseen(NOON_MS + 600_001)
        assert known.shown_ms() == {LINE.int: (NOON_MS, NOON_MS + 1)}
        await viewers.forget_unseen(NOON_MS + 700_000)
        assert known.shown_ms() == {LINE.int: (NOON_MS,)}

    house.run(act)


def test_what_another_process_shows_counts_here_too_and_once(house: House) -> None:
    house.is_told(ACCOUNT, ALICE, "18+")

    async def act(viewers: AdViewers) -> None:
        known = await viewers.read(ALICE.bytes, NOON_MS)
        house.has_shown(UUID(int=30), at_ms=NOON_MS, position=7)
        await viewers.refresh_shown()
        await viewers.refresh_shown()
        await viewers.read(ALICE.bytes, NOON_MS + 3_700_000)
        assert known.shown_ms()[LINE.int] == (NOON_MS,)
        assert known.in_last_hour(NOON_MS) == 1

    house.run(act)


def test_who_looks_at_the_top_again_has_just_been_shown_what_they_were(house: House) -> None:
    house.is_told(ACCOUNT, ALICE, "18+")

    async def act(viewers: AdViewers) -> None:
        known = await viewers.read(ALICE.bytes, NOON_MS)
        assert viewers.at_top(known, NOON_MS) == BEGUN
        viewers.was_served(ALICE.bytes, known, Session(20, 2, 9), [], NOON_MS)
        assert viewers.at_top(known, NOON_MS + 1000) == Session(0, 2, 0)
        assert viewers.at_top(known, NOON_MS + 3_600_000) == BEGUN

    house.run(act)


def test_a_pseudonym_tells_nobody_who_it_is(house: House) -> None:
    async def act(viewers: AdViewers) -> None:
        alice = await viewers.read(ALICE.bytes, NOON_MS)
        again = await viewers.read(ALICE.bytes, NOON_MS)
        bob = await viewers.read(UUID(int=2).bytes, NOON_MS)
        assert alice.pseudonym == again.pseudonym != bob.pseudonym
        assert 0 <= alice.pseudonym < 2**64
        assert alice.pseudonym != int.from_bytes(ALICE.bytes[8:])

    house.run(act)


@pytest.mark.parametrize(
    "chosen",
    [
        "INSERT INTO personalisation (account_id, personalised, position) VALUES (%s, false, 7)",
        "INSERT INTO personalisation (account_id, forgotten_at, position) VALUES (%s, now(), 7)",
    ],
    ids=["switched off", "forgotten"],
)
def test_what_a_viewer_takes_back_targets_them_no_more(house: House, chosen: str) -> None:
    house.is_told(ACCOUNT, ALICE, "18+")
    house.is_told(LIKED, ALICE, UUID(int=9))
    house.is_told(TAGGED, UUID(int=9), "dance")

    async def act(viewers: AdViewers) -> None:
        before = viewers.viewer(await viewers.read(ALICE.bytes, NOON_MS), IOS, BEGUN, NOON_MS)
        house.is_told(chosen, ALICE)

        await viewers.refresh_choices()

        assert viewers.kept(ALICE.bytes, NOON_MS) is None
        after = viewers.viewer(await viewers.read(ALICE.bytes, NOON_MS), IOS, BEGUN, NOON_MS)
        assert (before.interests, after.interests) == (DANCE, NOTHING)

    house.run(act)


def test_what_is_liked_after_a_history_was_forgotten_counts(house: House) -> None:
    house.is_told(ACCOUNT, ALICE, "18+")
    house.is_told(
        "INSERT INTO personalisation (account_id, forgotten_at, position) VALUES (%s, now(), 0)",
        ALICE,
    )
    house.is_told(LIKED, ALICE, UUID(int=9))
    house.is_told(TAGGED, UUID(int=9), "dance")

    async def act(viewers: AdViewers) -> None:
        known = await viewers.read(ALICE.bytes, NOON_MS)

        assert viewers.viewer(known, IOS, BEGUN, NOON_MS).interests == DANCE

    house.run(act)


def test_an_account_that_moves_while_it_is_read_is_read_again(house: House) -> None:
    house.is_told(ACCOUNT, ALICE, "18+")

    async def act(viewers: AdViewers) -> None:
        with psycopg.connect(house.url) as lock, psycopg.connect(house.url) as watching:
            watching.autocommit = True
            lock.execute("LOCK TABLE ad_decisions")  # what was shown is read after who they are
            reading = asyncio.create_task(viewers.read(ALICE.bytes, NOON_MS))
            waits = "SELECT FROM pg_locks WHERE NOT granted AND relation = 'ad_decisions'::regclass"
            while watching.execute(waits).fetchone() is None:  # noqa: ASYNC110 - it tells nobody
                await asyncio.sleep(0.001)
            watching.execute("UPDATE accounts SET age_band = '16-17', position = 5")
            await viewers.refresh_accounts()
            lock.commit()
            await reading

        assert viewers.kept(ALICE.bytes, NOON_MS) is None
        assert (await viewers.read(ALICE.bytes, NOON_MS)).is_minor

    house.run(act)


def test_whoever_was_not_here_for_longest_is_forgotten_where_too_much_is_remembered(
    house: House,
) -> None:
    people = [UUID(int=number) for number in (1, 101, 102)]

    async def act(viewers: AdViewers) -> None:
        for number, person in enumerate(people):
            known = await viewers.read(person.bytes, NOON_MS)
            showings = [
                Showing(UUID(int=1000 * number + at), (LINE.int, 9), NOON_MS + at, NOON_MS + at)
                for at in range(20)
            ]
            viewers.was_served(person.bytes, known, BEGUN, showings, NOON_MS)

        kept = [viewers.kept(person.bytes, NOON_MS) for person in people]

        assert [each is not None for each in kept] == [False, True, True]

    house.run(act, times_max=100)


def test_times_go_when_they_are_read_again_as_no_cap_looks_so_far_back(house: House) -> None:
    decision, later_ms = UUID(int=20), NOON_MS + 91 * 86_400_000
    house.is_told(ACCOUNT, ALICE, "18+")
    house.has_shown(decision, at_ms=NOON_MS, position=1)
    house.was_seen(decision)

    async def act(viewers: AdViewers) -> None:
        known = await viewers.read(ALICE.bytes, NOON_MS + 3_600_000)
        before = known.shown_ms()

        await viewers.read(ALICE.bytes, later_ms)

        assert before[LINE.int] == (NOON_MS,)
        assert known.shown_ms() == {}

    house.run(act)


def test_what_a_decision_was_told_does_not_change_when_more_is_shown(house: House) -> None:
    async def act(viewers: AdViewers) -> None:
        known = await viewers.read(ALICE.bytes, NOON_MS)
        before = viewers.viewer(known, IOS, BEGUN, NOON_MS)
        showing = Showing(UUID(int=20), (LINE.int,), NOON_MS, NOON_MS + 600_000)

        viewers.was_served(ALICE.bytes, known, BEGUN, [showing], NOON_MS)

        assert before.shown_ms == {}
        assert known.shown_ms() == {LINE.int: (NOON_MS,)}

    house.run(act)


def test_what_was_shown_weeks_ago_counts_however_much_was_shown_since(house: House) -> None:
    day_ms, other = 86_400_000, UUID(int=77)
    first_ms = NOON_MS - 29 * day_ms
    campaign, advertiser, creative = UUID(int=78), UUID(int=79), UUID(int=80)
    house.is_told(ACCOUNT, ALICE, "18+")
    house.has_shown(UUID(int=1000), at_ms=first_ms, position=1)
    house.was_seen(UUID(int=1000))
    for number in range(1_200):
        decision, at_ms = UUID(int=2000 + number), first_ms + 60_000 * (1 + number)
        ids = (other, campaign, advertiser, creative)
        house.is_told(SHOWN, decision, at_ms, ALICE, *ids, at_ms + 600_000, 2 + number)
        house.is_told(SEEN, decision, other, creative, advertiser, None)

    async def act(viewers: AdViewers) -> None:
        known = await viewers.read(ALICE.bytes, NOON_MS)
        shown = viewers.viewer(known, IOS, BEGUN, NOON_MS).shown_ms
        assert shown[LINE.int] == (first_ms,)
        assert len(shown[other.int]) == 1_200

    house.run(act)
