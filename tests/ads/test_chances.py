"""Chances are learnt of what came of decisions: they follow it, add up, and are judged first."""

from collections.abc import Mapping

import msgspec
import numpy as np
import pytest

from ads import calibration
from ads.chances import FEATURES, OUTCOMES_MIN, Example, learn, ratio
from ads.probability import Head, Probabilities

PRIOR = Probabilities.prior()
PLATFORMS: tuple[str, ...] = ("ios", "android", "web")
Rates = Mapping[str, float]


def believing(click: float) -> Probabilities:
    """Return the prior with another rate of clicks."""
    head = Head(float(np.log(click / (1 - click))), {}, tuple(calibration.identity().tolist()))
    return msgspec.structs.replace(PRIOR, click=head)


def house(
    count: int, seed: int, clicks: Rates, view: float = 0.7, fall: float = 0.97
) -> list[Example]:
    """Return ads in a house whose viewers click so often, by platform."""
    chance = np.random.default_rng(seed)
    drawn: list[int] = chance.integers(len(PLATFORMS), size=count).tolist()
    platforms = [PLATFORMS[at] for at in drawn]
    places = chance.integers(3, 12, size=count).tolist()
    draws = chance.random((count, 3)).tolist()
    found: list[Example] = []
    for platform, place, (looked, ended, hit) in zip(platforms, places, draws, strict=True):
        viewed = looked < view * fall**place
        features = f"platform={platform}", "category=toys"
        came = viewed, viewed and ended < 0.2, viewed and hit < clicks[platform]
        found.append(Example(features, place, *came))
    return found


def click_on(chances: Probabilities, platform: str) -> float:
    head = chances.click
    logit = head.intercept + head.sum_of((f"platform={platform}", "category=toys"))
    return calibration.applied(np.array(head.table), logit)


def test_viewers_who_click_twice_as_often_on_one_platform_are_expected_to() -> None:
    clicks = {"ios": 0.4, "android": 0.2, "web": 0.2}
    believed = believing(0.2)
    fresh = house(200_000, 2, clicks)

    learnt = learn(house(200_000, 1, clicks), believed)

    assert learnt is not None
    assert click_on(learnt.chances, "ios") == pytest.approx(0.4, rel=0.05)
    assert click_on(learnt.chances, "web") == pytest.approx(0.2, rel=0.05)
    before, after = ratio(fresh, believed), ratio(fresh, learnt.chances)
    assert before.click > 1.2
    assert 0.98 <= after.click <= 1.02
    assert 0.98 <= after.view <= 1.02
    assert learnt.after.error < learnt.before.error
    assert not learnt.is_worse


def test_how_far_viewers_come_is_learnt_apart_from_whether_they_look() -> None:
    even = dict.fromkeys(PLATFORMS, 0.05)

    learnt = learn(house(60_000, 3, even, view=0.8, fall=0.9), PRIOR)

    assert learnt is not None
    reach = learnt.chances.reach
    assert reach[10] / reach[4] == pytest.approx(0.9**6, rel=0.05)
    fresh = house(60_000, 4, even, view=0.8, fall=0.9)
    for place in (4, 10):
        there = [one for one in fresh if one.place == place]
        assert ratio(there, learnt.chances).view == pytest.approx(1.0, abs=0.06)


def test_the_same_examples_give_the_same_chances() -> None:
    shown = house(5_000, 5, dict.fromkeys(PLATFORMS, 0.2))

    once, again = learn(shown, PRIOR), learn(shown, PRIOR)

    assert once is not None
    assert once == again
    assert once.chances.version == FEATURES


@pytest.mark.parametrize("count", [0, 1, OUTCOMES_MIN])
def test_of_too_little_nothing_is_learnt(count: int) -> None:
    assert learn(house(count, 6, dict.fromkeys(PLATFORMS, 0.2)), PRIOR) is None


def test_an_event_that_hardly_came_is_believed_as_before() -> None:
    shown = house(3_000, 7, dict.fromkeys(PLATFORMS, 0.01))

    learnt = learn(shown, PRIOR)

    assert learnt is not None
    assert learnt.chances.click == PRIOR.click
    assert learnt.chances.view != PRIOR.view


def test_what_expects_later_ads_worse_than_before_is_worse() -> None:
    often = house(50_000, 8, dict.fromkeys(PLATFORMS, 0.6))
    usual = house(50_000, 9, dict.fromkeys(PLATFORMS, 0.2))
    turned = [*often[:40_000], *usual[40_000:]]  # what is learnt of is over by the end

    learnt = learn(turned, believing(0.2))

    assert learnt is not None
    assert learnt.is_worse
