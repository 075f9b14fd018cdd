"""What a viewer has seen, by the hundred thousand."""

import numpy as np
import pytest

from ranking.seen import DAY_S, Seen

ALICE, BOB = 0, 1
NOON_S = 1_763_812_800


def seen_by(accounts: int) -> Seen:
    seen = Seen()
    seen.reach(accounts)
    return seen


def test_a_viewer_of_a_hundred_thousand_videos_is_shown_none_again() -> None:
    seen = seen_by(2)
    chance = np.random.default_rng(0)
    watched = chance.permutation(300_000)[:100_000].astype(np.int32)
    others = np.setdiff1d(np.arange(300_000, dtype=np.int32), watched)

    for part in np.array_split(watched, 7):
        at_s = np.full(len(part), NOON_S)
        seen.add(np.full(len(part), ALICE, np.int32), part, at_s, np.ones(len(part), np.bool_))

    assert seen.recently(ALICE, watched, NOON_S * 1000).all()
    assert not seen.recently(ALICE, others, NOON_S * 1000).any()
    assert not seen.recently(BOB, watched, NOON_S * 1000).any()


@pytest.mark.parametrize("seed", range(3))
def test_each_video_is_remembered_as_last_watched_and_served(seed: int) -> None:
    chance = np.random.default_rng(seed)
    viewers = chance.integers(20, size=20_000).astype(np.int32)
    videos = chance.integers(200, size=20_000).astype(np.int32)
    at_s = NOON_S + np.sort(chance.integers(DAY_S, size=20_000))
    watches = chance.random(20_000) < 1 / 2
    last = np.zeros((20, 200, 3), np.int64)
    for viewer, video, at, was_watched in zip(viewers, videos, at_s, watches, strict=True):
        last[viewer, video, 0 if was_watched else 1] = at
        last[viewer, video, 2] += was_watched

    seen = seen_by(20)
    seen.add(viewers, videos, at_s, watches)

    for viewer in range(20):
        assert (seen.of(viewer, np.arange(200, dtype=np.int32)) == last[viewer]).all()


def test_what_was_shown_lately_is_told_whether_it_was_served_or_watched() -> None:
    seen = seen_by(2)
    videos, at_s = np.arange(4, dtype=np.int32), NOON_S + np.array([0, 10, 20, 30])
    seen.add(np.full(4, ALICE, np.int32), videos, at_s, np.array([True, False, True, False]))

    assert sorted(seen.lately(ALICE, 1000 * (NOON_S + 10)).tolist()) == [1, 2, 3]
    assert not len(seen.lately(BOB, 0))


def test_what_was_watched_long_ago_takes_no_room() -> None:
    seen = seen_by(1)

    for day in range(100):
        videos = np.arange(200 * day, 200 * day + 200, dtype=np.int32)
        at_s = np.full(200, NOON_S + day * DAY_S)
        seen.add(np.zeros(200, np.int32), videos, at_s, np.ones(200, np.bool_))

    held = sum(map(len, seen.parts()))
    assert held < 33 * 200 * 16
    assert not seen.of(0, np.arange(200, dtype=np.int32)).any()
