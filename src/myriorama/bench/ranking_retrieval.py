"""Retrieval over the whole catalogue: who was brought what they then watched long, and how high up.

Everybody who watches something new to them for long after the cut is asked for once, at the cut.
The candidates are those of the pipeline's own sources over the pipeline's own state, the features
its own features; an order is learnt the same way four days earlier, of what was watched then.
"""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta, timezone
from pathlib import Path

import numpy as np

from myriorama.bench import retrieval_peers
from myriorama.bench.outcome import Progress
from myriorama.bench.retrieval_scores import scored
from myriorama.bench.retrieval_shelves import audience, examples, ordered, shelves
from ranking.importing.kuairand import load
from ranking.training import affinities, forests

LEARNT_BEFORE = timedelta(days=4)
GROWTH = forests.Growth(trees=150, rate=0.05, leaves=31, columns=0.4, seeds=2)

_ZONE = timezone(timedelta(hours=8))


def midnight_ms(day: date) -> int:
    """Return when a day begins where the log was written."""
    return int(datetime.combine(day, time(), _ZONE).timestamp() * 1000)


def measure_retrieval(
    data: Path, test_from: date, progress: Progress
) -> tuple[Mapping[str, float], Mapping[str, Mapping[str, float]]]:
    """Learn an order of what was watched before the day, and score it from that day on.

    Returns:
        The figures, and those of each peer by its name.
    """
    imported = load(data)
    cut_ms, earlier_ms = midnight_ms(test_from), midnight_ms(test_from - LEARNT_BEFORE)
    state = imported.state()
    until, then = imported.before(earlier_ms), imported.before(cut_ms)
    state.fold(imported.deeds.take(slice(0, until)))
    earlier = audience(imported, earlier_ms, cut_ms)
    progress(f"retrieval: learning of {len(earlier.viewers):,} viewers")
    features, was_wanted = examples(shelves(state, affinities.fit(state), earlier), earlier)
    # That only some of the unwanted are learnt of moves all chances alike, and no order.
    forest = forests.classify(features, was_wanted, GROWTH)
    boosting = retrieval_peers.boosting(state, earlier)
    state.fold(imported.deeds.take(slice(until, then)))
    tested = audience(imported, cut_ms)
    lists = ordered(shelves(state, affinities.fit(state), tested), forest.score)
    found = scored(lists, tested.wanted)
    count = float(np.mean([*map(len, lists)]))
    progress(f"retrieval: {len(lists):,} viewers, {count:.0f} candidates each: {found}")
    peers = retrieval_peers.scores(state, tested, boosting, progress)
    return {**found.figures(), "candidates": count}, peers
