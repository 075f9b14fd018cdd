"""What recorded pages are worth today: to whom may be shown on them, when they came."""

from datetime import UTC, date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
import numpy as np

from ads.index import Index
from ads.lines import Cap, Creative, Line, Suitability, Targeting
from ads.opportunities import Day, Opportunity, coming
from ads.viewer import Viewer

TODAY = date(2026, 11, 22)
HOUR_MS = 3_600_000
ALICE = Viewer(pseudonym=1, country="DE")
BOB = Viewer(pseudonym=2, country="FR")
LINE = Line(
    line_id=UUID(int=1),
    campaign_id=UUID(int=2),
    advertiser_id=UUID(int=3),
    kind="cpm",
    bid_micros=4_000,
    creatives=(
        Creative(
            creative_id=UUID(int=4),
            video_key="videos/a.mp4",
            duration_ms=4_000,
            click_url="https://shop.example.com",
            call_to_action="shop_now",
            category="toys",
            cameo_ids=(),
            ai_label=True,
        ),
    ),
    targeting=Targeting(),
    caps=(),
    suitability=Suitability(),
    category="toys",
    flight_from_ms=0,
    flight_until_ms=1 << 62,
    daypart=None,
    guaranteed=False,
    zone="UTC",
)


def at(hour: float, *, days_ago: int = 1) -> int:
    midnight = datetime(2026, 11, 22, tzinfo=UTC).timestamp() * 1000
    return round(midnight + hour * HOUR_MS - days_ago * 24 * HOUR_MS)


def looked(line: Line, *pages: Opportunity) -> "np.ndarray[tuple[int, ...], np.dtype[np.float64]]":
    index = Index.of([line], {}, 0)
    ahead = coming(index, [Day.of(TODAY, ZoneInfo(line.zone))], pages, slices=24)
    return ahead.value[:, 0]


def test_a_page_counts_in_the_hour_in_which_it_came_as_often_as_it_stands_for() -> None:
    once = looked(LINE, Opportunity(at(9.5), ALICE, 1.0))
    thrice = looked(LINE, Opportunity(at(9.5, days_ago=3), ALICE, 3.0))

    assert np.flatnonzero(once).tolist() == [9]
    assert 0 < once[9] < 4_000
    assert np.allclose(thrice, 3 * once)


def test_a_page_counts_for_whom_may_be_shown_on_it_alone() -> None:
    of_germans = msgspec.structs.replace(LINE, targeting=Targeting(countries=frozenset({"DE"})))

    assert looked(of_germans, Opportunity(at(1), ALICE, 1.0)).sum() > 0
    assert looked(of_germans, Opportunity(at(1), BOB, 1.0)).sum() == 0


def test_a_cap_that_was_reached_then_counts_now() -> None:
    capped = msgspec.structs.replace(LINE, caps=(Cap("line", 1, 3_600),))
    minutes_ago = {LINE.line_id.int: (at(8.9),)}
    tired = msgspec.structs.replace(ALICE, shown_ms=minutes_ago)

    assert looked(capped, Opportunity(at(9), tired, 1.0)).sum() == 0
    assert looked(capped, Opportunity(at(12), tired, 1.0)).sum() > 0


def test_in_another_zone_the_hour_is_another_one() -> None:
    berlin = msgspec.structs.replace(LINE, zone="Europe/Berlin")

    assert np.flatnonzero(looked(berlin, Opportunity(at(9.5), ALICE, 1.0))).tolist() == [10]


def test_a_line_is_closed_outside_its_flight_and_its_hours() -> None:
    mornings = tuple(hour % 24 < 12 for hour in range(168))
    short = msgspec.structs.replace(
        LINE, daypart=mornings, flight_from_ms=at(6, days_ago=0), flight_until_ms=1 << 62
    )

    ahead = coming(Index.of([short], {}, 0), [Day.of(TODAY, ZoneInfo("UTC"))], [], slices=24)

    assert np.flatnonzero(ahead.is_open[:, 0]).tolist() == [6, 7, 8, 9, 10, 11]


def test_a_day_of_daylight_saving_is_as_long_as_it_is() -> None:
    autumn = Day.of(date(2026, 10, 25), ZoneInfo("Europe/Berlin"))

    assert autumn.ends_ms - autumn.begins_ms == 25 * HOUR_MS
    assert autumn.share(autumn.begins_ms + round(12.5 * HOUR_MS)) == 0.5
    assert (autumn.share(autumn.begins_ms - 1), autumn.share(autumn.ends_ms + 1)) == (0.0, 1.0)
