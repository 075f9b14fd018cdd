import numpy as np
import pytest
from numpy.typing import NDArray

from ranking.effects import SURFACES, Effects
from ranking.state import State
from ranking.training import effects
from ranking.training.effects import Watches
from tests.ranking.worlds import World, opened, published

EAGER, PICKY = 0, 1
VIEWERS, VIDEOS = 40, 8


def state() -> State:
    world = World()
    world.happened(opened(0))
    for number in range(VIDEOS):
        world.happened(published(number, 0, duration_ms=10_000))
    return world.state()


def watches(count: int = 6000) -> Watches:
    """Even viewers watch nearly everything long; the first half of the videos is shown to them."""
    drawn = np.random.default_rng(0)
    viewer = drawn.integers(VIEWERS, size=count).astype(np.int32)
    is_eager = viewer % 2 == EAGER
    half: NDArray[np.bool_] = is_eager ^ (drawn.uniform(size=count) < 0.9)
    video = (half * (VIDEOS // 2) + drawn.integers(VIDEOS // 2, size=count)).astype(np.int32)
    # The second half is the better one, but is shown to whom little pleases.
    odds = np.where(is_eager, 1.5, -1.5) + np.where(video >= VIDEOS // 2, 0.5, -0.5)
    return Watches(
        viewer=viewer,
        video=video,
        surface=np.ones(count, np.int8),
        at_ms=np.arange(count, dtype=np.int64) * 60_000,
        is_long=drawn.uniform(size=count) < 1 / (1 + np.exp(-odds)),
    )


def of_videos(found: Effects) -> NDArray[np.float64]:
    serials = np.arange(VIDEOS, dtype=np.int32)
    nobody = np.full(VIDEOS, -1, np.int32)
    return found.of_videos(serials, nobody, nobody, nobody)


def test_a_video_is_not_blamed_for_who_it_was_shown_to() -> None:
    shown = watches()
    rates = [shown.is_long[shown.video == video].mean() for video in range(VIDEOS)]

    found = of_videos(effects.fit(shown, state().videos))

    assert min(rates[: VIDEOS // 2]) > max(rates[VIDEOS // 2 :])
    assert found[: VIDEOS // 2].max() < found[VIDEOS // 2 :].min()


def test_a_viewer_is_known_by_what_they_watched() -> None:
    found, expected = Effects.empty(), np.zeros(20)
    surfaces = np.ones(20, np.int32)

    eager = found.of_viewer(expected, np.ones(20, np.bool_), surfaces)
    picky = found.of_viewer(expected, np.zeros(20, np.bool_), surfaces)
    unknown = found.of_viewer(expected[:0], np.zeros(0, np.bool_), surfaces[:0])

    assert eager[1] > eager[2] > 0
    assert np.allclose(picky, -eager)
    assert (unknown == np.zeros(SURFACES)).all()


def test_a_video_that_nobody_watched_yet_is_taken_for_what_it_is_like() -> None:
    found = Effects.empty()._replace(
        videos=np.array([0], np.int32),
        video=np.array([2.0], np.float32),
        author=np.array([0.25], np.float32),
        topic=np.array([0.0, 0.5], np.float32),
    )
    both = np.array([0, 1], np.int32)

    known = found.of_videos(both, np.zeros(2, np.int32), np.ones(2, np.int32), both)

    assert known.tolist() == [2.0, 0.75]


@pytest.mark.parametrize("is_long", [True, False])
def test_where_all_turned_out_alike_there_is_nothing_to_learn(*, is_long: bool) -> None:
    shown = watches(100)
    alike = Watches(shown.viewer, shown.video, shown.surface, shown.at_ms, np.full(100, is_long))

    assert len(effects.fit(alike, state().videos).videos) == 0
