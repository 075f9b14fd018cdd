import numpy as np

from ranking.features import FEATURES, INDEX
from ranking.relative import RELATIVE, to_features, with_relative
from ranking.utility import centred, utility


def features(count: int) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(count, len(FEATURES))).astype(np.float32)


def test_a_relative_feature_is_the_difference_to_the_mean_of_the_slate() -> None:
    rows = features(4)

    found = with_relative(rows)

    place = INDEX[RELATIVE[0]]
    assert np.allclose(found[:, len(FEATURES)], rows[:, place] - rows[:, place].mean(), atol=1e-6)
    assert (found[:, : len(FEATURES)] == rows).all()


def test_several_slates_at_once_are_as_each_by_itself() -> None:
    rows, slates = features(7), np.array([0, 0, 0, 1, 1, 1, 1])

    together = with_relative(rows, slates)

    assert np.allclose(together[:3], with_relative(rows[:3]), atol=1e-6)
    assert np.allclose(together[3:], with_relative(rows[3:]), atol=1e-6)


def test_what_a_relative_feature_moved_is_told_of_the_feature() -> None:
    moved = np.zeros((1, len(FEATURES) + len(RELATIVE)))
    moved[0, INDEX[RELATIVE[1]]] = 1
    moved[0, len(FEATURES) + 1] = 2

    assert to_features(moved, len(FEATURES))[0, INDEX[RELATIVE[1]]] == 3


def test_utility_is_centred_in_the_slate_and_sums_what_actions_are_worth() -> None:
    predictions = np.zeros((2, 13), np.float32)
    predictions[0, 0], predictions[1, 3] = 0.5, 0.25

    worth = utility(predictions, {"watch": 1.0, "like": 4.0})

    assert worth.tolist() == [-0.25, 0.25]
    assert centred(np.array([1.0, 3.0, 5.0]), np.array([0, 0, 1])).tolist() == [-1, 1, 0]
