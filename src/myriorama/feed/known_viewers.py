"""What ads may know of one viewer: who they are, and when they were shown what counts."""

from bisect import bisect_right, insort
from collections.abc import Iterable
from dataclasses import dataclass, field
from uuid import UUID

from ads.viewer import Shown
from myriorama.feed.ad_preferences import NO_CHOICES, AdChoices
from myriorama.feed.ad_sessions import BEGUN, Session

HOUR_MS = 3_600_000


@dataclass(frozen=True, slots=True)
class Showing:
    """An ad that was shown, and the numbers of the IDs that it counts for."""

    ad_decision_id: UUID
    counts_for: tuple[int, ...]
    decided_ms: int
    expires_ms: int


@dataclass(slots=True)
class Known:
    """What is in memory of a viewer. `is_minor` also where nobody knows their age.

    `open` is what was shown and may yet be reported; of what is older, the times alone are kept.
    """

    pseudonym: int
    age_band: str = ""
    is_minor: bool = True
    is_contextual: bool = True
    interests: frozenset[str] = frozenset()
    choices: AdChoices = NO_CHOICES
    read_ms: int = 0
    open: dict[UUID, Showing] = field(default_factory=dict[UUID, Showing])
    shown: Shown = field(default_factory=dict[int, tuple[int, ...]])
    lately: list[int] = field(default_factory=list[int])
    session: Session = BEGUN
    served_ms: int = 0
    times: int = 0
    weight: int = 0

    def add(self, showing: Showing) -> bool:
        """Count a showing that may yet be reported, once."""
        if showing.ad_decision_id in self.open:
            return False
        self.open[showing.ad_decision_id] = showing
        self._count([showing])
        return True

    def settle(self, ad_decision_id: UUID, *, is_seen: bool) -> None:
        """Keep the time alone of what was seen in its time, and nothing of what was not."""
        showing = self.open.pop(ad_decision_id, None)
        if showing is None or is_seen:
            return
        # Who decides now keeps the times as they were.
        shown = dict(self.shown)
        for of in showing.counts_for:
            times = list(shown.pop(of, ()))
            if showing.decided_ms in times:
                times.remove(showing.decided_ms)
                self.times -= 1
            if times:
                shown[of] = tuple(times)
        self.shown = shown
        if showing.decided_ms in self.lately:
            self.lately.remove(showing.decided_ms)

    def recount(self, seen: Iterable[Showing]) -> None:
        """Count what was seen, as it is on record, and what may yet be reported, and nothing else.

        Times go that are older than any cap.
        """
        self.shown, self.lately, self.times = {}, [], 0
        self._count([each for each in seen if each.ad_decision_id not in self.open])
        self._count(self.open.values())

    def shown_ms(self) -> Shown:
        """Return when what was shown, of all that counts. It changes no more."""
        return self.shown

    def in_last_hour(self, now_ms: int) -> int:
        """Return how many ads were shown in the hour before."""
        return len(self.lately) - bisect_right(self.lately, now_ms - HOUR_MS)

    def _count(self, showings: Iterable[Showing]) -> None:
        found: dict[int, list[int]] = {}
        for each in showings:
            insort(self.lately, each.decided_ms)
            self.times += len(each.counts_for)
            for of in each.counts_for:
                found.setdefault(of, []).append(each.decided_ms)
        if self.lately:
            del self.lately[: bisect_right(self.lately, self.lately[-1] - HOUR_MS)]
        added = {of: tuple(sorted((*self.shown.get(of, ()), *at))) for of, at in found.items()}
        self.shown = {**self.shown, **added}
