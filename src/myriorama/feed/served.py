"""Served: what this process has shown each viewer in their ranked feeds during the last day."""

from collections import OrderedDict, deque
from collections.abc import Iterable
from itertools import islice

_KEPT_MS = 86_400_000
_VIDEOS_MAX = 5_000


class Served:
    """Remembers it, so that nothing comes again before the logs have told that it was shown.

    What was shown and never watched may come again some hours later, but not while somebody still
    scrolls on from there. Viewers who were not shown anything for longest are forgotten first.
    """

    def __init__(self, *, viewers_max: int = 20_000) -> None:
        self._viewers_max = viewers_max
        self._kept: OrderedDict[bytes, deque[tuple[int, bytes]]] = OrderedDict()

    def add(self, viewer_id: bytes, video_ids: Iterable[bytes], *, at_ms: int) -> None:
        """Remember that these were shown, in this order."""
        shown = self._kept.setdefault(viewer_id, deque(maxlen=_VIDEOS_MAX))
        shown.extend((at_ms, video_id) for video_id in video_ids)
        self._kept.move_to_end(viewer_id)
        if len(self._kept) > self._viewers_max:
            self._kept.popitem(last=False)

    def to(self, viewer_id: bytes, *, at_ms: int) -> list[bytes]:
        """Return what the viewer was shown in the day before, oldest first, each once."""
        shown = self._kept.get(viewer_id)
        if shown is None:
            return []
        while shown and shown[0][0] < at_ms - _KEPT_MS:
            shown.popleft()
        newest_first = dict.fromkeys(video_id for _, video_id in reversed(shown))
        return [*islice(newest_first, len(newest_first))][::-1]
