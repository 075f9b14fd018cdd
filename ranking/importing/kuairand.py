"""KuaiRand-Pure as our own: accounts, videos, and what was done in the order of time.

Its files lie in one folder: `users.parquet`, `videos_basic.parquet`, any number of
`exposures_*.parquet` and, if there is one, `history_*.parquet`. What is made of them is folded by
`State` like everything else; how each column is understood stands in docs/ranking.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import polars as pl
from numpy.typing import NDArray

from domain.identity import named
from domain.video.events import VideoPublished
from projections.projection import Recorded
from ranking.catalogue import EMBEDDING_WIDTH
from ranking.deeds import Deeds, Kind
from ranking.signals import LONG_MS
from ranking.state import State

DAY_MS = 86_400_000
LOCAL_MS = 8 * 3_600_000
"""The days of the data are those of Beijing."""

_OPENED = datetime(2022, 4, 25, tzinfo=UTC)
_SIGN = "#tag"  # A hashtag of digits alone is none.
_HISTORY_MS = int(datetime(2022, 4, 9, tzinfo=UTC).timestamp() * 1000) - LOCAL_MS
_UNKNOWN_DURATION_MS = LONG_MS
# Of the history nothing but which watches were long is known: typical shares of what was watched.
_LONG_SHARE, _SHORT_SHARE, _SHORT_MS_MAX = 0.68, 0.08, 9000

_FLAGS = {
    "is_click": Kind.CLICK,
    "is_profile_enter": Kind.PROFILE,
    "is_like": Kind.LIKE,
    "is_comment": Kind.COMMENT,
    "is_forward": Kind.SHARE,
    "is_follow": Kind.FOLLOW_AUTHOR,
    "is_hate": Kind.LESS,
}


class NotImportable(ValueError):
    """The folder does not hold what it should."""


@dataclass(frozen=True, slots=True)
class Exposures:
    """Every logged exposure, in the order of time; accounts and videos by their serials.

    `slate` is the same for what one account was shown on one day. The flags are 0 or 1.
    """

    viewer: NDArray[np.int32]
    video: NDArray[np.int32]
    at_ms: NDArray[np.int64]
    slate: NDArray[np.int64]
    surface: NDArray[np.int8]
    play_ms: NDArray[np.int32]
    duration_ms: NDArray[np.int32]
    long_view: NDArray[np.int8]
    click: NDArray[np.int8]
    like: NDArray[np.int8]
    follow: NDArray[np.int8]
    comment: NDArray[np.int8]
    forward: NDArray[np.int8]
    hate: NDArray[np.int8]

    def __len__(self) -> int:
        return len(self.viewer)


@dataclass(frozen=True, slots=True)
class Imported:
    """What the folder holds. `users` and `videos` are the data's own IDs, by our serials."""

    users: NDArray[np.int64]
    videos: NDArray[np.int64]
    deeds: Deeds
    exposures: Exposures
    _accounts: pl.DataFrame
    _published: Sequence[Recorded[Any]]
    _tags: Sequence[str]

    def state(self) -> State:
        """Return a new state that knows the accounts and the videos, and nothing done yet."""
        tags = Tags(self._tags)
        state = State(tags.embed, tags.topics, topic_count=len(self._tags) + 1)
        for name, opened_ms, *circle in self._accounts.iter_rows():
            following, followers, mutuals = circle
            state.people.open(
                named("kuairand account", name).bytes,
                opened_ms,
                "18+",
                brought=(following, followers, mutuals),
            )
        state.fold_domain(self._published)
        return state

    def before(self, at_ms: int) -> int:
        """Return how many of the deeds were done before a time."""
        return int(np.searchsorted(self.deeds.at_ms, at_ms, side="left"))


