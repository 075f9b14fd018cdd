import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ranking.forest import Forest

sklearn = pytest.importorskip("sklearn.ensemble")


def grown(seed: int, *, depth: int = 5) -> tuple[object, Forest, np.ndarray]:
    from ranking.training.forests import exported  # noqa: PLC0415 - behind the skip

    drawn = np.random.default_rng(seed)
    # Few different values: many rows stand exactly at a limit.
    features = np.round(drawn.normal(size=(800, 6)), 1).astype(np.float32)
    label = features[:, 0] * features[:, 1] + drawn.normal(size=800) > 0
    boosted = sklearn.HistGradientBoostingClassifier(
        max_iter=20, max_depth=depth, max_leaf_nodes=None, min_samples_leaf=5, early_stopping=False
    ).fit(features, label)
    return boosted, exported(boosted), features


@given(seed=st.integers(0, 10_000), depth=st.integers(1, 5))
@settings(max_examples=5, deadline=None)
def test_a_forest_scores_as_the_library_that_grew_it(seed: int, depth: int) -> None:
    boosted, forest, features = grown(seed, depth=depth)

    scores = forest.score(features)

    assert np.abs(scores - boosted.decision_function(features)).max() <= 1e-6  # type: ignore[attr-defined]


def test_what_each_column_moved_adds_up_to_the_score() -> None:
    _, forest, features = grown(1)

    moved = forest.contributions(features)

    average = forest.start + forest.means[:, 0].sum()
    assert np.abs(average + moved.sum(axis=1) - forest.score(features)).max() < 1e-9


def test_trees_that_are_too_deep_to_be_scored_are_not_exported() -> None:
    with pytest.raises(ValueError, match="deeper"):
        grown(2, depth=7)


def test_a_score_does_not_depend_on_how_many_others_are_scored() -> None:
    _, forest, features = grown(3)

    alone = np.concatenate([forest.score(features[row : row + 1]) for row in range(20)])

    assert (alone == forest.score(features)[:20]).all()
