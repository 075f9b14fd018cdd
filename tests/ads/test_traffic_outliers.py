"""Marks on what only many decisions give away: crowds of one person, and clicks by machine."""

import numpy as np
import pytest

from ads.traffic_outliers import Decisions, marks_of

RATE = 0.02
VIEWERS = 2_000


def crowd(seed: int) -> Decisions:
    """Return honest traffic: 2,000 viewers in a hundred trees, some far busier than others."""
    chance = np.random.default_rng(seed)
    served = np.minimum(chance.lognormal(3.0, 0.8, VIEWERS).astype(int) + 1, 400)
    viewers = np.repeat(np.arange(VIEWERS, dtype=np.uint64), served)
    trees = viewers % np.uint64(100)
    likes = chance.lognormal(np.log(RATE), 0.4, VIEWERS)
    clicked = chance.random(len(viewers)) < likes[viewers.astype(int)]
    return Decisions(viewers, viewers + np.uint64(10_000), trees, clicked)


def joined(first: Decisions, second: Decisions) -> Decisions:
    """Return both together."""
    return Decisions(
        np.concatenate([first.viewers, second.viewers]),
        np.concatenate([first.devices, second.devices]),
        np.concatenate([first.invite_trees, second.invite_trees]),
        np.concatenate([first.clicked, second.clicked]),
    )


def farm(viewers: int, each: int, *, device: int | None, rate: float, seed: int = 1) -> Decisions:
    """Return accounts of one tree, on devices of their own or on one."""
    chance = np.random.default_rng(seed)
    names = np.repeat(np.arange(viewers, dtype=np.uint64) + np.uint64(50_000), each)
    devices = names if device is None else np.full(len(names), device, np.uint64)
    trees = np.full(len(names), 777, np.uint64)
    return Decisions(names, devices, trees, chance.random(len(names)) < rate)


def rules_of(decisions: Decisions, since: int) -> set[str | None]:
    """Return the rules of the marks from a row on."""
    return {mark and mark.rule for mark in marks_of(decisions)[since:]}


@pytest.mark.parametrize("seed", range(5))
def test_an_honest_crowd_has_next_to_no_marks_and_each_decision_is_still_there(seed: int) -> None:
    decisions = crowd(seed)

    marks = marks_of(decisions)

    assert len(marks) == len(decisions.clicked)
    assert sum(mark is not None for mark in marks) <= 0.002 * len(marks)


def test_a_viewer_who_clicks_on_everything_is_marked_alone() -> None:
    honest = crowd(1)

    decisions = joined(honest, farm(1, 60, device=None, rate=0.9))

    assert rules_of(decisions, len(honest.clicked)) == {"viewer_clicks"}
    assert sum(mark is not None for mark in marks_of(decisions)) <= 60 + 0.002 * len(honest.clicked)


def test_a_viewer_who_is_served_all_day_is_marked() -> None:
    honest = crowd(2)

    decisions = joined(honest, farm(1, 20_000, device=None, rate=RATE))

    assert rules_of(decisions, len(honest.clicked)) == {"viewer_volume"}


def test_accounts_that_share_a_device_are_marked_together() -> None:
    honest = crowd(3)

    decisions = joined(honest, farm(400, 40, device=9, rate=RATE))

    assert rules_of(decisions, len(honest.clicked)) == {"device_volume"}


def test_accounts_too_small_to_stand_out_alone_are_marked_by_who_invited_them() -> None:
    honest = crowd(4)

    decisions = joined(honest, farm(300, 12, device=None, rate=0.15))

    assert rules_of(decisions, len(honest.clicked)) == {"invite_tree_clicks"}


def test_too_few_groups_are_no_crowd_to_stand_out_of() -> None:
    decisions = farm(5, 1_000, device=None, rate=0.9)

    assert rules_of(decisions, 0) == {None}


def test_nothing_served_has_no_marks() -> None:
    nobody = np.array([], np.uint64)

    assert marks_of(Decisions(nobody, nobody, nobody, np.array([], np.bool_))) == []
