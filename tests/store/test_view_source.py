"""The view log as those read it who follow it by position."""

from pathlib import Path
from uuid import UUID

import psycopg
import pytest

from domain.viewing.events import SlateServed, VideoViewed
from myriorama.store.objects import FolderObjects
from myriorama.store.postgres import Pool
from myriorama.store.view_source import ViewSource
from projections.projection import Window
from tests.viewing import append, batch, served

VIEWED, SERVED = VideoViewed.TOPIC, SlateServed.TOPIC
COUNT = "SELECT (SELECT count(*) FROM viewings), (SELECT count(*) FROM slates)"


@pytest.fixture
def source(pool: Pool, tmp_path: Path) -> ViewSource:
    return ViewSource(pool, FolderObjects(tmp_path))


def test_an_empty_log_has_no_head(source: ViewSource) -> None:
    assert source.head() == 0
    assert source.read(0, 10, [VIEWED, SERVED]) == Window([], 0)


def test_what_was_watched_and_what_was_served_come_in_one_order(
    database_url: str, source: ViewSource
) -> None:
    for n in range(3):
        append(database_url, [batch(n, views=2)], [served()])

    window = source.read(2, 5, [VIEWED, SERVED])

    assert [recorded.position for recorded in window.events] == [3, 4, 5, 6, 7]
    assert window.upto == 7
    topics = [recorded.event.TOPIC for recorded in source.read(0, 100, [VIEWED, SERVED]).events]
    assert sorted(topics) == [SERVED] * 3 + [VIEWED] * 6


def test_what_nobody_asks_for_is_passed_over(database_url: str, source: ViewSource) -> None:
    append(database_url, [batch()], [served(), served()])

    (slates, upto), (nothing, end) = (
        source.read(0, 10, topics)[:2] for topics in ([SERVED], ["account.opened"])
    )

    assert [type(recorded.event) for recorded in slates] == [SlateServed, SlateServed]
    assert (upto, nothing, end) == (5, [], 5)


def test_a_window_ends_at_its_limit_whatever_is_in_it(
    database_url: str, source: ViewSource
) -> None:
    append(database_url, [batch(views=40)])

    assert source.read(0, 7, [SERVED]) == Window([], 7)
    assert source.read(38, 7, [SERVED]) == Window([], 40)
    assert source.read(40, 7, [VIEWED]) == Window([], 40)


def test_days_that_are_here_are_read_where_they_are(database_url: str, source: ViewSource) -> None:
    append(database_url, [batch()], [served()])

    with psycopg.connect(database_url) as reader, reader.cursor() as cursor:
        source.stage(cursor, 0, 2)

        assert cursor.execute(COUNT).fetchone() == (3, 1)
        assert cursor.execute("SELECT to_regclass('pg_temp.viewings')").fetchone() == (None,)


def test_ids_are_ids_again(database_url: str, source: ViewSource) -> None:
    page = served(1)
    append(database_url, [], [page])

    (recorded,) = source.read(0, 1, [SERVED]).events

    assert recorded.event.video_ids == (UUID(bytes=page.video_ids[0]),)
