"""Chains: which videos belong to an author, a line or a parent, newest first."""

import numpy as np
from numpy.typing import NDArray

from ranking.columns import Column
from ranking.compiled import compiled

Serials = NDArray[np.int32]

NONE = -1


class Chain:
    """Links each video to the one before it that has the same owner; owners are numbers."""

    def __init__(self) -> None:
        self._heads: Column[np.int32] = Column(np.int32, fill=NONE)
        self._before: Column[np.int32] = Column(np.int32, fill=NONE)

    def add(self, owner: int, serial: int) -> None:
        """Put a video at the head of its owner's chain; owner -1 has none."""
        self._before.reach(serial + 1)
        if owner < 0:
            return
        self._heads.reach(owner + 1)
        self._before.rows[serial] = self._heads.rows[owner]
        self._heads.rows[owner] = serial

    def of(self, owner: int, limit: int) -> Serials:
        """Return the newest videos of an owner, newest first."""
        if not 0 <= owner < len(self._heads):
            return np.empty(0, np.int32)
        found = np.empty(min(limit, len(self._before)), np.int32)
        return found[: _walk(self._before.rows, self._heads.rows[owner], found)]

    def of_each(self, owners: Serials, limit: int) -> Serials:
        """Return the newest videos of each of some owners, at most so many of one."""
        return _walk_each(self._before.rows, self._heads.rows, owners, limit)

    def parts(self) -> tuple[bytes, bytes]:
        """Return all that is held."""
        return self._heads.rows.tobytes(), self._before.rows.tobytes()


@compiled
def _walk(before: Serials, head: int, found: Serials) -> int:
    count = 0
    while head >= 0 and count < len(found):
        found[count] = head
        head = before[head]
        count += 1
    return count


@compiled
def _walk_each(before: Serials, heads: Serials, owners: Serials, limit: int) -> Serials:
    found, count = np.empty(len(owners) * limit, np.int32), 0
    for owner in owners:
        if 0 <= owner < len(heads):
            count += _walk(before, int(heads[owner]), found[count : count + limit])
    return found[:count].copy()
