"""A projection is rebuilt while it is read and written, and nobody who reads it notices."""

from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from functools import partial
from itertools import count
from uuid import UUID

import psycopg
import pytest
from psycopg import Connection
from psycopg.rows import TupleRow

from myriorama.settings import Settings
from myriorama.store.log import Log
from projections.accounts import Accounts
from projections.engagement_counts import EngagementCounts
from projections.relations import Relations
from projections.videos import Videos
from projections.view_counts import ViewCounts
from tests.api.test_feed import settle as settle_api
from tests.people import Person
from tests.publishing import publish
from tests.replay.rebuilds import (
    ALICE,
    Crowd,
    all_equal,
    change,
    is_swapped,
    rebuilt,
    rolled_back,
    rows,
    settle,
    settle_views,
)
from tests.viewing import append, batch

OK = 200

# In one snapshot, there is a row for every event up to the position.
COMPLETE = """
    SELECT (SELECT count(*) FROM videos), (SELECT count(*) FROM visible_videos(NULL)),
           (SELECT count(*) FROM events e
            WHERE e.topic = 'video.published' AND e.position <= p.position)
    FROM projection_positions p WHERE p.name = 'videos'
"""

# Such a function reads with the snapshot of the statement, but looks for its table when it is run.
COUNT = """
    CREATE FUNCTION how_many() RETURNS bigint LANGUAGE sql STABLE AS 'SELECT count(*) FROM videos'
"""

COMPLETE_LATER = """
    SELECT how_many(), (SELECT count(*) FROM events e
                        WHERE e.topic = 'video.published' AND e.position <= p.position)
    FROM (SELECT position, pg_sleep(0.01) FROM projection_positions WHERE name = 'videos' OFFSET 0)
        AS p
"""

VIEWED = """
    SELECT (SELECT sum(views) FROM view_counts), (SELECT count(*) FROM counted_views),
           (SELECT count(DISTINCT (viewer_id, decision_id, video_id)) FROM viewings v
            WHERE v.position <= p.position)
    FROM projection_positions p WHERE p.name = 'view_counts'
"""

NAMES = """
    SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'
    UNION ALL
    SELECT conname, conrelid::regclass::text FROM pg_constraint
    WHERE connamespace = 'public'::regnamespace
    ORDER BY 1, 2
"""


Act = Callable[[Connection[TupleRow]], str | None]


def sees_all(connection: Connection[TupleRow]) -> str | None:
    held, visible, published = connection.execute(COMPLETE).fetchone() or (0, 0, 0)
    return None if held == visible == published else f"{held} or {visible} of {published}"


def sees_all_later(connection: Connection[TupleRow]) -> str | None:
    held, published = connection.execute(COMPLETE_LATER).fetchone() or (0, 0)
    return None if held == published else f"a function saw {held} of {published}"


def sees_all_in_one_snapshot(connection: Connection[TupleRow]) -> str | None:
    with connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        connection.execute("SELECT pg_sleep(0.005) FROM projection_positions LIMIT 1")
        return sees_all(connection)


def sees_all_views(connection: Connection[TupleRow]) -> str | None:
    counted, shown, viewed = connection.execute(VIEWED).fetchone() or (0, 0, 0)
    return None if counted == shown == viewed else f"{counted}, {shown} of {viewed} views"


@contextmanager
def connected(settings: Settings) -> Generator[Callable[[Act], Callable[[], str | None]]]:
    """Give acts a connection each, on which every statement is prepared."""
    with ExitStack() as stack:

        def on_its_own(act: Act) -> Callable[[], str | None]:
            connection = psycopg.connect(
                settings.database_url, autocommit=True, prepare_threshold=0
            )
            return partial(act, stack.enter_context(connection))

        yield on_its_own


def publish_one(log: Log, author_id: UUID) -> None:
    publish(log, author_id)


