"""The view log as columns: the same rows as those that are read one by one, here and exported."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import psycopg
import pytest

from domain.viewing.events import SlateServed, VideoViewed
from myriorama.store.objects import FolderObjects
from myriorama.store.postgres import Pool
from myriorama.store.view_columns import ViewColumnSource
from myriorama.store.view_days import ViewDays
from myriorama.store.view_exports import dropped_upto
from myriorama.store.view_source import ViewSource
from tests.viewing import append, batch, served
from tests.workers.test_relay import SERVED_TOMORROW

BOTH = (SlateServed.TOPIC, VideoViewed.TOPIC)


@pytest.mark.parametrize("dropped_days", [0, 1])
def test_columns_tell_what_rows_do(
    database_url: str, pool: Pool, tmp_path: Path, dropped_days: int
) -> None:
    objects = FolderObjects(tmp_path / "objects")
    append(database_url, [batch(n, views=3) for n in range(4)], [served(3), served(0, before=40)])
    with psycopg.connect(database_url) as connection:
        connection.execute(SERVED_TOMORROW)
    rows = ViewSource(pool, objects).read(0, 100, BOTH).events
    days = ViewDays(database_url, objects, projections=(), kept=timedelta(days=2))
    days.tend(datetime.now(UTC) + timedelta(days=2 + dropped_days))
    source, at = ViewColumnSource(pool, objects), 0

    found = list[tuple[object, ...]]()
    while at < source.head():
        columns, at = source.read(at, min(at + 4, source.head()))
        viewed, shown = columns.viewings, columns.slates
        found += zip(
            viewed.position.tolist(),
            viewed.at_ms.tolist(),
            *(map(_id, ids.tolist()) for ids in (viewed.viewer, viewed.video, viewed.decision)),
            viewed.watched_ms.tolist(),
            viewed.loops.tolist(),
            strict=True,
        )
        ends = shown.counts.cumsum().tolist()
        found += [
            (
                position,
                shown.at_ms[n],
                _id(shown.decision[n].tobytes()),
                _id(shown.viewer[n].tobytes()),
                shown.feed[n],
                None if shown.before[n] < 0 else shown.before[n],
                [_id(i) for i in shown.videos[end - shown.counts[n] : end].tolist()],
            )
            for n, (position, end) in enumerate(zip(shown.position.tolist(), ends, strict=True))
        ]

    with psycopg.connect(database_url) as connection:
        assert (dropped_upto(connection) > 0) == bool(dropped_days)
    assert found
    assert sorted(found, key=lambda row: str(row[0]).zfill(9)) == [
        (r.position, int(r.recorded_at.timestamp() * 1e6 + 0.5) // 1000, *_fields(r.event))
        for r in rows
    ]


def _id(packed: bytes) -> UUID:
    return UUID(bytes=packed)


def _fields(event: VideoViewed | SlateServed) -> tuple[object, ...]:
    if isinstance(event, VideoViewed):
        ids = (event.viewer_id, event.video_id, event.decision_id)
        return (*ids, event.watched_ms, event.loops)
    place = (event.decision_id, event.viewer_id, event.feed, event.before)
    return (*place, list(event.video_ids))
