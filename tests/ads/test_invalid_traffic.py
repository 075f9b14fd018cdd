"""Marks on single reports: who is on a list, and what no viewer can have done."""

import pytest

from ads.beacons import Beacon
from ads.invalid_traffic import Arrival, InvalidTraffic, Mark
from ads.prefixes import Prefixes

PHONE = (
    "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/141.0.0.0 Mobile Safari/537.36"
)
NOON_MS = 1_700_000_000_000
RULES = InvalidTraffic(Prefixes(["192.0.2.0/24"]), apps=("Myriorama/",))


def arrival(
    beacon: Beacon,
    after_ms: int,
    *,
    agent: str = PHONE,
    address: str = "203.0.113.5",
    duration_ms: int | None = 8_000,
) -> Arrival:
    """Return a report of a decision at noon."""
    return Arrival(beacon, NOON_MS, NOON_MS + after_ms, agent, address, duration_ms)


@pytest.mark.parametrize(
    ("beacon", "after_ms"),
    [
        (Beacon.VIEWABLE, 2_000),
        (Beacon.CLICK, 900),
        (Beacon.COMPLETE, 8_000),
        (Beacon.MUTE, 0),
        (Beacon.HIDE, 100),
        (Beacon.REPORT, 100),
        (Beacon.SKIP, 100),
    ],
)
def test_what_a_viewer_does_in_their_time_has_no_mark(beacon: Beacon, after_ms: int) -> None:
    assert RULES.mark(arrival(beacon, after_ms)) is None


@pytest.mark.parametrize(
    "agent",
    [
        "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
        "python-requests/2.32.3",
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 HeadlessChrome/141.0.0.0 Safari/537.36",
    ],
)
def test_a_crawler_is_marked_by_its_name(agent: str) -> None:
    assert RULES.mark(arrival(Beacon.VIEWABLE, 9_000, agent=agent)) == Mark("crawler", "general")


def test_an_own_app_is_no_crawler_whatever_it_is_made_of() -> None:
    agent = "Myriorama/3.1 okhttp/4.12.0"

    assert RULES.mark(arrival(Beacon.VIEWABLE, 9_000, agent=agent)) is None
    assert InvalidTraffic(Prefixes([])).mark(arrival(Beacon.VIEWABLE, 9_000, agent=agent)) == Mark(
        "crawler", "general"
    )


def test_who_tells_no_name_is_marked() -> None:
    found = RULES.mark(arrival(Beacon.VIEWABLE, 9_000, agent="  "))

    assert found == Mark("no_agent", "general")


def test_nobody_watches_in_a_data_centre() -> None:
    found = RULES.mark(arrival(Beacon.VIEWABLE, 9_000, address="192.0.2.77"))

    assert found == Mark("data_centre", "general")


@pytest.mark.parametrize(
    ("beacon", "after_ms", "rule"),
    [
        (Beacon.VIEWABLE, 1_499, "view_too_soon"),
        (Beacon.CLICK, 299, "click_too_soon"),
        (Beacon.FIRST_QUARTILE, 1_499, "played_too_soon"),
        (Beacon.MIDPOINT, 3_499, "played_too_soon"),
        (Beacon.THIRD_QUARTILE, 5_499, "played_too_soon"),
        (Beacon.COMPLETE, 7_199, "played_too_soon"),
        (Beacon.VIEWABLE, -501, "before_decision"),
        (Beacon.HIDE, -501, "before_decision"),
    ],
)
def test_what_takes_time_is_marked_when_it_took_none(
    beacon: Beacon, after_ms: int, rule: str
) -> None:
    found = RULES.mark(arrival(beacon, after_ms))

    assert found is not None
    assert found.rule == rule
    # One millisecond more, and a server's clock that is as late as it may be explains it.
    assert RULES.mark(arrival(beacon, after_ms + 1)) != found


@pytest.mark.parametrize(
    ("duration_ms", "least_ms"), [(1_000, 500), (4_000, 3_500), (8_000, 7_200), (60_000, 54_000)]
)
def test_a_video_ends_after_nine_tenths_of_it_unless_clocks_differ(
    duration_ms: int, least_ms: int
) -> None:
    early, late = (
        RULES.mark(arrival(Beacon.COMPLETE, least_ms - less_ms, duration_ms=duration_ms))
        for less_ms in (1, 0)
    )

    assert early == Mark("played_too_soon", "general")
    assert late is None


def test_an_ad_of_unknown_length_may_end_at_any_time() -> None:
    assert RULES.mark(arrival(Beacon.COMPLETE, 100, duration_ms=None)) is None