@pytest.mark.usefixtures("projecting")
def test_a_rebuild_under_load_fails_no_read_and_hides_no_row(settings: Settings, log: Log) -> None:
    change(settings, COUNT)
    names = rows(settings, NAMES)
    for _ in range(200):
        publish(log, ALICE)
    settle(settings)

    with connected(settings) as on_its_own:
        crowd = Crowd()
        for act in (sees_all, sees_all, sees_all_later, sees_all_in_one_snapshot):
            crowd.add(on_its_own(act))
        crowd.add(partial(publish_one, log, ALICE))
        with crowd.at_it():
            runs = [rebuilt(settings, Videos()) for _ in range(4)]

    assert crowd.failures == []
    assert next(crowd.done) > 100
    assert all(is_swapped(steps) and all_equal(steps) for steps in runs)
    video = publish(log, ALICE)
    settle(settings)
    ((held, visible, published),) = rows(settings, COMPLETE)
    assert held == visible == published
    assert (video.id,) in rows(settings, "SELECT video_id FROM videos")
    assert (video.id,) not in rows(settings, "SELECT video_id FROM videos_retired.videos")
    assert rows(settings, NAMES) == names


@pytest.mark.usefixtures("projecting")
def test_a_projection_of_the_view_log_is_rebuilt_while_views_come_in(settings: Settings) -> None:
    numbers = count()

    def report() -> None:
        append(settings.database_url, [batch(next(numbers)) for _ in range(20)])

    report()
    settle_views(settings)
    with connected(settings) as on_its_own:
        crowd = Crowd()
        crowd.add(on_its_own(sees_all_views))
        crowd.add(report)
        with crowd.at_it():
            runs = [rebuilt(settings, ViewCounts()) for _ in range(3)]

    assert crowd.failures == []
    assert all(is_swapped(steps) and all_equal(steps) for steps in runs)
    settle_views(settings)
    ((counted, shown, viewed),) = rows(settings, VIEWED)
    assert counted == shown == viewed == 3 * next(numbers)


def test_the_api_answers_all_the_time(
    person: Callable[[str], Person], settings: Settings, log: Log
) -> None:
    alice, bob = person("alice"), person("bob")
    videos = [publish(log, alice.account_id) for _ in range(20)]
    settle_api(bob)
    crowd = Crowd()

    def reads(url: str) -> str | None:
        answer = bob.get(url)
        if answer.status_code != OK:
            return f"{url}: {answer.status_code} {answer.text}"
        items = answer.json().get("items")
        return None if items is None or len(items) >= len(videos) else f"{url}: {len(items)} items"

    def follows() -> str | None:
        answers = [act("/v1/accounts/alice/follow") for act in (bob.put, bob.delete)]
        return next((answer.text for answer in answers if answer.is_error), None)

    for url in (
        "/v1/feed?kind=latest&limit=100",
        f"/v1/videos/{videos[0].id}",
        "/v1/accounts/alice/videos?limit=100",
        "/v1/accounts/alice",
    ):
        crowd.add(partial(reads, url))
    crowd.add(follows)
    crowd.add(partial(publish_one, log, alice.account_id))
    with crowd.at_it():
        kinds = (Videos(), Accounts(), Relations(), EngagementCounts())
        runs = [rebuilt(settings, projection) for projection in kinds]

    assert crowd.failures == []
    assert next(crowd.done) > 100
    assert all(is_swapped(steps) and all_equal(steps) for steps in runs)


def test_what_the_api_keeps_in_memory_changes_with_the_tables(
    person: Callable[[str], Person], settings: Settings, log: Log
) -> None:
    alice, bob = person("alice"), person("bob")
    publish(log, alice.account_id, "as it was told")
    gone = publish(log, alice.account_id, "another")
    settle_api(bob)
    rebuilt(settings, Videos())
    with psycopg.connect(settings.database_url) as database:
        database.execute("UPDATE videos_retired.videos SET caption = 'as it was folded'")
        database.execute("DELETE FROM videos_retired.videos WHERE video_id = %s", (gone.id,))

    def captions() -> list[str]:
        page = bob.get("/v1/feed", params={"kind": "latest"}).json()
        return [item["caption"] for item in page["items"]]

    def come_to_be(expected: list[str]) -> bool:
        return any(captions() == expected for _ in range(500))

    assert captions() == ["another", "as it was told"]
    rolled_back(settings, Videos())
    assert come_to_be(["as it was folded"])
    rolled_back(settings, Videos())
    assert come_to_be(["another", "as it was told"])
