import numpy as np

from ranking.heads import HEAD_INDEX, HEADS, Outcomes, labels
from ranking.policy import ACTIONS


def outcomes(*watched_ms: int, duration_ms: int = 20_000, **acted: list[bool]) -> Outcomes:
    count = len(watched_ms)
    return Outcomes(
        watched_ms=np.array(watched_ms, np.int32),
        loops=np.zeros(count, np.int32),
        duration_ms=np.full(count, duration_ms, np.int32),
        acted={head: np.array(flags) for head, flags in acted.items()},
        created=np.zeros(count, np.bool_),
    )


def label(head: str, of: Outcomes) -> list[bool]:
    found: list[bool] = labels(of)[:, HEAD_INDEX[head]].tolist()
    return found


def test_there_is_a_head_for_every_action_of_a_policy_in_its_order() -> None:
    assert tuple(head.name for head in HEADS) == ACTIONS


def test_a_long_watch_is_of_18_seconds_or_of_the_whole_of_a_shorter_video() -> None:
    assert label("watch", outcomes(17_999, 18_000)) == [False, True]
    assert label("watch", outcomes(5999, 6000, duration_ms=6000)) == [False, True]


def test_completed_is_nearly_to_the_end_and_watched_again_is_twice() -> None:
    of = outcomes(18_999, 19_000, 39_999, 40_000)

    assert label("complete", of) == [False, True, True, True]
    assert label("rewatch", of) == [False, False, False, True]


def test_to_go_on_at_once_is_a_skip_but_not_to_have_been_reached_is_none() -> None:
    assert label("quick_skip", outcomes(500, 10_000, -1)) == [True, False, False]


def test_what_was_done_counts_for_the_head_of_that_name() -> None:
    of = outcomes(1000, 1000, like=[True, False], report=[False, True])

    assert label("like", of) == [True, False]
    assert label("report", of) == [False, True]
    assert label("remix", of) == [False, False]
