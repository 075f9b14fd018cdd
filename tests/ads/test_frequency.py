"""Frequency caps count what was seen, and what is on its way and still may be."""

from ads.frequency import Caps, Showing, shown
from ads.lines import Cap
from myriorama.bench.ad_markets import line

CAPPED = line(1, caps=(Cap("line", 2, 3600), Cap("advertiser", 3, 86_400)))
# What was shown before, and how often, is told beside what has reached a cap.
IDS = CAPPED.ids_of(CAPPED.creatives[0])


def _showing(decided_ms: int, *, seen: bool) -> Showing:
    return Showing(IDS, decided_ms, expires_ms=decided_ms + 600_000, seen=seen)


def test_what_was_served_counts_at_once_and_no_longer_than_its_token() -> None:
    served = [_showing(1000, seen=False), _showing(2000, seen=False)]
    caps = Caps([CAPPED])

    assert caps.reached(shown(served, now_ms=3000), 3000) == ([0], [], [0, 2])
    assert caps.reached(shown(served, now_ms=601_500), 601_500) == ([], [], [0, 1])


def test_what_was_seen_counts_until_its_window_has_passed() -> None:
    seen = [_showing(1000, seen=True), _showing(2000, seen=True)]
    caps = Caps([CAPPED])

    assert caps.reached(shown(seen, now_ms=3_600_999), 3_600_999) == ([0], [], [0, 2])
    assert caps.reached(shown(seen, now_ms=3_601_000), 3_601_000) == ([], [], [0, 2])


def test_each_cap_has_a_window_of_its_own() -> None:
    seen = [_showing(at, seen=True) for at in (0, 4_000_000, 8_000_000)]
    caps = Caps([CAPPED])

    # Only one within the hour, but three within the day.
    assert caps.reached(shown(seen, now_ms=8_000_001), 8_000_001) == ([0], [], [0, 3])


def test_a_cap_of_nothing_holds_from_the_start() -> None:
    none = line(2, caps=(Cap("line", 0, 60), Cap("creative", 0, 60)))

    assert Caps([CAPPED, none]).reached({}, 0) == ([1], [1], [])
