"""Verdicts: what a rule says of each video, and how sets of videos and accounts are compared."""

import numpy as np
from numpy.typing import NDArray

ALLOW, INTERSTITIAL, DROP = 0, 1, 2

Verdicts = NDArray[np.int8]
"""One of `ALLOW`, `INTERSTITIAL` (behind a warning) and `DROP` for each video; the higher rules."""


def dropped(which: NDArray[np.bool_]) -> Verdicts:
    """Return the verdicts of a rule that drops some and allows the rest."""
    return np.where(which, np.int8(DROP), np.int8(ALLOW))


def among(values: NDArray[np.int32], members: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Tell of each value whether it is one of the members, which are sorted."""
    if not len(members):
        return np.zeros(len(values), np.bool_)
    places = np.searchsorted(members, values)
    return np.equal(members[np.minimum(places, len(members) - 1)], values)


def any_of(offsets: NDArray[np.int64], flags: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Tell of each row whether one of its flags is set: row i has those of offsets[i]:[i + 1]."""
    reached = np.zeros(len(flags) + 1, np.int64)
    np.cumsum(flags, out=reached[1:])
    return reached[offsets[1:]] > reached[offsets[:-1]]
