"""Retrieval is measured on files: here on those of two crowds that watch nothing alike."""

from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from myriorama.bench import ranking
from myriorama.bench.outcome import FilesUnreadable

pytest.importorskip("sklearn")

FIRST_MS = int(datetime(2022, 4, 24, 20, tzinfo=UTC).timestamp() * 1000)
DAY_MS = 86_400_000
TEST_FROM = date(2022, 5, 3)
CROWD, LIKED_BY_EACH, DAYS = 20, 40, 12
FLAGS = ("click", "like", "follow", "comment", "forward", "hate", "profile_enter")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    viewers, videos = 2 * CROWD, 2 * LIKED_BY_EACH
    chance = np.random.default_rng(1)
    numbers = pl.DataFrame({"user_id": np.arange(viewers)})
    people = ("register_days", "follow_user_num", "fans_user_num", "friend_user_num")
    numbers.with_columns(*(pl.lit(1).alias(name) for name in people)).write_parquet(
        tmp_path / "users.parquet"
    )
    pl.DataFrame({"video_id": np.arange(videos), "author_id": np.arange(videos) // 4}).with_columns(
        upload_dt=pl.lit("2022-04-10"),
        video_duration=pl.lit(12_000.0),
        server_width=pl.lit(720.0),
        server_height=pl.lit(1280.0),
        tag=pl.lit("3"),
    ).write_parquet(tmp_path / "videos_basic.parquet")
    for day in range(DAYS):
        viewer = np.repeat(np.arange(viewers), 3)
        own = viewer // CROWD * LIKED_BY_EACH
        rows = pl.DataFrame(
            {
                "user_id": viewer,
                "video_id": own + chance.integers(LIKED_BY_EACH, size=len(viewer)),
                "time_ms": FIRST_MS + day * DAY_MS + np.arange(len(viewer)) * 60_000,
                "play_time_ms": np.full(len(viewer), 12_000),
                "long_view": np.ones(len(viewer), np.int64),
                "tab": np.ones(len(viewer), np.int64),
            }
        )
        flags = (pl.lit(0).alias(f"is_{name}") for name in FLAGS)
        rows.with_columns(*flags).write_parquet(tmp_path / f"exposures_{day:02}.parquet")
    return tmp_path


def test_what_ones_own_crowd_watches_is_found_where_popularity_guesses(folder: Path) -> None:
    from myriorama.bench.ranking_retrieval import measure_retrieval  # noqa: PLC0415 - needs extras

    told: list[str] = []

    figures, peers = measure_retrieval(folder, TEST_FROM, told.append)

    assert figures["candidate_recall"] >= 0.9
    assert figures["candidates"] <= 190
    assert figures["retrieval_ndcg10"] > peers["popularity"]["retrieval_ndcg10"]
    assert peers["item_knn"]["retrieval_r10"] > peers["popularity"]["retrieval_r10"]
    assert len(told) >= 2


def test_only_what_is_new_to_a_viewer_and_after_the_day_is_asked_for(folder: Path) -> None:
    from myriorama.bench.ranking_retrieval import midnight_ms  # noqa: PLC0415 - needs extras
    from myriorama.bench.retrieval_shelves import audience  # noqa: PLC0415 - needs extras
    from ranking.importing.kuairand import load  # noqa: PLC0415 - needs extras

    imported = load(folder)
    cut_ms = midnight_ms(TEST_FROM)

    asked = audience(imported, cut_ms)

    of = imported.exposures
    for viewer, wanted in zip(asked.viewers.tolist(), asked.wanted, strict=True):
        mine = of.viewer == viewer
        before = set(of.video[mine & (of.at_ms < cut_ms)].tolist())
        after = set(of.video[mine & (of.at_ms >= cut_ms)].tolist())
        assert set(wanted.tolist()) == after - before
        assert len(wanted)


def test_a_folder_without_the_files_is_refused_with_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(FilesUnreadable, match=r"users\.parquet"):
        ranking.measure(lambda _: None, tmp_path, TEST_FROM)
