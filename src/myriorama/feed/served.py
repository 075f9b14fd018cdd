"""Served: what this process has shown each viewer in their feeds during the last day.

Beside each video stands the decision that showed it first.
"""

from collections import OrderedDict
from collections.abc import Sequence
from typing import NamedTuple

_KEPT_MS = 86_400_000
_VIDEOS_OF_ONE_MAX = 5_000
_PAGES_APART_MAX = 32


class _Mark(NamedTuple):
    """When a video was shown last, and which decision showed it first."""

    at_ms: int
    decision_id: bytes


class _Page(NamedTuple):
    """A page that was shown, from when to when again and again; the decision is the first one's."""

    since_ms: int
    at_ms: int
    decision_id: bytes
    video_ids: Sequence[bytes]


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
        self._kept: OrderedDict[bytes, _Shown] = OrderedDict()

    def add(
        self, viewer_id: bytes, video_ids: Sequence[bytes], *, at_ms: int, decision_id: bytes
    ) -> None:
        """Remember that a decision showed these, in this order, which nobody changes any more."""
        kept = self._kept
        shown = kept.get(viewer_id)
        if shown is None:
            shown = kept[viewer_id] = _Shown()
        before = shown.count
        shown.add(video_ids, at_ms, decision_id)
        self._videos += shown.count - before
        kept.move_to_end(viewer_id)
        while len(kept) > 1 and (len(kept) > self._viewers_max or self._videos > self._videos_max):
            self._videos -= kept.popitem(last=False)[1].count

    def to(self, viewer_id: bytes, *, at_ms: int) -> list[bytes]:
        """Return what the viewer was shown in the day before, oldest first, each once."""
        marks = self._marks(viewer_id)
        return [video_id for video_id, mark in marks.items() if mark.at_ms >= at_ms - _KEPT_MS]

    def by(self, viewer_id: bytes, video_id: bytes, *, at_ms: int) -> bytes | None:
        """Return the decision that showed the viewer the video in the day before, if one did."""
        mark = self._marks(viewer_id).get(video_id)
        return None if mark is None or mark.at_ms < at_ms - _KEPT_MS else mark.decision_id

    def _marks(self, viewer_id: bytes) -> dict[bytes, _Mark]:
        shown = self._kept.get(viewer_id)
        if shown is None:
            return {}
        before = shown.count
        shown.go_through()
        self._videos += shown.count - before
        return shown.marks


class _Shown:
    """What one viewer was shown: the latest pages, and each video of those before, oldest first.

    A page is gone through, video by video, only when that matters to a ranked feed, or when many
    have come: most pages of feeds that are not ranked are the same as the one before.
    """

    __slots__ = ("count", "marks", "pages")

    def __init__(self) -> None:
        self.count = 0
        self.marks: dict[bytes, _Mark] = {}
        self.pages: list[_Page] = []

    def add(self, video_ids: Sequence[bytes], at_ms: int, decision_id: bytes) -> None:
        pages = self.pages
        if pages:
            last = pages[-1]
            if last.video_ids == video_ids and last.at_ms >= at_ms - _KEPT_MS:
                pages[-1] = _Page(last.since_ms, at_ms, last.decision_id, video_ids)
                return
        pages.append(_Page(at_ms, at_ms, decision_id, video_ids))
        self.count += len(video_ids)
        if len(pages) > _PAGES_APART_MAX or self.count > _VIDEOS_OF_ONE_MAX:
            self.go_through()

    def go_through(self) -> None:
        """Mark each video of the latest pages."""
        marks = self.marks
        for page in self.pages:
            first = _Mark(page.at_ms, page.decision_id)
            for video_id in page.video_ids:
                before = marks.pop(video_id, None)
                if before is None or before.at_ms < page.since_ms - _KEPT_MS:
                    marks[video_id] = first
                else:
                    marks[video_id] = _Mark(page.at_ms, before.decision_id)
        self.pages.clear()
        while len(marks) > _VIDEOS_OF_ONE_MAX:
            del marks[next(iter(marks))]
        self.count = len(marks)
