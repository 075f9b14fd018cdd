import numpy as np
import pytest

from ranking.training import metrics

VIEWER = np.array([1, 1, 1, 2, 2, 2], np.int32)
SLATES = np.array([0, 0, 0, 1, 1, 1])


def flags(*values: int) -> np.ndarray:
    return np.array(values, np.bool_)


def test_auc_is_how_often_a_positive_stands_before_a_negative_and_ties_count_half() -> None:
    assert metrics.auc(flags(1, 0, 1, 0), np.array([4.0, 3.0, 2.0, 1.0])) == 0.75
    assert metrics.auc(flags(1, 0), np.array([1.0, 1.0])) == 0.5
    assert np.isnan(metrics.auc(flags(1, 1), np.array([1.0, 2.0])))


def test_slates_are_measured_each_by_itself_and_those_all_alike_left_out() -> None:
    label = flags(1, 0, 0, 0, 0, 0)

    slates = metrics.by_slate(label, np.array([1.0, 2.0, 0.0, 9.0, 9.0, 9.0]), SLATES, VIEWER)

    assert slates.auc.tolist() == [0.5]
    assert slates.ndcg.tolist() == pytest.approx([1 / np.log2(3)])
    assert slates.viewer.tolist() == [1]


def test_a_perfect_order_has_an_ndcg_of_one() -> None:
    label = flags(1, 0, 1, 0, 1, 0)

    slates = metrics.by_slate(label, label.astype(float), SLATES, VIEWER)

    assert metrics.ndcg(slates).value == 1
    assert metrics.gauc(slates) == metrics.Figure(1, 0)


def test_probabilities_that_happen_as_often_as_they_say_have_no_calibration_error() -> None:
    label = np.tile(flags(1, 0, 0, 0), 250)

    assert metrics.ece(label, np.full(1000, 0.25)) == pytest.approx(0, abs=0.02)
    assert metrics.ece(label, np.full(1000, 0.75)) == pytest.approx(0.5, abs=0.02)
