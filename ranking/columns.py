"""Columns that grow: arrays with room behind their rows, so that most additions copy nothing."""

from collections.abc import Iterator
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import DTypeLike, NDArray

T = TypeVar("T", bound=np.generic)

_AT_FIRST = 256


class Column(Generic[T]):
    """An array of rows; each new row holds `fill` until it is set."""

    def __init__(self, dtype: DTypeLike, shape: tuple[int, ...] = (), *, fill: float = 0) -> None:
        self._fill = fill
        self._room: NDArray[Any] = self._filled(_AT_FIRST, shape, dtype)
        self.rows: NDArray[T] = self._room[:0]

    def __len__(self) -> int:
        return len(self.rows)

    def reach(self, count: int) -> None:
        """Have at least so many rows."""
        if count <= len(self.rows):
            return
        if count > len(self._room):
            room = max(count, 2 * len(self._room))
            wider = self._filled(room, self._room.shape[1:], self._room.dtype)
            wider[: len(self.rows)] = self.rows
            self._room = wider
        self.rows = self._room[:count]

    def append(self, value: Any) -> None:
        """Add a row behind the others."""
        count = len(self.rows)
        if count == len(self._room):
            self.reach(count + 1)
        self.rows = self._room[: count + 1]
        self._room[count] = value

    def tobytes(self) -> bytes:
        """Return what the rows hold."""
        return self.rows.tobytes()

    def _filled(self, count: int, shape: tuple[int, ...], dtype: DTypeLike) -> NDArray[Any]:
        # Zeros are pages that take no memory until they are written to.
        if not self._fill:
            return np.zeros((count, *shape), dtype)
        return np.full((count, *shape), self._fill, dtype)


def contents(holder: object) -> Iterator[bytes]:
    """Return what the columns of an object hold, in the order in which it made them."""
    for each in vars(holder).values():
        if isinstance(each, Column):
            yield each.tobytes()
