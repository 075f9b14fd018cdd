"""Marks on what only many decisions give away: crowds of one person, and clicks by machine."""

import numpy as np
import pytest

from ads.traffic_outliers import Viewers, marks_of

RATE = 0.02
VIEWERS = 2_000


def crowd(seed: int) -> Viewers:
    """Return honest traffic: 2,000 viewers in a hundred trees, some far busier than others."""
    chance = np.random.default_rng(seed)
    served = np.minimum(chance.lognormal(3.0, 0.8, VIEWERS).astype(int) + 1, 400)
    trees = np.arange(VIEWERS, dtype=np.uint64) % np.uint64(100)
    likes = np.minimum(chance.lognormal(np.log(RATE), 0.4, VIEWERS), 1.0)
    clicks = chance.binomial(served, likes)
    return Viewers(trees, served.astype(np.float64), clicks.astype(np.float64))


def joined(first: Viewers, second: Viewers) -> Viewers:
    """Return both together."""
    return Viewers(
        np.concatenate([first.invite_trees, second.invite_trees]),
        np.concatenate([first.served, second.served]),
        np.concatenate([first.clicks, second.clicks]),
    )


def farm(viewers: int, each: int, *, rate: float, seed: int = 1) -> Viewers:
    """Return accounts of one tree."""
    chance = np.random.default_rng(seed)
    trees = np.full(viewers, 777, np.uint64)
    clicks = chance.binomial(each, rate, viewers).astype(np.float64)
    return Viewers(trees, np.full(viewers, float(each)), clicks)


def rules_of(viewers: Viewers, since: int) -> set[str | None]:
    """Return the rules of the marks from a viewer on."""
    return {mark and mark.rule for mark in marks_of(viewers)[since:]}


def share_marked(viewers: Viewers, until: int) -> float:
    """Return which share of what the first viewers were served is marked."""
    marked = np.array([mark is not None for mark in marks_of(viewers)[:until]])
    return float(viewers.served[:until][marked].sum() / viewers.served[:until].sum())


@pytest.mark.parametrize("seed", range(5))
def test_an_honest_crowd_has_next_to_no_marks(seed: int) -> None:
    viewers = crowd(seed)

    assert len(marks_of(viewers)) == VIEWERS
    assert share_marked(viewers, VIEWERS) <= 0.002


def test_a_viewer_who_clicks_on_everything_is_marked_alone() -> None:
    viewers = joined(crowd(1), farm(1, 60, rate=0.9))

    assert rules_of(viewers, VIEWERS) == {"viewer_clicks"}
    assert share_marked(viewers, VIEWERS) <= 0.002


def test_a_viewer_who_is_served_all_day_is_marked() -> None:
    viewers = joined(crowd(2), farm(1, 20_000, rate=RATE))

    assert rules_of(viewers, VIEWERS) == {"viewer_volume"}


def test_accounts_too_small_to_stand_out_alone_are_marked_by_who_invited_them() -> None:
    viewers = joined(crowd(4), farm(300, 12, rate=0.15))

    assert rules_of(viewers, VIEWERS) == {"invite_tree_clicks"}


def test_too_few_groups_are_no_crowd_to_stand_out_of() -> None:
    assert rules_of(farm(5, 1_000, rate=0.9), 0) == {None}


def test_nothing_served_has_no_marks() -> None:
    nothing = np.array([], np.float64)

    assert marks_of(Viewers(np.array([], np.uint64), nothing, nothing)) == []
