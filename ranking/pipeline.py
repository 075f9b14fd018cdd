"""The pipeline: from a query to a slate, by way of sources, filters, two stages and a selection.

Pure: the same state, ranker, policy and query give the same decision, byte for byte. There is no
clock, no I/O and no chance but from the query's seed.
"""

from collections.abc import Mapping
from hashlib import blake2b
from typing import NamedTuple
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from ranking import candidates as gathering
from ranking import decision as decisions
from ranking.candidates import Candidates
from ranking.compiled import compiled
from ranking.decision import Decision, Placed
from ranking.experiments import policy_in
from ranking.features import FEATURES
from ranking.policy import ACTIONS, Policy
from ranking.query import NOBODY, Query, Resolved, resolve
from ranking.ranker import Matrix, Ranker
from ranking.selection import slates
from ranking.selection.slates import Slate
from ranking.state import State
from ranking.steering.effect import Effect, effect

_SURFACES: Mapping[str, int] = {"for_you": 1, "popular": 4}
_MOVED_BY = 3
_NAMES = tuple(feature.name for feature in FEATURES)
_EVEN = 1e-12  # worths that differ by less are the same


class _Scored(NamedTuple):
    """The candidates' features, what stage 1 made of them, and stage 2 of the best (`rows`).

    `worth` is in standard deviations among the candidates, NaN where stage 2 was not reached.
    """

    features: Matrix
    first: NDArray[np.float64]
    rows: NDArray[np.int64]
    predictions: Matrix
    worth: NDArray[np.float64]


def rank(state: State, ranker: Ranker, policy: Policy, query: Query) -> Decision:
    """Decide on a slate: an answer to every query, of whomever and of however few videos."""
    resolved = resolve(query, state.people, state.videos)
    if resolved.viewer >= 0 and not state.people.personalised[resolved.viewer]:
        resolved = resolved._replace(is_personal=False)
    arms: Mapping[str, str] = {}
    weights: Mapping[str, float] = policy.weights
    if resolved.is_personal:
        policy, arms = policy_in(policy, state.active.experiments, query.viewer)
        weights = policy.for_viewer(query.viewer)
    size = min(query.size, policy.size)
    found = gathering.gather(state, ranker, policy, resolved, enough=2 * size)
    viewer = resolved.viewer if resolved.is_personal else NOBODY
    steering = effect(state, viewer, found.serials, query.as_of_ms, policy.steering)
    found = gathering.asked_for(found, steering.promises)
    open_ = slates.arms_of(state, found.serials, policy.exploration, query.seed)
    scored = _score(state, ranker, policy, resolved, found, weights, steering, open_.places)
    slate = slates.select(
        state, resolved, policy, found.serials, scored.worth, open_, steering, size
    )
    placed = _placed(state, ranker, weights, found, scored, slate)
    return Decision(
        decision=query.decision,
        viewer=UUID(bytes=query.viewer),
        kind=query.kind,
        as_of_ms=query.as_of_ms,
        seed=query.seed,
        size=size,
        pending=[UUID(bytes=video) for video in query.pending],
        domain_position=state.version[0],
        view_position=state.version[1],
        model=ranker.digest,
        policy=policy.version,
        arms=arms,
        is_drawn=slate.is_drawn,
        feature_hash=blake2b(scored.features.tobytes(), digest_size=8).hexdigest(),
        heads=list(ACTIONS),
        verdicts=found.rules,
        candidates=decisions.Candidates(
            serials=found.serials.tolist(),
            sources=found.sources.tolist(),
            first=np.round(scored.first, 4).tolist(),
            score=_or_null(np.round(scored.worth, 4)),
        ),
        order=placed,
    )


def _score(  # noqa: PLR0913, PLR0917 - what a score depends on
    state: State,
    ranker: Ranker,
    policy: Policy,
    query: Resolved,
    found: Candidates,
    weights: Mapping[str, float],
    steering: Effect,
    explored: NDArray[np.int64],
) -> _Scored:
    """Score all by stage 1, the best, what is promised and what is to be explored by stage 2."""
    viewer = query.viewer if query.is_personal else -1
    features = state.read(
        viewer,
        found.serials,
        query.as_of_ms,
        surface=_SURFACES[query.query.kind],
        coview=ranker.affinities,
    )
    boost = steering.boost
    first = _standard(ranker.utility(ranker.first(features), weights)) + boost
    best = np.argsort(-first, kind="stable")[: policy.limits.second]
    promised = slates.promised(steering.promises, first, min(query.query.size, policy.size))
    rows = np.union1d(np.union1d(best, promised), explored)
    predictions = ranker.second(features[rows])
    worth = np.full(len(found.serials), np.nan)
    worth[rows] = _standard(ranker.utility(predictions, weights)) + boost[rows]
    return _Scored(features, first, rows, predictions, worth)


def _placed(  # noqa: PLR0913, PLR0917 - what is told of each place
    state: State,
    ranker: Ranker,
    weights: Mapping[str, float],
    found: Candidates,
    scored: _Scored,
    slate: Slate,
) -> list[Placed]:
    """Tell of each place of the slate what stands there, and why."""
    rows = np.searchsorted(scored.rows, slate.places)
    predicted = scored.predictions[rows]
    predictions = np.round(predicted.astype(np.float64), 6).tolist()
    features = scored.features[slate.places]
    added = ranker.contributions(features, weights, predicted).astype(np.float64)
    if len(added):
        added -= added.mean(axis=0)  # what moved all alike moved none
    most = _greatest(np.abs(added))
    moved = np.round(np.take_along_axis(added, most, axis=1), 4)
    propensities = _or_null(np.round(slate.log_propensity, 6))
    scores = np.round(scored.worth[slate.places], 4).tolist()
    serials, bits = found.serials[slate.places].tolist(), found.sources[slate.places].tolist()
    return [
        Placed(
            video=UUID(bytes=state.videos.id_of(serials[number])),
            slot=slate.slots[number],
            sources=gathering.source_names(bits[number]),
            score=scores[number],
            log_propensity=propensities[number],
            predictions=predictions[number],
            moved_by=[(_NAMES[feature], by) for feature, by in zip(*moves, strict=True)],
            rule=found.judged.warning(place),
        )
        for number, (place, *moves) in enumerate(
            zip(slate.places.tolist(), most.tolist(), moved.tolist(), strict=True)
        )
    ]


def _standard(worth: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return worths in standard deviations from their mean, all 0 where they are all the same."""
    exact: NDArray[np.float64] = worth.astype(np.float64)
    if len(exact):
        exact -= exact.mean()
        exact /= max(float(exact.std()), _EVEN)
    # Rounded, so that the last bits of a sum on another machine turn no order.
    return np.round(exact, 6)


@compiled
def _greatest(sizes: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the places of the greatest of each row; of equals, the first come first."""
    found = np.zeros((len(sizes), _MOVED_BY), np.int64)
    for row in range(len(sizes)):
        count = 0
        for place in range(sizes.shape[1]):
            size, at = sizes[row, place], count
            while at > 0 and size > sizes[row, found[row, at - 1]]:
                if at < _MOVED_BY:
                    found[row, at] = found[row, at - 1]
                at -= 1
            if at < _MOVED_BY:
                found[row, at] = place
                count = min(count + 1, _MOVED_BY)
    return found


def _or_null(numbers: NDArray[np.float64]) -> list[float | None]:
    return [None if number != number else number for number in numbers.tolist()]  # noqa: PLR0124 - NaN
