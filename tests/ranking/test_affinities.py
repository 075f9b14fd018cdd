"""Affinities: tables of weights, as they are read and kept."""

import numpy as np
import pytest
from numpy.typing import NDArray

from ranking.affinities import Affinities, Table

FOX, WOLF, CAKE = 3, 5, 9


def a_table() -> Table:
    """Return a table in which who was shown the fox is shown the wolf, and not the cake."""
    return Table(
        np.array([FOX, WOLF, CAKE], np.int32),
        np.array([0, 2, 3, 3], np.int64),
        np.array([1, 2, 0], np.int32),
        np.array([0.5, -0.25, 0.75], np.float32),
    )


def test_a_history_speaks_for_what_goes_with_it_by_its_weights() -> None:
    history = np.array([FOX, 77, WOLF], np.int32)
    weights = np.array([1.0, 9.0, 0.5], np.float32)

    said = a_table().similarity(history, weights, np.array([CAKE, WOLF, FOX, 4], np.int32))

    assert said.tolist() == [-0.25, 0.5, 0.375, 0.0]


def test_an_empty_table_says_nothing_of_anything() -> None:
    history, weights = np.array([FOX], np.int32), np.ones(1, np.float32)

    said = Table.empty().similarity(history, weights, np.array([FOX, WOLF], np.int32))

    assert said.tolist() == [0, 0]


def test_tables_are_the_same_after_they_were_kept() -> None:
    tables = Affinities(a_table(), a_table())

    read = Affinities.of(tables.arrays())

    assert read.arrays().keys() == tables.arrays().keys()
    for name, array in tables.arrays().items():
        np.testing.assert_array_equal(read.arrays()[name], array)


@pytest.mark.parametrize(
    ("name", "array"),
    [
        ("long.starts", np.array([0, 2, 1, 3], np.int64)),
        ("long.targets", np.array([1, 2, 3], np.int32)),
        ("shown.weights", np.array([0.5, np.nan, 1], np.float32)),
        ("shown.weights", np.array([0.5, 1], np.float32)),
        ("shown.videos", np.array([5, 3, 9], np.int32)),
        ("shown.videos", np.array([3, 5, 9], np.int64)),
    ],
)
def test_parts_that_do_not_fit_are_refused(name: str, array: NDArray[np.generic]) -> None:
    arrays = {**Affinities(a_table(), a_table()).arrays(), name: array}

    with pytest.raises(ValueError, match=name.split(".", maxsplit=1)[0]):
        Affinities.of(arrays)
