"""What remixes the videos that the viewer favoured, what these remix, and their other remixes."""

from collections.abc import Iterator

import numpy as np

from ranking.affinities import Learnt
from ranking.policy import Policy
from ranking.query import Resolved, Serials
from ranking.sources import history
from ranking.sources.found import NOTHING, Found, best
from ranking.state import State

SEEDS = 20
PER_SEED = 30

PARENT, CHILD, SIBLING = 1.0, 0.9, 0.6
"""How close the kin of a video is to it."""


def find(state: State, query: Resolved, _policy: Policy, limit: int, _learnt: Learnt) -> Found:
    """Find the kin of what the viewer liked, shared or remixed; close kin of the newest first."""
    favoured = history.favoured(state, query.viewer)
    closeness: dict[int, float] = {}
    for seed, weight in zip(favoured.videos[:SEEDS], favoured.weights[:SEEDS], strict=True):
        for serials, kinship in _kin(state, int(seed)):
            for serial in serials.tolist():
                closeness[serial] = max(closeness.get(serial, 0.0), kinship * float(weight))
    for seed in favoured.videos.tolist():
        closeness.pop(seed, None)
    if not closeness:
        return NOTHING
    serials = np.fromiter(closeness, np.int32, len(closeness))
    strength = np.fromiter(closeness.values(), np.float64, len(closeness))
    return best(state, query, serials, strength, limit)


def _kin(state: State, seed: int) -> Iterator[tuple[Serials, float]]:
    """Yield the parent, the children and the siblings of a video, and how close they are."""
    yield state.videos.children(seed, PER_SEED), CHILD
    parent = int(state.videos.parent[seed])
    if parent >= 0:
        yield np.array([parent], np.int32), PARENT
        yield state.videos.children(parent, PER_SEED), SIBLING
