"""KuaiRand's files become our own deeds."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from ranking.deeds import Kind
from ranking.importing.kuairand import NotImportable, load
from ranking.signals import Signal

NOON_MS = int(datetime(2022, 4, 25, 4, tzinfo=UTC).timestamp() * 1000)
ALICE, BOB = 0, 1
SHORT, LONG = 0, 1
FLAGS = ("click", "like", "follow", "comment", "forward", "hate")


def exposure(viewer: int, video: int, at_ms: int, play_ms: int, **flags: int) -> dict[str, int]:
    """Return a row as the files have it."""
    return {
        "user_id": viewer,
        "video_id": video,
        "time_ms": at_ms,
        "play_time_ms": play_ms,
        "long_view": flags.pop("long_view", 0),
        "is_profile_enter": 0,
        "tab": 1,
        **{f"is_{name}": flags.get(name, 0) for name in FLAGS},
    }


def write(folder: Path, name: str, *rows: dict[str, int]) -> None:
    pl.DataFrame(rows).write_parquet(folder / f"{name}.parquet")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    users = {
        "user_id": [ALICE, BOB],
        "register_days": [10, 700],
        "follow_user_num": [3, 40],
        "fans_user_num": [0, 9],
        "friend_user_num": [0, 2],
    }
    videos = {
        "video_id": [SHORT, LONG],
        "author_id": [70, 71],
        "upload_dt": ["2022-04-10", "2022-04-11"],
        "video_duration": [8000.0, None],
        "server_width": [720.0, None],
        "server_height": [1280.0, 720.0],
        "tag": ["3,9", None],
    }
    history = {
        "user_id": [BOB],
        "history_len": [4],
        "last_time_ms": [NOON_MS - 86_400_000],
        "watch_seq": [[LONG, SHORT, SHORT]],
        "like_seq": [[SHORT]],
        "long_watch_seq": [[SHORT]],
    }
    pl.DataFrame(users).write_parquet(tmp_path / "users.parquet")
    pl.DataFrame(videos).write_parquet(tmp_path / "videos_basic.parquet")
    pl.DataFrame(history).write_parquet(tmp_path / "history_tail50.parquet")
    first = exposure(ALICE, SHORT, NOON_MS, 8100, long_view=1, like=1, follow=1)
    write(tmp_path, "exposures_1", first)
    second = exposure(ALICE, LONG, NOON_MS + 60_000, 500, hate=1)
    write(tmp_path, "exposures_2", second, exposure(BOB, SHORT, NOON_MS - 1, 0))
    return tmp_path


def test_exposures_of_all_files_are_read_in_the_order_of_time(folder: Path) -> None:
    imported = load(folder)

    shown = imported.exposures
    assert shown.at_ms.tolist() == [NOON_MS - 1, NOON_MS, NOON_MS + 60_000]
    assert shown.viewer.tolist() == [BOB, ALICE, ALICE]
    assert shown.slate[1] == shown.slate[2] != shown.slate[0]
    assert (np.diff(imported.deeds.at_ms) >= 0).all()


def test_what_was_done_is_folded_like_all_else(folder: Path) -> None:
    imported = load(folder)
    state = imported.state()

    state.fold(imported.deeds)

    counts = state.counts.video
    assert counts.total(Signal.WATCHES)[[SHORT, LONG]].tolist() == [4, 2]
    assert counts.total(Signal.LONG_WATCHES)[[SHORT, LONG]].tolist() == [2, 0]
    assert counts.total(Signal.LIKES)[[SHORT, LONG]].tolist() == [2, 0]
    assert counts.total(Signal.LESS)[[SHORT, LONG]].tolist() == [0, 1]
    author = int(state.videos.author[SHORT])
    assert state.counts.author.total(Signal.FOLLOWS)[author] == 1
    assert state.counts.viewer.total(Signal.IMPRESSIONS)[[ALICE, BOB]].tolist() == [2, 5]
    assert state.people.circle[BOB].tolist() == [40, 9, 2]


def test_nothing_is_known_before_it_was_watched(folder: Path) -> None:
    imported = load(folder)
    state = imported.state()

    state.fold(imported.deeds.take(slice(0, imported.before(NOON_MS + 8100))))

    assert state.counts.viewer.total(Signal.IMPRESSIONS)[ALICE] == 1
    assert state.counts.viewer.total(Signal.WATCHES)[ALICE] == 0


def test_tags_are_topics(folder: Path) -> None:
    state = load(folder).state()

    assert state.videos.topic[SHORT] != state.videos.topic[LONG]
    assert state.videos.hashtags(SHORT) == ("tag3", "tag9")
    assert state.videos.duration_ms.tolist() == [8000, 18_000]


def test_a_history_is_not_needed(folder: Path) -> None:
    (folder / "history_tail50.parquet").unlink()

    deeds = load(folder).deeds

    assert (deeds.kind == Kind.WATCH).sum() == 3


def test_a_folder_without_exposures_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotImportable):
        load(tmp_path)


def test_an_exposure_of_an_unknown_video_is_refused(folder: Path) -> None:
    write(folder, "exposures_3", exposure(ALICE, 99, NOON_MS, 0))

    with pytest.raises(NotImportable, match="no row"):
        load(folder)
