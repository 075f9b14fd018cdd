"""Consent: a video stays in no feed once one of those who appear in it has recalled their cameo."""

import numpy as np

from ranking.filters.verdict import Verdicts, any_of, dropped
from ranking.policy import Policy
from ranking.query import Resolved, Serials
from ranking.state import State


def judge(state: State, _query: Resolved, _policy: Policy, serials: Serials) -> Verdicts:
    """Drop videos with a cameo that was revoked, whoever looks."""
    if not len(state.cameos.revoked) or not state.videos.cameo_counts[serials].any():
        return dropped(np.zeros(len(serials), np.bool_))
    offsets, cameos = state.videos.cameos_of(serials)
    return dropped(any_of(offsets, state.cameos.revoked[cameos]))