class Tags:
    """Meanings of texts that are tags: each tag points elsewhere, and each list is a topic."""

    def __init__(self, lists: Sequence[str]) -> None:
        tags = sorted({tag for each in lists for tag in each.split(",")})
        drawn = np.random.default_rng(0).normal(size=(len(tags), EMBEDDING_WIDTH))
        self._vectors = dict(zip(tags, drawn, strict=True))
        self._topics = np.stack([self._of(each) for each in lists])

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return what each text says by its tags, which follow number signs."""
        lists = (
            ",".join(word.removeprefix(_SIGN) for word in text.split() if word.startswith(_SIGN))
            for text in texts
        )
        return np.stack([self._of(each) for each in lists]).astype(np.float32)

    def topics(self, vectors: NDArray[np.float32]) -> NDArray[np.int32]:
        """Return which list of tags each is, from 1 on."""
        return np.asarray((vectors @ self._topics.T).argmax(axis=1) + 1, np.int32)

    def _of(self, tags: str) -> NDArray[np.float32]:
        known = [self._vectors[tag] for tag in tags.split(",") if tag in self._vectors]
        total = np.sum(known, axis=0) if known else np.zeros(EMBEDDING_WIDTH)
        return np.asarray(total / (np.sqrt((total * total).sum()) or 1.0), np.float32)


def load(folder: Path) -> Imported:
    """Read a folder.

    Raises:
        NotImportable: a file or a column is missing, or an exposure is of nobody or nothing known.
    """
    try:
        users = pl.read_parquet(folder / "users.parquet").sort("user_id")
        videos = pl.read_parquet(folder / "videos_basic.parquet").sort("video_id")
        exposures = _exposures(folder)
        return _imported(users, videos, exposures, _history(folder))
    except (FileNotFoundError, pl.exceptions.PolarsError) as error:
        raise NotImportable(f"{folder} holds no KuaiRand data that can be read: {error}") from error


def _imported(
    users: pl.DataFrame, videos: pl.DataFrame, exposures: pl.DataFrame, history: pl.DataFrame
) -> Imported:
    user_ids = users["user_id"].to_numpy().astype(np.int64)
    video_ids = videos["video_id"].to_numpy().astype(np.int64)
    videos = videos.with_columns(pl.col("tag").fill_null("none"))
    durations_ms = _durations(videos)
    table = _table(exposures, user_ids, video_ids, durations_ms)
    shown = _shown(exposures, table)
    watched_before = _watched_before(history, user_ids, video_ids, durations_ms)
    deeds = Deeds.joined([*watched_before, *shown])
    order = np.argsort(deeds.at_ms, kind="stable")
    return Imported(
        user_ids,
        video_ids,
        deeds.take(order),
        table,
        _accounts(users, videos),
        [*_published(videos, durations_ms)],
        sorted(videos["tag"].unique().to_list()),
    )


def _exposures(folder: Path) -> pl.DataFrame:
    paths = sorted(folder.glob("exposures_*.parquet"))
    if not paths:
        raise FileNotFoundError("exposures_*.parquet")
    return pl.concat([pl.read_parquet(path) for path in paths]).sort("time_ms", maintain_order=True)


def _history(folder: Path) -> pl.DataFrame:
    paths = sorted(folder.glob("history_*.parquet"))
    numbers = [(name, pl.Int64()) for name in ("user_id", "history_len", "last_time_ms")]
    whole = pl.DataFrame(schema=[*numbers, *((name, pl.List(pl.Int64)) for name in _SEQUENCES)])
    return pl.concat([pl.read_parquet(path).select(whole.columns) for path in paths] or [whole])


_SEQUENCES = ("watch_seq", "like_seq", "long_watch_seq")


def _serials(ids: NDArray[Any], known: NDArray[np.int64]) -> NDArray[np.int32]:
    places = np.minimum(np.searchsorted(known, ids), len(known) - 1)
    if (known[places] != ids).any():
        raise NotImportable("somebody was shown, or something, of which there is no row")
    return places.astype(np.int32)


def _durations(videos: pl.DataFrame) -> NDArray[np.int32]:
    known = videos["video_duration"].fill_null(0).to_numpy()
    return np.where(known > 0, known, _UNKNOWN_DURATION_MS).astype(np.int32)


def _accounts(users: pl.DataFrame, videos: pl.DataFrame) -> pl.DataFrame:
    """Return the accounts by their serials: those who watch, then those who publish."""
    opened_ms = int(_OPENED.timestamp() * 1000)
    viewers = users.select(
        pl.format("viewer {}", "user_id").alias("name"),
        (opened_ms - pl.col("register_days").cast(pl.Int64) * DAY_MS).alias("opened_ms"),
        pl.col("follow_user_num").cast(pl.Int64),
        pl.col("fans_user_num").cast(pl.Int64),
        pl.col("friend_user_num").cast(pl.Int64),
    )
    authors = videos.select(
        pl.format("author {}", "author_id").alias("name"),
        pl.lit(_HISTORY_MS, pl.Int64).alias("opened_ms"),
        *(pl.lit(0, pl.Int64).alias(name) for name in viewers.columns[2:]),
    ).unique(maintain_order=True)
    return pl.concat([viewers, authors])


def _published(videos: pl.DataFrame, durations_ms: NDArray[np.int32]) -> Sequence[Recorded[Any]]:
    columns = ("video_id", "author_id", "upload_dt", "tag", "server_width", "server_height")
    rows = videos.select(columns).iter_rows()
    events: list[Recorded[Any]] = []
    for place, (video, author, uploaded, tags, width, height) in enumerate(rows):
        at = datetime.fromisoformat(uploaded).replace(tzinfo=UTC) - timedelta(milliseconds=LOCAL_MS)
        event = VideoPublished(
            originator_id=named("kuairand video", video),
            originator_version=1,
            timestamp=at,
            originator_topic="",
            author_id=named("kuairand account", f"author {author}"),
            generation_id=UUID(int=0),
            caption=" ".join(f"{_SIGN}{tag}" for tag in tags.split(",")),
            visibility="public",
            remixable=True,
            prompt="",
            cameo_ids=(),
            remix_of=None,
            root_id=named("kuairand video", video),
            depth=0,
            video_key="",
            poster_key="",
            thumbnail_key="",
            width=int(width or 0),
            height=int(height or 0),
            duration_ms=int(durations_ms[place]),
        )
        events.append(Recorded(place + 1, at, event))
    return events


def _table(
    exposures: pl.DataFrame,
    users: NDArray[np.int64],
    videos: NDArray[np.int64],
    durations_ms: NDArray[np.int32],
) -> Exposures:
    at_ms = exposures["time_ms"].to_numpy().astype(np.int64)
    viewer = _serials(exposures["user_id"].to_numpy(), users)
    video = _serials(exposures["video_id"].to_numpy(), videos)
    days = (at_ms + LOCAL_MS) // DAY_MS

    def flags(name: str) -> NDArray[np.int8]:
        return exposures[name].to_numpy().astype(np.int8)

    return Exposures(
        viewer=viewer,
        video=video,
        at_ms=at_ms,
        slate=viewer.astype(np.int64) * 100_000 + days,
        surface=flags("tab"),
        play_ms=exposures["play_time_ms"].to_numpy().clip(0).astype(np.int32),
        duration_ms=durations_ms[video],
        long_view=flags("long_view"),
        click=flags("is_click"),
        like=flags("is_like"),
        follow=flags("is_follow"),
        comment=flags("is_comment"),
        forward=flags("is_forward"),
        hate=flags("is_hate"),
    )


def _shown(exposures: pl.DataFrame, table: Exposures) -> Sequence[Deeds]:
    """Return what was done at the exposures: shown at once, and the rest when it was watched."""
    watched_ms = table.at_ms + table.play_ms
    everything = np.arange(len(table))
    impressions = _deeds(table, everything, Kind.IMPRESSION, table.at_ms)
    watches = _deeds(table, everything, Kind.WATCH, watched_ms)
    watches.value[:] = table.play_ms
    watches.extra[:] = table.play_ms // np.maximum(table.duration_ms, 1)
    others = [
        _deeds(table, np.flatnonzero(exposures[flag].to_numpy() > 0), kind, watched_ms)
        for flag, kind in _FLAGS.items()
    ]
    return [impressions, watches, *others]


def _deeds(
    table: Exposures, rows: NDArray[np.int64], kind: Kind, at_ms: NDArray[np.int64]
) -> Deeds:
    deeds = Deeds.empty(len(rows))
    deeds.kind[:] = kind
    deeds.at_ms[:] = at_ms[rows]
    deeds.viewer[:] = table.viewer[rows]
    deeds.video[:] = table.video[rows]
    deeds.surface[:] = table.surface[rows]
    return deeds


def _watched_before(
    history: pl.DataFrame,
    users: NDArray[np.int64],
    videos: NDArray[np.int64],
    durations_ms: NDArray[np.int32],
) -> Sequence[Deeds]:
    """Return what the history tells: its times are not known, and spread evenly up to the last."""
    if not len(history):
        return []
    rows = (
        history.select("user_id", "history_len", "last_time_ms", video=pl.col("watch_seq"))
        .with_columns(kept=pl.col("video").list.len())
        .explode("video")
        .drop_nulls("video")
        .with_columns(
            place=pl.int_range(pl.len()).over("user_id"),
            again=pl.int_range(pl.len()).over("user_id", "video"),
        )
    )
    for name in ("like_seq", "long_watch_seq"):
        told = history.select("user_id", video=pl.col(name)).explode("video").drop_nulls("video")
        told = told.group_by("user_id", "video").agg(pl.len().alias(name))
        rows = rows.join(told, on=["user_id", "video"], how="left", maintain_order="left")
    last_ms = rows["last_time_ms"].to_numpy()
    step_ms = (last_ms - _HISTORY_MS) / np.maximum(rows["history_len"].to_numpy(), 1)
    back = rows["kept"].to_numpy() - 1 - rows["place"].to_numpy()
    at_ms = (last_ms - back * np.maximum(step_ms, 0)).astype(np.int64)
    again = rows["again"].to_numpy()
    is_long = again < rows["long_watch_seq"].fill_null(0).to_numpy()
    is_liked = again < rows["like_seq"].fill_null(0).to_numpy()
    video = _serials(rows["video"].to_numpy(), videos)
    duration_ms = durations_ms[video]
    long_ms = np.maximum(np.minimum(duration_ms, LONG_MS), _LONG_SHARE * duration_ms)
    short_ms = np.minimum(_SHORT_SHARE * duration_ms, _SHORT_MS_MAX)
    shown = Deeds.empty(len(rows))
    shown.at_ms[:] = at_ms
    shown.viewer[:] = _serials(rows["user_id"].to_numpy(), users)
    shown.video[:] = video
    shown.surface[:] = 1
    watches = shown.of_kind(Kind.WATCH)
    watches.value[:] = np.where(is_long, long_ms, short_ms)
    clicks = shown.take(np.flatnonzero(is_long)).of_kind(Kind.CLICK)
    likes = shown.take(np.flatnonzero(is_liked)).of_kind(Kind.LIKE)
    return [_forgotten(history, users), shown, watches, clicks, likes]


def _forgotten(history: pl.DataFrame, users: NDArray[np.int64]) -> Deeds:
    """Return the exposures of which the history keeps nothing but their number."""
    lost = np.maximum(
        history["history_len"].to_numpy() - history["watch_seq"].list.len().to_numpy(), 0
    )
    rows = np.repeat(np.arange(len(history)), lost)
    place = np.arange(len(rows)) - np.repeat(np.cumsum(lost) - lost, lost)
    last_ms = history["last_time_ms"].to_numpy()[rows]
    step_ms = (last_ms - _HISTORY_MS) / np.maximum(history["history_len"].to_numpy()[rows], 1)
    deeds = Deeds.empty(len(rows))
    deeds.at_ms[:] = _HISTORY_MS + place * np.maximum(step_ms, 0)
    deeds.viewer[:] = _serials(history["user_id"].to_numpy()[rows], users)
    deeds.surface[:] = 1
    return deeds
