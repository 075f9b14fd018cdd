"""VAST documents: valid by a linter of others, and saying what they are to say."""

from uuid import UUID
from xml.etree import ElementTree as ET

import msgspec
import pytest
import vastlint  # pyright: ignore[reportMissingTypeStubs]  # it ships no types

from ads.content_categories import CODES, are_blocked
from ads.lines import KINDS, Kind
from ads.vast import VideoAd, document, duration, nothing
from domain.ad_categories import CATEGORIES

AD = VideoAd(
    ad_serving_id=UUID(int=1),
    creative_id=UUID(int=2),
    advertiser_id=UUID(int=3),
    advertiser="Fox and Sons",
    title="Spring",
    category="toys",
    kind="cpm",
    price_micros=1_500,
    currency="USD",
    duration_ms=4_000,
    width=480,
    height=832,
    media_url="https://clips.example.com/media/videos/ab.mp4?expires=1&signature=x",
    landing_url="https://shop.example.com/spring",
    tracker="https://clips.example.com/v1/ad-events/token",
    label="Sponsored",
    ai_label="generated",
    why_url="https://clips.example.com/v1/ads/1/why",
)
HOSTILE = "A & B <script>]]>\"' \N{SNOWMAN}"


def _text(content: bytes, path: str) -> str | None:
    found = ET.fromstring(content).find(path, {"": "http://www.iab.com/VAST"})  # noqa: S314 - ours
    assert found is not None
    return found.text


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "differing",
    [
        {},
        {"ai_label": ""},
        {"duration_ms": 60_000, "width": 1080, "height": 1920},
        {"title": HOSTILE, "advertiser": HOSTILE, "landing_url": "https://a.example/?q=]]>&b=<"},
        {"price_micros": 1, "currency": "JPY"},
        {"category": "politics"},
    ],
)
def test_every_kind_of_ad_is_valid_without_a_warning(
    kind: Kind, differing: dict[str, object]
) -> None:
    content = document(msgspec.structs.replace(AD, kind=kind, **differing))

    result = vastlint.validate(content)

    assert result.valid
    assert [each for each in result.issues if each.severity != "info"] == []


def test_the_judge_sees_what_is_missing() -> None:
    broken = document(AD).replace(b"<Duration>00:00:04.000</Duration>", b"")

    assert not vastlint.validate(broken).valid


def test_no_ad_is_a_valid_document() -> None:
    result = vastlint.validate(nothing())

    assert result.valid
    assert ET.fromstring(nothing()).find("*") is None  # noqa: S314 - ours


def test_text_and_urls_reach_the_player_as_they_were() -> None:
    content = document(msgspec.structs.replace(AD, title=HOSTILE))

    assert _text(content, "Ad/InLine/AdTitle") == HOSTILE
    assert _text(content, ".//MediaFile") == AD.media_url
    assert _text(content, ".//ClickThrough") == AD.landing_url
    assert _text(content, ".//Viewable") == f"{AD.tracker}/viewable.gif"
    assert _text(content, "Ad/InLine/Error") == f"{AD.tracker}/error.gif?code=[ERRORCODE]"
    assert _text(content, ".//AdServingId") == str(AD.ad_serving_id)


@pytest.mark.parametrize(
    ("kind", "micros", "price"),
    [("cpm", 1_500, "1.5"), ("cpv", 20_000, "0.02"), ("cpc", 123_456, "0.123456")],
)
def test_the_price_is_told_in_the_unit_of_the_currency(kind: Kind, micros: int, price: str) -> None:
    content = document(msgspec.structs.replace(AD, kind=kind, price_micros=micros))

    assert _text(content, ".//Pricing") == price


def test_durations_are_told_to_the_millisecond() -> None:
    assert duration(3_723_004) == "01:02:03.004"


def test_every_category_has_a_code_that_its_parent_blocks() -> None:
    assert CODES.keys() == CATEGORIES
    assert are_blocked("alcohol", frozenset({"IAB8"}))
    assert are_blocked("alcohol", frozenset({"IAB8-5"}))
    assert not are_blocked("food", frozenset({"IAB8-5"}))
