"""Days of the view log: foreseen, kept as long as they are wanted, dropped, and by whom."""

import random
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from myriorama.settings import Settings
from myriorama.store.objects import FolderObjects
from myriorama.store.postgres import Pool
from myriorama.store.view_days import ViewDays
from myriorama.store.view_source import ViewSource
from tests.forking import FORKED
from tests.store.days import LATER, TODAY, exported, parts, project, read, tend, view_days
from tests.viewing import append, batch, served

LYING = "SELECT tableoid::regclass::text, count(*) FROM viewings GROUP BY 1"


@pytest.mark.usefixtures("five_days")
def test_a_day_that_is_dropped_during_a_verification_is_not_missed(
    pool: Pool, settings: Settings, objects: FolderObjects, source: ViewSource
) -> None:
    project(pool, source)

    with psycopg.connect(settings.database_url) as reader, reader.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        cursor.execute("SELECT 1")
        view_days(settings, objects).tend(LATER)
        source.stage(cursor, 0, source.head())
        seen = cursor.execute("SELECT count(*) FROM viewings").fetchone()
        source.stage(cursor, source.head() - 3, source.head())
        live = cursor.execute("SELECT to_regclass('pg_temp.viewings')").fetchone()

    assert seen == (4 * sum(1 + n % 5 for n in range(9)),)
    assert live == (None,)


@pytest.mark.usefixtures("five_days")
def test_who_reads_holds_the_days_until_the_transaction_ends(
    pool: Pool, settings: Settings, objects: FolderObjects, source: ViewSource
) -> None:
    project(pool, source)
    days = view_days(settings, objects)

    with psycopg.connect(settings.database_url) as reader, reader.cursor() as cursor:
        source.stage(cursor, 0, source.head())
        days.tend(LATER)
        assert not any(dropped for *_, dropped in exported(pool))
    days.tend(LATER)

    assert all(dropped for *_, dropped in exported(pool))


@pytest.mark.usefixtures("five_days")
def test_no_day_is_dropped_before_every_projection_has_passed_it(
    pool: Pool, settings: Settings, objects: FolderObjects, source: ViewSource
) -> None:
    days = view_days(settings, objects)

    days.tend(LATER)
    assert [dropped for *_, dropped in exported(pool)] == [False, False]
    project(pool, source)
    days.tend(LATER)

    assert all(dropped for *_, dropped in exported(pool))


@pytest.mark.usefixtures("five_days")
def test_a_day_stays_as_long_as_it_is_kept_and_until_the_next_has_begun(
    pool: Pool, settings: Settings, objects: FolderObjects, source: ViewSource
) -> None:
    project(pool, source)
    days = view_days(settings, objects)
    midnight = datetime(TODAY.year, TODAY.month, TODAY.day, tzinfo=UTC)

    days.tend(midnight + timedelta(days=1 + settings.view_days_kept, seconds=-1))
    assert exported(pool) == []
    days.tend(midnight + timedelta(days=1 + settings.view_days_kept))
    assert {day for day, *_ in exported(pool)} == {TODAY}
    days.tend(LATER + timedelta(days=1000))

    assert {day for day, *_ in exported(pool)} == {TODAY + timedelta(days=n) for n in range(4)}


@pytest.mark.usefixtures("five_days")
def test_a_tender_that_is_killed_at_any_moment_loses_nothing(
    pool: Pool, settings: Settings, objects: FolderObjects, source: ViewSource
) -> None:
    project(pool, source)
    before, chosen = read(source), random.Random(7)  # noqa: S311 - repeatable, not secret

    for _ in range(8):
        process = FORKED.Process(target=tend, args=(settings,))
        process.start()
        process.join(timeout=chosen.uniform(0.0, 0.6))
        process.kill()
        process.join()
        assert read(source) == before
    for _ in range(1000):  # until the server has noticed that the last one is gone
        view_days(settings, objects).tend(LATER)
        if len(exported(pool)) == 7 and all(dropped for *_, dropped in exported(pool)):
            break

    assert read(source) == before
    assert all(dropped for *_, dropped in exported(pool))
    assert len(exported(pool)) == 7


def test_days_are_made_ahead(pool: Pool, settings: Settings, objects: FolderObjects) -> None:
    noon = datetime(2031, 2, 27, 12, tzinfo=UTC)

    for _ in range(2):
        view_days(settings, objects).tend(noon)

    made = [f"viewings_2031{day}" for day in ("0227", "0228", "0301", "0302")]
    assert [name for name in parts(pool) if name.startswith("viewings_2031")] == made


def test_days_that_nobody_foresaw_become_tables_of_their_own(
    pool: Pool, settings: Settings, set_clock: Callable[[int], None], objects: FolderObjects
) -> None:
    source, database_url = ViewSource(pool, objects), settings.database_url
    for n, day in enumerate((0, 9, 11, 11)):
        set_clock(day)
        append(database_url, [batch(n)], [served()])
    before = read(source)
    seen_from = datetime.now(UTC) + timedelta(days=11)

    view_days(settings, objects).tend(seen_from)
    append(database_url, [batch(9)])

    assert read(source)[: len(before)] == before
    names = parts(pool)
    of_both = f"viewings_{TODAY + timedelta(days=9):%Y%m%d}"
    assert of_both in names
    assert f"viewings_{TODAY + timedelta(days=11):%Y%m%d}" not in names
    with pool.connection() as connection:
        lying = {table: rows for table, rows in connection.execute(LYING).fetchall()}  # noqa: C416 - typed
    assert lying[of_both] == 12
    assert "viewings_unforeseen" not in lying


def test_what_can_no_longer_be_sent_again_is_forgotten(
    pool: Pool, settings: Settings, set_clock: Callable[[int], None], objects: FolderObjects
) -> None:
    source, database_url = ViewSource(pool, objects), settings.database_url
    append(database_url, [batch(0)])
    set_clock(3)
    append(database_url, [batch(1)])

    view_days(settings, objects).tend(datetime.now(UTC) + timedelta(days=3))

    with pool.connection() as connection:
        batches = connection.execute("SELECT sequence FROM viewing_batches").fetchall()
        appends = connection.execute("SELECT last_position FROM view_appends").fetchall()
    assert batches == [(1,)]
    assert appends == [(source.head(),)]
    view_days(settings, objects).tend(datetime.now(UTC) + timedelta(days=30))
    assert source.head() == 6
    assert append(database_url, [batch(2)])[0].duplicate is False
    assert [recorded.position for recorded in read(source)] == list(range(1, 10))


@pytest.mark.usefixtures("five_days")
def test_days_are_tended_aside_and_what_goes_wrong_there_stops_nobody(
    pool: Pool, settings: Settings, objects: FolderObjects, source: ViewSource
) -> None:
    project(pool, source)
    away = ViewDays("host=/nowhere", objects, projections=[], kept=timedelta(days=30))

    for days in (away, view_days(settings, objects)):
        days.tend_aside(LATER)
        days.tend_aside(LATER)
        for thread in threading.enumerate():
            if thread.name == "view days":
                thread.join()

    assert all(dropped for *_, dropped in exported(pool))
