"""Variety: what is shown is spread wider than by worth alone."""

from collections.abc import Mapping

import numpy as np
import pytest

from ranking.decision import Decision
from ranking.heuristic import Heuristic
from ranking.pipeline import rank
from ranking.policy import DEFAULT
from ranking.selection.variety import entropies, entropy
from tests.ranking.crowds import Crowd, crowd


@pytest.mark.parametrize(
    ("values", "spread"),
    [([], 1.0), ([4], 1.0), ([4, 4, 4], 0.0), ([1, 2, 3, 4], 1.0), ([1, 1, 2, 2], 0.5)],
)
def test_entropy_is_of_what_it_could_be(values: list[int], spread: float) -> None:
    assert entropy(np.array(values, np.int32)) == pytest.approx(spread)


def test_a_slate_is_more_varied_than_its_videos_by_worth_alone() -> None:
    made, people, _ = crowd(400, authors=15)
    plain = DEFAULT.patched(
        {
            "diversity": {"theta": 1, "window": 1, "author": 0, "line": 0, "prompt": 0, "cameo": 0},
            "author_decay": {"factor": 1, "floor": 1},
            "exploration": {"pool": 0, "share": 0},
        }
    )

    varied, by_worth = (
        [spread(made, rank(made.state, Heuristic(), policy, made.ask(who))) for who in people[2:8]]
        for policy in (DEFAULT, plain)
    )

    for kind in ("author", "topic"):
        assert sum(each[kind] for each in varied) > sum(each[kind] for each in by_worth)


def test_a_line_that_was_shown_lately_comes_later_than_one_that_was_not() -> None:
    made = Crowd()
    author, viewer = made.account("author"), made.account("viewer")
    lines = [made.publish(author, "a fox") for _ in range(2)]
    shown = [made.publish(author, "a fox", parent=lines[0]) for _ in range(2)]
    known, new = (made.publish(author, "a fox", parent=parent) for parent in lines)
    made.do(viewer, [*lines, *shown])
    by_line = {"diversity": {"carried": 0, "author": 0, "line": 0, "prompt": 0, "cameo": 0}}
    policy = DEFAULT.patched({**by_line, "exploration": {"pool": 0, "share": 0}})

    later = made.ask(viewer)
    soon = [placed.video for placed in rank(made.state, Heuristic(), policy, later).order]
    forgot = policy.patched({"diversity": {"line_memory_h": 0}})
    after = [placed.video for placed in rank(made.state, Heuristic(), forgot, later).order]

    assert set(soon) == set(after) == {known, new}
    assert soon == [new, known]
    assert after == [known, new]


def spread(made: Crowd, decision: Decision) -> Mapping[str, float]:
    """Return the variety of the first two pages of ten."""
    videos = [placed.video.bytes for placed in decision.order[:20]]
    return entropies(made.state.videos, made.state.videos.serials(videos))
