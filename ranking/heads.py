"""Heads: what the model predicts of a viewer and a video, and how it is told from what followed.

Each head is the probability of one action of the policy (`ranking.policy.ACTIONS`, in that order).
Its label is defined here once, over what a decision led to: the viewing of what was served, and
the reactions, remixes and creations of the 24 hours after.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ranking.policy import ACTIONS
from ranking.signals import COMPLETE_PERMILLE, REWATCH_PERMILLE, is_long, is_skip, permille

Flags = NDArray[np.bool_]

MATURE_MS = 24 * 3_600_000
"""After so long what a decision led to is taken as complete."""

POSITIVES_MIN = 500
"""A head with fewer positives is a smoothed rate instead of trees."""

LISTENED_TO = ("like", "comment", "share", "follow", "remix", "cameo_use", "less", "report")


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What followed of each exposure, column by column.

    `watched_ms` is -1 where nothing was reported: the video may never have been reached. `acted`
    says by head who did what it is named after within `MATURE_MS`; `created` whether the viewer
    published a video of their own in that time.
    """

    watched_ms: NDArray[np.int32]
    loops: NDArray[np.int32]
    duration_ms: NDArray[np.int32]
    acted: Mapping[str, Flags]
    created: Flags

    def __len__(self) -> int:
        return len(self.watched_ms)


class Head(NamedTuple):
    """A head: its action, the label it learns, and the feature that stands in while it is rare."""

    name: str
    label: Callable[[Outcomes], Flags]
    rate: str
    doc: str


def labels(outcomes: Outcomes) -> NDArray[np.bool_]:
    """Return the label of each head for each exposure, (exposures, heads)."""
    return np.column_stack([head.label(outcomes) for head in HEADS])


def _watch(outcomes: Outcomes) -> Flags:
    return _by_row(is_long, outcomes)


def _complete(outcomes: Outcomes) -> Flags:
    return (_permille(outcomes) >= COMPLETE_PERMILLE) | (outcomes.loops >= 1)


def _rewatch(outcomes: Outcomes) -> Flags:
    return (_permille(outcomes) >= REWATCH_PERMILLE) | (outcomes.loops > 1)


def _quick_skip(outcomes: Outcomes) -> Flags:
    skipped = [
        is_skip(watched_ms, loops, duration_ms)
        for watched_ms, loops, duration_ms in _rows(outcomes)
    ]
    return np.array(skipped, np.bool_) & (outcomes.watched_ms >= 0)


def _created(outcomes: Outcomes) -> Flags:
    return outcomes.created


def _acted(action: str) -> Callable[[Outcomes], Flags]:
    def label(outcomes: Outcomes) -> Flags:
        return outcomes.acted.get(action, np.zeros(len(outcomes), np.bool_))

    return label


def _permille(outcomes: Outcomes) -> NDArray[np.int64]:
    shares = [permille(max(watched_ms, 0), ms) for watched_ms, _, ms in _rows(outcomes)]
    return np.array(shares, np.int64)


def _by_row(rule: Callable[[int, int], bool], outcomes: Outcomes) -> Flags:
    return np.array([rule(watched_ms, ms) for watched_ms, _, ms in _rows(outcomes)], np.bool_)


def _rows(outcomes: Outcomes) -> Iterator[tuple[int, int, int]]:
    return zip(
        outcomes.watched_ms.tolist(),
        outcomes.loops.tolist(),
        outcomes.duration_ms.tolist(),
        strict=True,
    )


_BY_ACTION: Mapping[str, tuple[Callable[[Outcomes], Flags], str, str]] = {
    "watch": (_watch, "video_ever_long_watches", "watched long for a video of this length"),
    "complete": (_complete, "video_ever_completions", "watched to the end"),
    "rewatch": (_rewatch, "video_ever_completions", "watched twice or more"),
    "like": (_acted("like"), "video_ever_likes", "liked"),
    "comment": (_acted("comment"), "video_acts_comments", "commented on"),
    "share": (_acted("share"), "video_acts_shares", "shared"),
    "follow": (_acted("follow"), "video_acts_follows", "followed the author"),
    "remix": (_acted("remix"), "video_acts_remixes", "remixed"),
    "cameo_use": (_acted("cameo_use"), "video_acts_remixes", "cast a cameo of it"),
    "create_24h": (_created, "video_acts_remixes", "published a video of one's own"),
    "quick_skip": (_quick_skip, "video_ever_quick_skips", "went on at once"),
    "less": (_acted("less"), "video_acts_less", "asked to see less like it"),
    "report": (_acted("report"), "video_acts_reports", "reported"),
}

HEADS: tuple[Head, ...] = tuple(Head(action, *_BY_ACTION[action]) for action in ACTIONS)
HEAD_INDEX: Mapping[str, int] = {head.name: place for place, head in enumerate(HEADS)}
