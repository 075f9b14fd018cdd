"""What was exported and dropped is read, replayed and verified as if it were still there."""

from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import polars as pl
import pytest

from myriorama.bootstrap.logs import projections, sources
from myriorama.replay.log_verification import verify_logs
from myriorama.replay.streams import Bounds, stream
from myriorama.replay.verification import compare
from myriorama.settings import Settings
from myriorama.store.objects import FolderObjects
from myriorama.store.postgres import Pool
from myriorama.store.view_days import ExportDiffers
from myriorama.store.view_exports import ExportDamaged, dropped_upto
from myriorama.store.view_source import ViewSource
from tests.store.days import LATER, TODAY, TOPICS, exported, project, read, view_days
from tests.viewing import AUCTIONED, DECIDED


@pytest.mark.usefixtures("five_days")
def test_a_day_that_was_exported_before_there_were_rankings_and_ads_has_none(
    pool: Pool, settings: Settings, objects: FolderObjects, source: ViewSource, tmp_path: Path
) -> None:
    project(pool, source)
    before = read(source)
    view_days(settings, objects).tend(LATER)
    for key in [f"exports/slates/{TODAY + timedelta(days=n)}.parquet" for n in range(4)]:
        older = tmp_path / "older.parquet"
        pl.read_parquet(Path(settings.objects) / key).drop("ranking", "ads").write_parquet(older)
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
    for column, text in (("ranking", DECIDED), ("ads", AUCTIONED)):
        assert {getattr(r.event, column, None) for r in after if r.position <= dropped} == {None}
        assert {getattr(r.event, column, None) for r in after} == {None, text}


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
