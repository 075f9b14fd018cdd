"""Co-views: what the same people watched, however it is folded."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from ranking.coview import LATELY_KEPT, VIDEOS_KEPT, VIEWERS_KEPT, Coviews

FOX, WOLF, CAKE, HIT = range(4)


def learnt(*watches: tuple[int, int]) -> Coviews:
    """Return what follows from watches: (viewer, video)."""
    coviews = Coviews()
    columns = np.array(watches, np.int32).reshape(-1, 2)
    coviews.learn(columns[:, 0], columns[:, 1])
    return coviews


def close(coviews: Coviews, video: int, *candidates: int) -> list[float]:
    """Return how close candidates are to one video."""
    history, weights = np.array([video], np.int32), np.ones(1, np.float32)
    found: list[float] = coviews.similarity(
        history, weights, np.array(candidates, np.int32)
    ).tolist()
    return found


def test_what_the_same_people_watch_is_close_and_the_rest_is_not() -> None:
    coviews = learnt((0, FOX), (0, WOLF), (1, FOX), (1, WOLF), (2, CAKE))

    wolf, cake, itself, unheard_of = close(coviews, FOX, WOLF, CAKE, FOX, 100_000)

    assert wolf > cake == itself == unheard_of == 0


def test_what_everybody_watches_says_less_of_anybody() -> None:
    fans = [(viewer, video) for viewer in range(3) for video in (FOX, WOLF, HIT)]
    others = [(viewer, HIT) for viewer in range(3, 40)]

    wolf, hit = close(learnt(*fans, *others), FOX, WOLF, HIT)

    assert wolf > hit > 0


def test_one_person_counts_once_however_often_they_come_back() -> None:
    once = learnt((0, FOX), (0, WOLF))
    often = learnt((0, FOX), (0, WOLF), *[(0, WOLF), (0, FOX)] * 50)

    assert close(once, FOX, WOLF) == close(often, FOX, WOLF)
    assert often.lately.sum() == 2


def test_only_the_last_of_a_crowd_and_of_a_viewer_are_kept() -> None:
    crowd = [(viewer, FOX) for viewer in range(VIEWERS_KEPT)]
    early = learnt((500, FOX), (500, WOLF), *crowd)
    busy = learnt((0, FOX), (0, WOLF), *[(0, 10 + n) for n in range(VIDEOS_KEPT)])

    assert close(early, FOX, WOLF) == [0]
    assert close(busy, FOX, WOLF) == [0]


def test_lately_counts_the_last_watches_of_all() -> None:
    coviews = learnt((0, CAKE), *[(viewer, FOX) for viewer in range(1, LATELY_KEPT + 1)])

    assert coviews.lately[CAKE] == 0
    assert coviews.lately[FOX] == LATELY_KEPT


@settings(max_examples=30, deadline=None)
@given(
    watches=st.lists(st.tuples(st.integers(-1, 9), st.integers(-1, 5000)), max_size=80),
    cut=st.integers(0, 80),
)
def test_it_is_the_same_in_whatever_portions_it_is_folded(
    watches: list[tuple[int, int]], cut: int
) -> None:
    whole, parts = learnt(*watches), Coviews()
    columns = np.array(watches, np.int32).reshape(-1, 2)
    for part in (columns[:cut], columns[cut:]):
        parts.learn(part[:, 0], part[:, 1])

    assert parts.digest() == whole.digest()
