"""Calibration makes of a log-odds a probability that as many outcomes come of as it says."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ads import calibration
from ads.fitting import fit_head, fit_reach
from ads.probability import PLACES, Head, Probabilities
from myriorama.bench.calibrating import chances, made_up

CHANCE = np.random.default_rng(1)


@pytest.mark.parametrize("count", [2000, 60_000])
def test_chances_add_up_to_what_comes_even_where_the_log_odds_are_far_off(count: int) -> None:
    logits = CHANCE.normal(-2.0, 1.5, count)
    came = (CHANCE.random(count) < 0.3 / (1 + np.exp(-0.5 * logits))).astype(float)

    table = calibration.fit(logits, came)

    expected = np.array([calibration.applied(table, each) for each in logits])
    assert expected.sum() == pytest.approx(came.sum(), rel=1e-3)
    assert (np.diff(table) >= 0).all()
    for part in np.array_split(np.argsort(logits), 5):
        assert expected[part].mean() == pytest.approx(came[part].mean(), abs=0.03)


@given(
    values=st.lists(st.floats(-5, 5), min_size=1, max_size=30),
    seed=st.integers(0, 2**32 - 1),
)
def test_pooled_values_rise_and_keep_their_sum(values: list[float], seed: int) -> None:
    weights = np.random.default_rng(seed).uniform(0.1, 3.0, len(values))

    pooled = calibration.pooled(np.array(values), weights)

    assert (np.diff(pooled) >= -1e-12).all()
    assert float(pooled @ weights) == pytest.approx(float(np.array(values) @ weights), abs=1e-9)


@pytest.mark.parametrize("came", [np.zeros(50), np.ones(50)])
def test_what_never_or_always_comes_has_a_rate_and_no_certainty(came: np.ndarray) -> None:
    table = calibration.fit(np.linspace(-3, 3, 50), came)

    assert len(set(table.tolist())) == 1
    assert 0 < table[0] < 1


@pytest.mark.parametrize(
    ("logits", "came"), [([], []), ([0.0], [0.5]), ([float("nan")], [1.0]), ([1.0, 2.0], [1.0])]
)
def test_what_cannot_be_calibrated_is_refused(logits: list[float], came: list[float]) -> None:
    with pytest.raises(ValueError, match="calibration needs"):
        calibration.fit(np.array(logits), np.array(came))


def test_a_head_without_its_calibration_is_refused() -> None:
    with pytest.raises(ValueError, match="calibration"):
        Head(0.0, {}, ())
    falling = tuple(np.linspace(0.9, 0.1, calibration.KNOTS).tolist())
    with pytest.raises(ValueError, match="rises"):
        Head(0.0, {}, falling)


def test_a_fitted_head_expects_as_many_as_come_later() -> None:
    log = made_up(60_000, np.random.default_rng(4))

    head = fit_head(log.features[:40_000], log.clicked[:40_000])

    expected = chances(head, log.features[40_000:])
    assert expected.sum() == pytest.approx(log.clicked[40_000:].sum(), rel=0.06)
    better = expected[log.clicked[40_000:] == 1].mean() / expected.mean()
    assert better > 1.3


def test_reach_never_rises() -> None:
    places = CHANCE.integers(PLACES, size=5000)
    came = (CHANCE.random(5000) < 0.95**places).astype(float)

    reach = fit_reach(places, came)

    assert (np.diff(reach) <= 0).all()
    assert reach[0] > 0.8
    assert reach[30] < 0.4
    prior = Probabilities.prior()
    assert Probabilities("fitted", prior.view, prior.complete, prior.click, reach).reach == reach
