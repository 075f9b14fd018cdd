"""What follows from what was shown and watched: weights between the videos of the head catalogue.

Compiled from time to time by training and kept in the model's file, so a slate can be made again
with the weights it was made with; `ranking/coview.py` knows what came after. One table is learnt of
what is shown to the same people, the other of what they watch long.
"""

from collections.abc import Mapping
from typing import NamedTuple, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from ranking.compiled import compiled
from ranking.effects import Effects

Serials = NDArray[np.int32]
Floats = NDArray[np.float32]

_PARTS = ("videos", "starts", "targets", "weights")


class Table(NamedTuple):
    """Sparse weights from video to video.

    Row r is of the video `videos[r]` (serials, ascending): it speaks for the rows
    `targets[starts[r] : starts[r + 1]]` by `weights`, some of which may be below 0.
    """

    videos: Serials
    starts: NDArray[np.int64]
    targets: Serials
    weights: Floats

    @classmethod
    def empty(cls) -> Self:
        """Return the table that knows no video."""
        none = np.zeros(0, np.int32)
        return cls(none, np.zeros(1, np.int64), none, np.zeros(0, np.float32))

    def similarity(self, history: Serials, weights: Floats, candidates: Serials) -> Floats:
        """Return what a weighted history says for candidates; 0 of what is not in the table."""
        rows = self._rows(candidates)
        found = self.scores(history, weights)[rows]
        found[rows < 0] = 0
        return found

    def scores(self, history: Serials, weights: Floats) -> Floats:
        """Return the same for each row; one 0 more at the end."""
        scores = np.zeros(len(self.videos) + 1, np.float64)
        rows = self._rows(history)
        _add(self.starts, self.targets, self.weights, rows, weights, scores)
        return scores.astype(np.float32)

    def _rows(self, serials: Serials) -> Serials:
        """Return the row of each video, -1 where it has none."""
        if not len(self.videos):
            return np.full(len(serials), -1, np.int32)
        rows = np.minimum(np.searchsorted(self.videos, serials), len(self.videos) - 1)
        return np.where(self.videos[rows] == serials, rows, -1).astype(np.int32)


class Affinities(NamedTuple):
    """Both tables, which have the same videos; and what moves the odds of a long watch."""

    shown: Table
    long: Table
    effects: Effects = Effects.empty()

    @classmethod
    def empty(cls) -> Self:
        """Return tables that know no video."""
        return cls(Table.empty(), Table.empty())

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """Return what makes the tables up, by name, as a model's file keeps it."""
        tables = {"shown": self.shown, "long": self.long}
        parts = {
            f"{name}.{part}": getattr(table, part)
            for name, table in tables.items()
            for part in _PARTS
        }
        return {**parts, **self.effects.arrays()}

    @classmethod
    def of(cls, arrays: Mapping[str, NDArray[np.generic]]) -> Self:
        """Return the tables of `arrays()`.

        Raises:
            ValueError: a part is missing, of another type, or the parts do not fit together.
        """
        shown, long = _table(arrays, "shown"), _table(arrays, "long")
        if not np.array_equal(shown.videos, long.videos):
            raise ValueError("The tables of the affinities are not of the same videos.")
        return cls(shown, long, Effects.of(arrays))


class Learnt(Protocol):
    """What was trained, as far as sources ask about it: a ranker, whichever."""

    @property
    def affinities(self) -> Affinities | None:
        """The tables; None if there are none."""
        ...


def _table(arrays: Mapping[str, NDArray[np.generic]], name: str) -> Table:
    parts: list[NDArray[np.generic]] = []
    for part, kind in zip(_PARTS, (np.int32, np.int64, np.int32, np.float32), strict=True):
        array = arrays.get(f"{name}.{part}")
        if array is None or array.dtype != kind or array.ndim != 1:
            raise ValueError(f"The affinities have no {name}.{part} as it must be.")
        parts.append(array)
    table = Table(*parts)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType] # checked above
    fits = (
        len(table.starts) == len(table.videos) + 1
        and table.starts[0] == 0
        and table.starts[-1] == len(table.targets) == len(table.weights)
        and bool((np.diff(table.starts) >= 0).all())
        and bool((np.diff(table.videos) > 0).all())
        and bool(((table.targets >= 0) & (table.targets < max(len(table.videos), 1))).all())
        and bool(np.isfinite(table.weights).all())
    )
    if not fits:
        raise ValueError(f"The parts of the affinities' {name} do not fit together.")
    return table


@compiled
def _add(  # noqa: PLR0913, PLR0917 - a compiled loop takes its columns singly
    starts: NDArray[np.int64],
    targets: Serials,
    weights: Floats,
    rows: Serials,
    history_weights: Floats,
    scores: NDArray[np.float64],
) -> None:
    for step in range(len(rows)):
        row = rows[step]
        if row < 0:
            continue
        for place in range(starts[row], starts[row + 1]):
            scores[targets[place]] += history_weights[step] * weights[place]
