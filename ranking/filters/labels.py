"""Labels: from what a policy says of each to the verdict on videos that have some of them."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from domain.video.labels import LABELS
from ranking.filters.verdict import ALLOW, DROP, INTERSTITIAL, Verdicts
from ranking.policy import Verdict

_VERDICTS: Mapping[Verdict, int] = {"allow": ALLOW, "interstitial": INTERSTITIAL, "drop": DROP}


def verdicts_of(rules: Mapping[str, Verdict], labels: NDArray[np.uint32]) -> Verdicts:
    """Return the strictest verdict on each video, whose labels are bits in the order of LABELS."""
    verdicts = np.full(len(labels), ALLOW, np.int8)
    if not labels.any():
        return verdicts
    for bit, label in enumerate(LABELS):
        verdict = _VERDICTS[rules.get(label, "allow")]
        if verdict != ALLOW:
            has_label = labels >> np.uint32(bit) & np.uint32(1) == 1
            verdicts[has_label] = np.maximum(verdicts[has_label], verdict)
    return verdicts
