"""Warming: every loop of a decision is compiled before the first page asks for it."""

from collections.abc import Sequence
from uuid import UUID

from ads.holds import NOBODY, Numbers
from ads.index import Index
from ads.insertion import decide
from ads.lines import HOURS, Cap, Creative, Line, Suitability
from ads.page import Slot
from ads.rules import Rules
from ads.viewer import Viewer

_NOW_MS = 1
_PATIENCE_US = 10**9
_LENGTH = 12


class _Open:
    """Holds that let everybody pay."""

    def hold(self, line_row: int, micros: int, now_ms: int, probability: float = 1.0) -> int | None:
        del line_row, micros, now_ms, probability
        return 1

    def unfunded(self) -> Numbers:
        return NOBODY


def warm_up() -> None:
    """Decide pages of made-up lines, by every way there is through a decision."""
    index = Index.of(_lines(), {}, version=0)
    viewer = Viewer(0, shown_ms={0: (0,)}, videos_in_session=_LENGTH)
    patient = Rules(deadline_us=_PATIENCE_US, explore=0.0)
    curious = Rules(deadline_us=_PATIENCE_US, explore=1.0)
    for rules in (patient, curious):
        decide(index, viewer, _page(), _Open(), rules, _NOW_MS, seed=1)
    index.eligible(viewer, _NOW_MS)


def _lines() -> Sequence[Line]:
    """Return lines of which two may not be on one page, one is capped, and one vetoes."""
    return [
        Line(
            line_id=UUID(int=number),
            campaign_id=UUID(int=100 + number),
            advertiser_id=UUID(int=200 + number // 2),
            kind="cpm",
            bid_micros=10_000 + number,
            creatives=tuple(
                Creative(UUID(int=300 + 2 * number + each), "", 1000, "") for each in range(2)
            ),
            caps=(Cap("line", 1, 1), Cap("creative", 1, 1)),
            suitability=Suitability(blocked_keywords=frozenset({"warm"} if number else ())),
            daypart=(True,) * HOURS,
        )
        for number in range(6)
    ]


def _page() -> Sequence[Slot]:
    return [
        Slot(
            UUID(int=place),
            UUID(int=place),
            keywords=frozenset({"warm"} if place == 1 else ()),
            safety="safe",
        )
        for place in range(_LENGTH)
    ]
