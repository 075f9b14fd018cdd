"""Exploration: which new videos and creators get a chance, and what is believed of them.

A new video is shown until it was shown a guaranteed number of times, whoever made it; then its
counts speak for it. What is believed of one is a beta distribution over how often it is liked,
remixed or shared when it is shown: what is known of its creator, and then what became of itself.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ranking.draws import betas, hashed
from ranking.policy import Exploration
from ranking.query import Serials
from ranking.signals import Signal
from ranking.state import State

THETA_DRAWS = 32

_WANTED = (Signal.LIKES, Signal.SHARES, Signal.COMMENTS, Signal.BOOKMARKS, Signal.REMIXES)
_REPORTS_MAX = 2
_STREAM = 3


class Arms(NamedTuple):
    """What is explored: places among the candidates, and the draws (times, arms) of each.

    `is_fresh`: the video itself was shown less often than is guaranteed.
    """

    places: NDArray[np.int64]
    is_fresh: NDArray[np.bool_]
    thetas: NDArray[np.float64]


def arms(state: State, serials: Serials, policy: Exploration, seed: int) -> Arms:
    """Return the arms among the candidates that may be shown: those shown least come first."""
    videos, authors = serials, state.videos.author[serials]
    shown = state.counts.video.total(Signal.IMPRESSIONS, videos)
    of_author = state.counts.author.total(Signal.IMPRESSIONS, authors)
    is_fresh = shown < policy.guarantee
    is_open = is_fresh | (of_author < policy.creator_guarantee)
    is_open &= state.counts.video.total(Signal.REPORTS, videos) < _REPORTS_MAX
    found = np.flatnonzero(is_open)
    if not len(found) or not policy.pool:
        none = np.zeros(0, np.int64)
        return Arms(none, none.astype(np.bool_), np.zeros((THETA_DRAWS, 0)))
    turns = hashed(np.uint64(seed), serials[found].astype(np.uint64))
    found = found[np.lexsort((turns, shown[found], ~is_fresh[found]))][: policy.pool]
    alphas, others = _beliefs(state, videos[found], authors[found], policy)
    return Arms(
        found, is_fresh[found], betas(alphas, others, THETA_DRAWS, np.uint64(seed), _STREAM)
    )


def _beliefs(
    state: State, videos: Serials, authors: Serials, policy: Exploration
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the parameters of the beta distribution of each video, with its creator as prior."""
    strength = policy.alpha + policy.beta
    of_video, of_author = state.counts.video, state.counts.author
    shown = of_video.total(Signal.IMPRESSIONS, videos).astype(np.float64)
    wanted = np.minimum(sum(of_video.total(signal, videos) for signal in _WANTED), shown)
    by_author = of_author.total(Signal.IMPRESSIONS, authors).astype(np.float64)
    from_author = np.minimum(sum(of_author.total(signal, authors) for signal in _WANTED), by_author)
    prior = (from_author + policy.alpha) / (by_author + strength)
    return prior * strength + wanted, (1.0 - prior) * strength + shown - wanted
