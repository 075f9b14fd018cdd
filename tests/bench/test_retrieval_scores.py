"""Scores of retrieval, by hand."""

import numpy as np
import pytest

from myriorama.bench.retrieval_scores import scored


def test_a_list_is_scored_by_what_was_watched_and_how_high_up_it_stood() -> None:
    listed = np.arange(200, dtype=np.int32)
    watched = np.array([1, 50, 150, 900], np.int32)

    found = scored([listed], [watched])

    ideal = sum(1 / np.log2(place + 2) for place in range(4))
    assert found.ndcg10 == pytest.approx(1 / np.log2(3) / ideal)
    assert found.r10 == pytest.approx(1 / 4)
    assert found.r100 == pytest.approx(2 / 4)
    assert found.candidate_recall == pytest.approx(3 / 4)


def test_viewers_count_alike_and_an_empty_list_finds_nothing() -> None:
    listed, nothing = np.array([7], np.int32), np.zeros(0, np.int32)

    found = scored([listed, nothing], [np.array([7], np.int32), np.array([8], np.int32)])

    assert found == pytest.approx((0.5, 0.5, 0.5, 0.5))


def test_nobody_has_no_score() -> None:
    with pytest.raises(ValueError, match="nobody"):
        scored([], [])
