"""Served: what this process has shown each viewer in their feeds during the last day.

Beside each video stands the decision that showed it first.
"""

from collections import OrderedDict
from collections.abc import Iterable
from typing import NamedTuple

_KEPT_MS = 86_400_000
_VIDEOS_OF_ONE_MAX = 5_000


class _Mark(NamedTuple):
    """When a video was shown last, and which decision showed it first."""

    at_ms: int
    decision_id: bytes


class Served:
    """Remembers it, so that nothing comes again before the logs have told that it was shown.

    What was shown and never watched may come again some hours later, but not while somebody still
    scrolls on from there. Viewers who were not shown anything for longest are forgotten first.
    """

    def __init__(self, *, viewers_max: int = 20_000, videos_max: int = 1_000_000) -> None:
        """Take how many viewers are remembered, and how many videos of all of them together."""
        self._viewers_max = viewers_max
        self._videos_max = videos_max
        self._videos = 0
        self._kept: OrderedDict[bytes, dict[bytes, _Mark]] = OrderedDict()

    def add(
        self, viewer_id: bytes, video_ids: Iterable[bytes], *, at_ms: int, decision_id: bytes
    ) -> None:
        """Remember that a decision showed these, in this order."""
        shown = self._kept.setdefault(viewer_id, {})
        self._videos -= len(shown)
        mark = _Mark(at_ms, decision_id)
        for video_id in video_ids:
            before = shown.pop(video_id, None)
            is_first = before is None or before.at_ms < at_ms - _KEPT_MS
            shown[video_id] = mark if is_first or before is None else before._replace(at_ms=at_ms)
        while len(shown) > _VIDEOS_OF_ONE_MAX:
            del shown[next(iter(shown))]
        self._videos += len(shown)
        self._kept.move_to_end(viewer_id)
        while len(self._kept) > 1 and (
            len(self._kept) > self._viewers_max or self._videos > self._videos_max
        ):
            self._videos -= len(self._kept.popitem(last=False)[1])

    def to(self, viewer_id: bytes, *, at_ms: int) -> list[bytes]:
        """Return what the viewer was shown in the day before, oldest first, each once."""
        shown = self._kept.get(viewer_id, {})
        return [video_id for video_id, mark in shown.items() if mark.at_ms >= at_ms - _KEPT_MS]

    def by(self, viewer_id: bytes, video_id: bytes, *, at_ms: int) -> bytes | None:
        """Return the decision that showed the viewer the video in the day before, if one did."""
        mark = self._kept.get(viewer_id, {}).get(video_id)
        return None if mark is None or mark.at_ms < at_ms - _KEPT_MS else mark.decision_id
