"""A world to measure in: accounts, videos and who follows whom, written straight to the read side.

Reading is measured, so the tables that readers read are filled; the logs stay empty.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, LiteralString
from uuid import UUID

import numpy as np
import psycopg
from numpy.random import Generator
from numpy.typing import NDArray
from psycopg import Connection
from psycopg.rows import TupleRow

ACCOUNTS = """
    COPY accounts (account_id, handle, display_name, bio, age_band, scopes, invitations_left,
                   opened_at, version, position) FROM STDIN
"""

VIDEOS = """
    COPY videos (video_id, author_id, generation_id, caption, visibility, remixable, prompt,
                 cameo_ids, root_id, depth, video_key, poster_key, thumbnail_key, width, height,
                 duration_ms, state, published_at, published_position, version, position) FROM STDIN
"""

RELATIONS = """
    COPY relations (account_id, other_id, follows, blocks, mutes, followed_at, followed_position,
                    position) FROM STDIN
"""

ENGAGEMENT = """
    COPY engagement_counts (video_id, likes, comments, shares, bookmarks, remixes, position)
    FROM STDIN
"""

VIEWS = "COPY view_counts (video_id, views, position) FROM STDIN"

_BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
_FOLLOWED_MEAN = 50
_FOLLOWED_MAX = 2000
_HIDDEN = 3
# Few publish much and are followed by many: popularity falls as a power of the rank.
_SKEW = 0.8
_VISIBILITIES = np.array(["public", "followers", "link"])
_VISIBILITY_SHARES = (0.85, 0.1, 0.05)
_WORDS = ("fox", "owl", "brook", "night", "paper", "city", "rain", "slow", "golden", "dances")


def fill(database_url: str, *, accounts: int, videos: int, seed: int = 7) -> Sequence[UUID]:
    """Fill the read side: the same seed gives the same world. Returns who lives in it."""
    random = np.random.default_rng(seed)
    account_ids = [_id(random) for _ in range(accounts)]
    with psycopg.connect(database_url) as database:
        _copy(database, ACCOUNTS, map(_account, range(accounts), account_ids))
        _fill_videos(database, random, account_ids, videos)
        _fill_relations(database, random, account_ids)
    with psycopg.connect(database_url, autocommit=True) as database:
        database.execute("VACUUM ANALYZE")
    return account_ids


def _fill_videos(
    database: Connection[TupleRow], random: Generator, account_ids: Sequence[UUID], count: int
) -> None:
    authors = random.choice(len(account_ids), count, p=_popularity(len(account_ids), random))
    shown = random.choice(_VISIBILITIES, count, p=_VISIBILITY_SHARES)
    video_ids = [_id(random) for _ in range(count)]
    rows = enumerate(zip(video_ids, authors, shown, strict=True), start=1)
    _copy(
        database,
        VIDEOS,
        (_video(n, i, account_ids[int(by)], str(seen), random) for n, (i, by, seen) in rows),
    )
    counts = [[int(made) for made in row] for row in random.integers(0, 5000, (count, 6))]
    numbered = list(enumerate(zip(video_ids, counts, strict=True), start=1))
    _copy(database, ENGAGEMENT, ((i, *made[:5], n) for n, (i, made) in numbered))
    _copy(database, VIEWS, ((i, made[5] * 9, n) for n, (i, made) in numbered))


def _fill_relations(
    database: Connection[TupleRow], random: Generator, account_ids: Sequence[UUID]
) -> None:
    count = len(account_ids)
    popularity = _popularity(count, random)
    wanted = _FOLLOWED_MEAN / 2 * (random.pareto(2.0, count) + 1)
    follows = np.minimum(wanted.astype(np.int64) + 1, min(_FOLLOWED_MAX, count // 4))

    def rows() -> Iterable[tuple[Any, ...]]:
        position = 0
        for number, account_id in enumerate(account_ids):
            others = _some(random, count, int(follows[number]), popularity) - {number}
            hidden = _some(random, count, _HIDDEN, None) - {number} - others
            for other in others:
                position += 1
                yield account_id, account_ids[other], True, False, False, _BEGAN, position, position
            for other in hidden:
                position += 1
                flags = (False, bool(other % 2), not other % 2)
                yield account_id, account_ids[other], *flags, None, None, position

    _copy(database, RELATIONS, rows())


def _some(
    random: Generator, count: int, size: int, popularity: NDArray[np.float64] | None
) -> set[int]:
    return {int(number) for number in random.choice(count, size, p=popularity)}


def _popularity(count: int, random: Generator) -> NDArray[np.float64]:
    weights: NDArray[np.float64] = np.arange(1, count + 1, dtype=np.float64) ** -_SKEW
    random.shuffle(weights)
    weights /= weights.sum()
    return weights


def _account(number: int, account_id: UUID) -> tuple[Any, ...]:
    handle, scopes = f"account_{number}", ["viewer", "creator"]
    name = f"Account Number {number}"
    return account_id, handle, name, "", "18+", scopes, 5, _BEGAN, 1, number + 1


def _video(
    number: int, video_id: UUID, author_id: UUID, visibility: str, random: Generator
) -> tuple[Any, ...]:
    words = [_WORDS[int(word)] for word in random.integers(0, len(_WORDS), 24)]
    keys = (f"videos/{video_id}/{name}" for name in ("video.mp4", "poster.jpg", "thumbnail.jpg"))
    published = (_BEGAN + timedelta(seconds=number), number, 1, number)
    identity = (video_id, author_id, video_id)
    text = (" ".join(words[:8]), visibility, True, " ".join(words[8:]))
    line = ("{}", video_id, 0)
    return *identity, *text, *line, *keys, 480, 854, 4000, "live", *published


def _copy(
    database: Connection[TupleRow], statement: LiteralString, rows: Iterable[tuple[Any, ...]]
) -> None:
    with database.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)


def _id(random: Generator) -> UUID:
    return UUID(bytes=random.bytes(16), version=4)
