"""Days of the view log: foreseen, exported, dropped, and read as if they were still there."""

import multiprocessing
import random
import threading
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import polars as pl
import psycopg
import pytest

from domain.viewing.events import SlateServed, VideoViewed
from myriorama.bootstrap.logs import projections, sources
from myriorama.replay.log_verification import verify_logs
from myriorama.replay.streams import Bounds, stream
from myriorama.replay.verification import compare
from myriorama.settings import Settings
from myriorama.store.objects import FolderObjects
from myriorama.store.postgres import Pool
from myriorama.store.view_days import ExportDiffers, ViewDays
from myriorama.store.view_exports import ExportDamaged, dropped_upto
from myriorama.store.view_source import ViewSource
from projections.projection import Recorded
from tests.viewing import DECIDED, append, batch, served

TOPICS = (SlateServed.TOPIC, VideoViewed.TOPIC)
SPAWN = multiprocessing.get_context("spawn")
TODAY = datetime.now(UTC).date()
LAST_DAY = TODAY + timedelta(days=4)
LATER = datetime(LAST_DAY.year, LAST_DAY.month, LAST_DAY.day, 12, tzinfo=UTC) + timedelta(days=60)

CLOCK = """
    CREATE SCHEMA clock;
    CREATE TABLE clock.jump (by interval NOT NULL);
    INSERT INTO clock.jump VALUES (interval '0');
    CREATE FUNCTION clock.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE AS
        $$ SELECT pg_catalog.clock_timestamp() + by FROM clock.jump $$;
    GRANT USAGE ON SCHEMA clock TO PUBLIC;
    GRANT SELECT ON clock.jump TO PUBLIC;
"""

LYING = "SELECT tableoid::regclass::text, count(*) FROM viewings GROUP BY 1"

PARTS = """
    SELECT relname FROM pg_class
    WHERE relname ~ '^(viewings|slates)_(\\d|unforeseen$)' AND relkind = 'r'
    ORDER BY 1
"""


@pytest.fixture
def objects(settings: Settings) -> FolderObjects:
    return FolderObjects(Path(settings.objects))


@pytest.fixture
def source(pool: Pool, objects: FolderObjects) -> ViewSource:
    return ViewSource(pool, objects)


@pytest.fixture
def set_clock(pool: Pool, database_url: str) -> Callable[[int], None]:
    """Let the days of PostgreSQL's clock be others."""
    with pool.connection() as connection:
        connection.execute(CLOCK.encode())
        (name,) = connection.execute("SELECT current_database()").fetchone() or ("",)
        connection.execute(
            f"ALTER DATABASE {name} SET search_path = clock, pg_catalog, public".encode()
        )

    def set_to(days: int) -> None:
        with psycopg.connect(database_url, autocommit=True) as connection:
            connection.execute("UPDATE clock.jump SET by = make_interval(days => %s)", (days,))

    return set_to


@pytest.fixture
def five_days(database_url: str, set_clock: Callable[[int], None]) -> None:
    """Some days of a busy house; on the third, nobody reports."""
    for day in range(5):
        set_clock(day)
        batches = [batch(100 * day + n, views=1 + n % 5) for n in range(9)] if day != 2 else []
        append(
            database_url, batches, [served(n % 4, ranking=(None, DECIDED)[n % 2]) for n in range(7)]
        )


def view_days(settings: Settings, objects: FolderObjects) -> ViewDays:
    ours = [projection.name for projection in projections() if projection.log == "views"]
    kept = timedelta(days=settings.view_days_kept)
    return ViewDays(settings.database_url, objects, projections=ours, kept=kept)


def read(source: ViewSource, limit: int = 11) -> list[Recorded[Any]]:
    """Read the whole log in small windows."""
    events, after = list[Recorded[Any]](), 0
    while (window := source.read(after, limit, TOPICS)).upto > after:
        events += window.events
        after = window.upto
    return events


def project(pool: Pool, source: ViewSource) -> None:
    """Fold the view log to its end, as the projector does."""
    for projection in projections():
        if projection.log == "views":
            with pool.connection() as connection, connection.cursor() as cursor:
                projection.fold_range(0, source.head(), cursor)  # type: ignore[union-attr]  # sets all
                cursor.execute(
                    "INSERT INTO projection_positions (name, position) VALUES (%s, %s)",
                    (projection.name, source.head()),
                )


def exported(pool: Pool) -> Sequence[tuple[date, str, bool]]:
    with pool.connection() as connection:
        rows = connection.execute(
            "SELECT day, log_table, dropped_at IS NOT NULL FROM exported_days ORDER BY 1, 2"
        ).fetchall()
    return [(day, table, dropped) for day, table, dropped in rows]


def parts(pool: Pool) -> list[str]:
    with pool.connection() as connection:
        return [name for (name,) in connection.execute(PARTS).fetchall()]


@pytest.mark.usefixtures("five_days")
def test_a_day_that_was_exported_before_there_were_rankings_has_none(
    pool: Pool, settings: Settings, objects: FolderObjects, source: ViewSource, tmp_path: Path
) -> None:
    project(pool, source)
    before = read(source)
    view_days(settings, objects).tend(LATER)
    for key in [f"exports/slates/{TODAY + timedelta(days=n)}.parquet" for n in range(4)]:
        older = tmp_path / "older.parquet"
        pl.read_parquet(Path(settings.objects) / key).drop("ranking").write_parquet(older)
        objects.put(key, older, media_type="application/vnd.apache.parquet")
        digest = sha256((Path(settings.objects) / key).read_bytes()).hexdigest()
        with pool.connection() as connection:
            connection.execute(
                "UPDATE exported_days SET sha256 = %s WHERE object_key = %s", (digest, key)
            )

    after = read(source)

    assert [recorded.position for recorded in after] == [recorded.position for recorded in before]
    with pool.connection() as connection:
        dropped = dropped_upto(connection)
    assert {getattr(r.event, "ranking", None) for r in after if r.position <= dropped} == {None}
    assert {getattr(r.event, "ranking", None) for r in after} == {None, DECIDED}


