"""Whether the files are what the log says, with their marks, and nothing unmarked has a URL.

Looks at every draft that is still kept and every video that is still shown. Files are read again
from the object store: a long archive takes long.
"""

import re
from collections.abc import Callable, Collection, Iterator
from hashlib import sha256
from typing import NamedTuple
from uuid import UUID

import psycopg
from psycopg import Connection
from psycopg.rows import TupleRow, class_row
from psycopg.sql import SQL, Identifier

from myriorama.store.ladders import read_ladder
from myriorama.store.objects import ObjectNotFound, Objects

KEPT = """
    SELECT g.generation_id, coalesce(v.video_id, g.video_id) AS video_id, p.sha256,
           p.watermark, g.video_key, g.poster_key, g.thumbnail_key, r.sprite_key,
           r.captions_key, v.ladder_key
    FROM generations g
    LEFT JOIN videos v ON v.video_id = g.video_id
    LEFT JOIN provenance p ON p.generation_id = g.generation_id
    LEFT JOIN recipes r ON r.generation_id = g.generation_id
    WHERE g.state = 'completed' AND (g.video_id IS NULL OR v.state = 'live')
      AND g.generation_id > %s
    ORDER BY g.generation_id LIMIT 200
"""

# What is shown is what was made: a video's files are those of its draft.
SWAPPED = """
    SELECT v.video_id FROM videos v JOIN generations g USING (generation_id)
    WHERE v.state = 'live' AND (v.video_key, v.poster_key, v.thumbnail_key)
          IS DISTINCT FROM (g.video_key, g.poster_key, g.thumbnail_key)
    LIMIT 1
"""

KEY_COLUMNS = """
    SELECT c.table_name, c.column_name FROM information_schema.columns c
    JOIN information_schema.tables t USING (table_schema, table_name)
    WHERE c.table_schema = 'public' AND t.table_type = 'BASE TABLE' AND c.data_type = 'text'
      AND c.column_name LIKE '%\\_key' AND c.column_name <> 'idempotency_key'
    ORDER BY c.table_name, c.column_name
"""

UNMARKED = "SELECT {column} FROM {table} WHERE split_part({column}, '/', 1) <> ALL (%s) LIMIT 1"

Missing = Callable[[UUID, str, str, str], str | None]
"""Says what a file lacks, given its generation, key, SHA-256 and watermark in hex digits."""

# For workers, and for the routes of playlists: no row with one is ever made a URL of.
_READ_HERE_ALONE = frozenset({"master_key", "ladder_key"})
_REPORT_EVERY = 25
_DIGEST = re.compile(r"[0-9a-f]{64}")


class MediaBroken(Exception):
    """A file is not there, is another, or lacks a mark; or what has none could be shown."""


class _Kept(NamedTuple):
    generation_id: UUID
    video_id: UUID | None
    sha256: str | None
    watermark: int | None
    video_key: str
    poster_key: str
    thumbnail_key: str
    sprite_key: str | None
    captions_key: str | None
    ladder_key: str | None

    @property
    def name(self) -> str:
        if self.video_id is None:
            return f"draft {self.generation_id}"
        return f"video {self.video_id} (generation {self.generation_id})"


def verify_media(
    url: str, objects: Objects, missing: Missing, *, shown: Collection[str]
) -> Iterator[str]:
    """Look at every file, and yield how far it has come, last of all the sum.

    `shown` are the kinds of objects that may have URLs.

    Raises:
        MediaBroken: the first violation.
    """
    with psycopg.connect(url, autocommit=True) as connection:
        _require_shown(connection, shown)
        row = connection.execute(SWAPPED).fetchone()
        if row:
            raise MediaBroken(f"video {row[0]}: its files are not those of its draft")
        looked, files, after = 0, 0, UUID(int=0)
        while page := _page(connection, after):
            for kept in page:
                files += _look(kept, objects, missing)
                looked += 1
                if looked % _REPORT_EVERY == 0:
                    yield f"{looked} videos and drafts, {files} files so far"
            after = page[-1].generation_id
    yield f"{looked} videos and drafts, {files} files: each there, unchanged and marked"


def _page(connection: Connection[TupleRow], after: UUID) -> list[_Kept]:
    with connection.cursor(row_factory=class_row(_Kept)) as cursor:
        return cursor.execute(KEPT, (after,)).fetchall()


def _require_shown(connection: Connection[TupleRow], shown: Collection[str]) -> None:
    for table, column in connection.execute(KEY_COLUMNS).fetchall():
        if column in _READ_HERE_ALONE:
            continue
        query = SQL(UNMARKED).format(table=Identifier(table), column=Identifier(column))
        row = connection.execute(query, ([*shown, ""],)).fetchone()
        if row:
            raise MediaBroken(f"{table}.{column} names {row[0]}, which may have no URL")


def _look(kept: _Kept, objects: Objects, missing: Missing) -> int:
    """Look at the files of one video; return how many there are."""
    if kept.sha256 is None:
        raise MediaBroken(f"{kept.name}: nothing is recorded of its file")
    watermark = "" if kept.watermark is None else f"{kept.watermark % 2**64:016x}"
    lacks = missing(kept.generation_id, kept.video_key, kept.sha256, watermark)
    if lacks:
        raise MediaBroken(f"{kept.name}: {lacks}")
    named = (kept.poster_key, kept.thumbnail_key, kept.sprite_key, kept.captions_key)
    keys = [key for key in named if key]
    if kept.ladder_key:
        _require_content(kept, kept.ladder_key, objects)
        for rung in read_ladder(objects, kept.ladder_key).rungs:
            keys += [rung.opening_key, *(segment.key for segment in rung.segments)]
    for key in keys:
        _require_content(kept, key, objects)
    return 1 + len(keys)


def _require_content(kept: _Kept, key: str, objects: Objects) -> None:
    """Require that an object is what its key says: keys are made of digests."""
    digest = sha256()
    try:
        for chunk in objects.stream(key):
            digest.update(chunk)
    except ObjectNotFound:
        raise MediaBroken(f"{kept.name}: {key} is not there") from None
    expected = _DIGEST.search(key)
    if expected is None or expected.group() != digest.hexdigest():
        raise MediaBroken(f"{kept.name}: {key} is not what it was")
