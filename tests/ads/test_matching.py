"""Which targeting a viewer matched: no more than the line asked for, and no less."""

from uuid import UUID

from ads.lines import Creative, Line, Targeting
from ads.matching import reasons_of
from ads.viewer import Viewer

ALICE = Viewer(
    1, country="DE", language="de", age_band="18+", interests=frozenset({"dance", "clay"})
)


def line(**asked: frozenset[str]) -> Line:
    return Line(
        line_id=UUID(int=1),
        campaign_id=UUID(int=2),
        advertiser_id=UUID(int=3),
        kind="cpm",
        bid_micros=1000,
        creatives=(Creative(UUID(int=4), "", 1000, ""),),
        targeting=Targeting(**asked),
    )


def test_a_line_for_everybody_says_so() -> None:
    assert reasons_of(line(), ALICE) == ("everybody",)


def test_what_was_asked_for_and_matched_is_told() -> None:
    asked = line(
        countries=frozenset({"DE", "AT"}),
        age_bands=frozenset({"18+"}),
        interests=frozenset({"dance", "food"}),
    )

    assert reasons_of(asked, ALICE) == ("country:DE", "age:18+", "interest:dance")