@pytest.mark.usefixtures("five_days")
def test_what_was_exported_and_dropped_is_read_as_before(
    pool: Pool, settings: Settings, objects: FolderObjects, source: ViewSource
) -> None:
    project(pool, source)
    before, head = read(source), source.head()
    streamed = [
        [*stream(settings.database_url, objects, log, Bounds())] for log in ("views", "slates")
    ]

    view_days(settings, objects).tend(LATER)

    days = [TODAY + timedelta(days=n) for n in range(4)]
    assert exported(pool) == [
        (day, table, True)
        for day in days
        for table in ("slates", "viewings")
        if (day, table) != (days[2], "viewings")
    ]
    assert read(source) == before
    assert [recorded.position for recorded in before] == list(range(1, head + 1))
    assert source.head() == head
    assert [
        [*stream(settings.database_url, objects, log, Bounds())] for log in ("views", "slates")
    ] == streamed
    first = objects.read(f"exports/viewings/{TODAY}.parquet")
    assert pl.read_parquet(first)["watched_ms"].len() == sum(1 + n % 5 for n in range(9))


@pytest.mark.usefixtures("five_days")
def test_a_stretch_is_replayed_across_what_was_dropped_and_what_was_not(
    pool: Pool, settings: Settings, objects: FolderObjects, source: ViewSource
) -> None:
    project(pool, source)
    url, since = settings.database_url, (TODAY + timedelta(days=1)).isoformat()
    until = (TODAY + timedelta(days=4)).isoformat()
    bounds = [Bounds.parse(since, until), Bounds.parse("40", "90"), Bounds.parse(None, since)]
    before = [[*stream(url, objects, "views", bound)] for bound in bounds]

    view_days(settings, objects).tend(LATER)

    assert all(before)
    assert [[*stream(url, objects, "views", bound)] for bound in bounds] == before


@pytest.mark.usefixtures("five_days")
def test_the_state_is_right_after_a_drop(
    pool: Pool, settings: Settings, objects: FolderObjects, source: ViewSource
) -> None:
    project(pool, source)

    view_days(settings, objects).tend(LATER)

    logs = sources(pool, objects)
    ours = [projection for projection in projections() if projection.log == "views"]
    comparisons = list(compare(settings.database_url, logs, ours))
    tables = [table for projection in ours for table in projection.tables]
    assert [comparison.table for comparison in comparisons] == tables
    assert all(c.equal and c.position == source.head() for c in comparisons)


@pytest.mark.usefixtures("five_days")
def test_the_log_is_whole_before_and_after_a_drop(
    pool: Pool, settings: Settings, objects: FolderObjects, source: ViewSource
) -> None:
    project(pool, source)

    before = {str(sound) for sound in verify_logs(settings.database_url, projections())}
    view_days(settings, objects).tend(LATER)
    after = {str(sound) for sound in verify_logs(settings.database_url, projections())}

    whole = f"views: {source.head()} views and slates, sound"
    assert {"views: 0 exported, sound", whole} < before
    with pool.connection() as connection:
        dropped = dropped_upto(connection)
    assert 0 < dropped < source.head()
    assert {f"views: {dropped} exported, sound", whole} < after


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
def test_what_was_not_stored_as_it_was_written_is_not_dropped(
    pool: Pool, settings: Settings, source: ViewSource, tmp_path: Path
) -> None:
    class Forgetful(FolderObjects):
        """A store that keeps half of what it is given."""

        def put(self, key: str, content: bytes | Path, *, media_type: str) -> None:
            whole = content if isinstance(content, bytes) else content.read_bytes()
            super().put(key, whole[: len(whole) // 2] + bytes(8), media_type=media_type)

    project(pool, source)
    before = read(source)

    with pytest.raises((ExportDiffers, pl.exceptions.ComputeError)):
        view_days(settings, Forgetful(tmp_path / "forgetful")).tend(LATER)

    assert exported(pool) == []
    assert read(source) == before


@pytest.mark.usefixtures("five_days")
def test_an_export_that_was_damaged_is_told_and_not_read(
    pool: Pool, settings: Settings, objects: FolderObjects, source: ViewSource
) -> None:
    project(pool, source)
    view_days(settings, objects).tend(LATER)
    key = f"exports/viewings/{TODAY}.parquet"

    objects.put(key, objects.read(key)[:-1] + b"x", media_type="application/octet-stream")

    with pytest.raises(ExportDamaged):
        source.read(0, 10, TOPICS)


def tend(settings: Settings) -> None:
    """Tend the days in a process of its own."""
    view_days(settings, FolderObjects(Path(settings.objects))).tend(LATER)


@pytest.mark.usefixtures("five_days")
def test_a_tender_that_is_killed_at_any_moment_loses_nothing(
    pool: Pool, settings: Settings, objects: FolderObjects, source: ViewSource
) -> None:
    project(pool, source)
    before, chosen = read(source), random.Random(7)  # noqa: S311 - repeatable, not secret

    for _ in range(8):
        process = SPAWN.Process(target=tend, args=(settings,))
        process.start()
        process.join(timeout=chosen.uniform(1.0, 4.0))
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
