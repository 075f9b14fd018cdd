"""Simulated traffic: the same by the same seed, nobody's, and never sooner than it can be."""

from uuid import UUID

import pytest

from ads.beacons import Beacon
from ads.invalid_traffic import Arrival, InvalidTraffic
from ads.prefixes import Prefixes
from ads.simulation import PAGE, drawn_page, drawn_viewer, reports_of

RUN, ANOTHER = UUID(int=1), UUID(int=2)
ADS = ((3, 4_000), (9, 15_000))


def test_viewers_and_pages_are_the_same_whoever_draws_them() -> None:
    viewers = [drawn_viewer(RUN, 7, number) for number in range(50)]
    pages = [drawn_page(RUN, 7, number, 50) for number in range(50)]

    assert viewers == [drawn_viewer(RUN, 7, number) for number in range(50)]
    assert pages == [drawn_page(RUN, 7, number, 50) for number in range(50)]
    assert pages != [drawn_page(RUN, 8, number, 50) for number in range(50)]
    assert {len(page.slots) for page in pages} == {PAGE}
    assert len({page.decision_id for page in pages}) == len(pages)


def test_viewers_of_another_simulation_are_others() -> None:
    ours = {drawn_viewer(RUN, 7, number).viewer_id for number in range(50)}

    assert ours.isdisjoint(drawn_viewer(ANOTHER, 7, number).viewer_id for number in range(50))


def test_of_minors_nothing_is_known_that_could_be_targeted() -> None:
    drawn = [drawn_viewer(RUN, 7, number).viewer for number in range(300)]
    minors = [viewer for viewer in drawn if viewer.is_minor]

    assert minors
    assert all(viewer.contextual_only and not viewer.age_band for viewer in minors)
    assert not any(viewer.interests for viewer in minors)
    assert any(viewer.interests for viewer in drawn)


@pytest.mark.parametrize("number", range(200))
def test_no_report_is_marked_for_being_too_soon_and_no_click_is_before_its_view(
    number: int,
) -> None:
    judge = InvalidTraffic(Prefixes(()))

    told = reports_of(7, number, ADS, is_in_hurry=False)

    for (_, duration_ms), reports in zip(ADS, told, strict=True):
        after = {beacon: after_ms for after_ms, beacon in reports}
        marks = [
            judge.mark(Arrival(beacon, 0, after_ms, "Mobile", "", duration_ms))
            for beacon, after_ms in after.items()
        ]
        assert marks == [None] * len(marks)
        if Beacon.CLICK in after:
            assert after[Beacon.CLICK] > min(
                after_ms for after_ms, beacon in reports if beacon is Beacon.VIEWABLE
            )


def test_whoever_is_in_a_hurry_is_marked() -> None:
    judge = InvalidTraffic(Prefixes(()))

    told = reports_of(7, 1, ADS, is_in_hurry=True)

    for reports in told:
        (report,) = reports
        mark = judge.mark(Arrival(report.beacon, 0, report.after_ms, "Mobile", "", 4_000))
        assert mark is not None
        assert mark.rule == "view_too_soon"
