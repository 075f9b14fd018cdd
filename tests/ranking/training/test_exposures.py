from pathlib import Path

import numpy as np
import polars as pl
import pytest

pytest.importorskip("sklearn")

from ranking.features import FEATURES, INDEX
from ranking.importing.kuairand import load
from ranking.training.examples import Examples
from ranking.training.exposures import examples

BEGIN_MS = 1_650_816_000_000
DAY_MS = 86_400_000
FLAGS = ("is_click", "is_like", "is_follow", "is_comment", "is_forward", "is_hate")
USERS, VIDEOS, DAYS, EACH = 6, 12, 3, 4


def folder(path: Path, *, liked_on_last_day: bool) -> Path:
    """Write a small KuaiRand: everybody is shown four videos on each of three days."""
    drawn = np.random.default_rng(1)
    rows = [
        (
            user,
            int(drawn.integers(VIDEOS)),
            BEGIN_MS + day * DAY_MS + user * 600_000 + each * 60_000,
        )
        for day in range(DAYS)
        for user in range(USERS)
        for each in range(EACH)
    ]
    count = len(rows)
    is_long = drawn.integers(0, 2, count)
    is_last = np.array([at >= BEGIN_MS + (DAYS - 1) * DAY_MS for _, _, at in rows])
    is_long = np.where(is_last, int(liked_on_last_day), is_long)
    path.mkdir()
    pl.DataFrame(
        {
            "user_id": [user for user, _, _ in rows],
            "video_id": [video for _, video, _ in rows],
            "time_ms": [at for _, _, at in rows],
            **dict.fromkeys(FLAGS, is_long),
            "is_profile_enter": [0] * count,
            "long_view": is_long,
            "play_time_ms": is_long * 20_000 + 500,
            "duration_ms": [20_000] * count,
            "tab": drawn.integers(0, 3, count),
        }
    ).write_parquet(path / "exposures_1.parquet")
    pl.DataFrame(
        {
            "user_id": list(range(USERS)),
            "register_days": [10] * USERS,
            "follow_user_num": [1] * USERS,
            "fans_user_num": [2] * USERS,
            "friend_user_num": [0] * USERS,
        }
    ).write_parquet(path / "users.parquet")
    pl.DataFrame(
        {
            "video_id": list(range(VIDEOS)),
            "author_id": [video % 5 for video in range(VIDEOS)],
            "upload_dt": ["2022-04-20"] * VIDEOS,
            "tag": ["1", "2", "1,3"] * (VIDEOS // 3),
            "server_width": [720] * VIDEOS,
            "server_height": [1280] * VIDEOS,
            "video_duration": [20_000.0] * VIDEOS,
        }
    ).write_parquet(path / "videos_basic.parquet")
    return path


def read(path: Path) -> Examples:
    return examples(load(path), lambda _line: None)


def test_what_is_known_of_a_slate_does_not_depend_on_how_it_or_anything_later_turns_out(
    tmp_path: Path,
) -> None:
    liked = read(folder(tmp_path / "liked", liked_on_last_day=True))
    not_liked = read(folder(tmp_path / "not", liked_on_last_day=False))

    last = liked.at_ms >= BEGIN_MS + (DAYS - 1) * DAY_MS
    # Who came first that day was ranked before anybody had done anything on it.
    first = last & (liked.viewer == 0)
    assert (liked.label("watch")[last] != not_liked.label("watch")[last]).all()
    assert (liked.features[~last] == not_liked.features[~last]).all()
    assert (liked.features[first] == not_liked.features[first]).all()
    assert (liked.features[last] != not_liked.features[last]).any()


def test_until_a_time_nothing_later_is_looked_at(tmp_path: Path) -> None:
    data = folder(tmp_path / "all", liked_on_last_day=True)
    until_ms = BEGIN_MS + (DAYS - 1) * DAY_MS

    found = examples(load(data), lambda _line: None, until_ms=until_ms)

    everything = read(data)
    assert len(found) == USERS * (DAYS - 1) * EACH
    assert (found.features == everything.features[everything.at_ms < until_ms]).all()


def test_an_exposure_is_labelled_by_what_followed_and_effects_are_learnt_of_the_days_before(
    tmp_path: Path,
) -> None:
    found = read(folder(tmp_path / "some", liked_on_last_day=True))

    assert len(found) == USERS * DAYS * EACH
    assert found.slate.max() == USERS * DAYS - 1
    assert (found.label("like") == found.label("watch")).all()
    is_first_day = found.at_ms < BEGIN_MS + DAY_MS - 8 * 3_600_000
    effects = found.features[:, INDEX["effect_all"]]
    assert (effects[is_first_day] == 0).all()
    assert (effects[~is_first_day] != 0).all()
    assert found.features.shape[1] > len(FEATURES)
