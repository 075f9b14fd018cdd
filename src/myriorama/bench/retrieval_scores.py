"""How good lists are that were made of the whole catalogue: measured against what was watched."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Serials = NDArray[np.int32]

_TOP = 10
_LIST = 100
_DISCOUNTS = 1 / np.log2(np.arange(2, _TOP + 2))
_IDEAL = np.cumsum(_DISCOUNTS)


class Retrieval(NamedTuple):
    """Means over viewers: NDCG and recall of the first 10, recall of the first 100 and of all."""

    ndcg10: float
    r10: float
    r100: float
    candidate_recall: float

    def figures(self) -> Mapping[str, float]:
        """Return the measures by the names they have in the benchmark."""
        return {
            "retrieval_ndcg10": self.ndcg10,
            "retrieval_r10": self.r10,
            "retrieval_r100": self.r100,
            "candidate_recall": self.candidate_recall,
        }


def scored(lists: Sequence[Serials], wanted: Sequence[Serials]) -> Retrieval:
    """Score a list for each viewer, best first, against what the viewer then watched."""
    each = [_one(found, watched) for found, watched in zip(lists, wanted, strict=True)]
    if not each:
        raise ValueError("There is nobody to score lists for.")
    return Retrieval(*(float(mean) for mean in np.mean(np.array(each), axis=0)))


def _one(found: Serials, watched: Serials) -> tuple[float, float, float, float]:
    hits = np.isin(found, watched)
    count = len(watched)
    gain = float((hits[:_TOP] * _DISCOUNTS[: min(_TOP, len(hits))]).sum())
    return (
        gain / float(_IDEAL[min(_TOP, count) - 1]),
        float(hits[:_TOP].sum()) / count,
        float(hits[:_LIST].sum()) / count,
        float(hits.sum()) / count,
    )
