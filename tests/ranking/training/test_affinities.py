"""Fitting affinities: a closed form, of which it is known what it must find."""

import numpy as np
import pytest

from ranking.affinities import Affinities
from tests.ranking.crowds import Crowd

scipy = pytest.importorskip("scipy")


def test_each_video_is_regressed_on_the_others() -> None:
    from ranking.training import affinities  # noqa: PLC0415 - needs scipy

    chance = np.random.default_rng(3)
    watches = (chance.random((400, 12)) < 0.3).astype(np.float32)
    watches[:, 1] = watches[:, 0]

    weights = affinities.ridge(scipy.sparse.csr_matrix(watches))

    for video in (0, 5):
        others = np.arange(12) != video
        rest = watches[:, others].astype(np.float64)
        gram = rest.T @ rest + affinities.RIDGE * np.eye(11)
        expected = np.linalg.solve(gram, rest.T @ watches[:, video])
        np.testing.assert_allclose(weights[others, video], expected, atol=1e-4)
    assert not np.diag(weights).any()
    assert weights[0].argmax() == 1


def test_the_same_state_gives_the_same_tables_and_no_watches_give_none() -> None:
    from ranking.training.affinities import fit  # noqa: PLC0415 - needs scipy

    crowd = Crowd()
    bob = crowd.account("bob")
    nothing = fit(crowd.state)
    videos = [crowd.publish(bob) for _ in range(6)]
    for number in range(20):
        crowd.watch(crowd.account(f"fan {number}"), *videos[number % 3 : number % 3 + 3])

    first, again = fit(crowd.state, head=5, kept=3), fit(crowd.state, head=5, kept=3)

    assert not len(nothing.shown.videos)
    assert len(first.shown.videos) == 5
    assert len(first.shown.weights) == 5 * 3
    for name, array in first.arrays().items():
        np.testing.assert_array_equal(again.arrays()[name], array)
    assert Affinities.of(first.arrays()).long.videos.tolist() == first.long.videos.tolist()
