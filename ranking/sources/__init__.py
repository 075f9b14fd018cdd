"""The sources: where candidates come from. One source, one file; each finds them its own way.

A source only reads the state, answers a viewer whom nobody knows, and finds nothing rather than
fail. What may not be shown the filters drop; a source leaves out what was seen, so that its quota
is not spent on it.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from ranking.affinities import Learnt
from ranking.policy import Policy
from ranking.query import Resolved
from ranking.sources import (
    cameo_friends,
    coview,
    following,
    fresh,
    lineage,
    steered,
    taste,
    trending,
)
from ranking.sources.found import Found
from ranking.state import State

__all__ = ["SOURCES", "Found", "Source"]

Find = Callable[[State, Resolved, Policy, int, Learnt], Found]


class Source(NamedTuple):
    """How a source is kept in a bit mask, and how it finds at most so many candidates."""

    bit: int
    find: Find


# The bits are in logged decisions: they never change.
SOURCES: Mapping[str, Source] = {
    "following": Source(0, following.find),
    "trending": Source(1, trending.find),
    "taste": Source(2, taste.find),
    "coview": Source(3, coview.find),
    "lineage": Source(4, lineage.find),
    "cameo_friends": Source(5, cameo_friends.find),
    "fresh": Source(6, fresh.find),
    "steered": Source(7, steered.find),
}
