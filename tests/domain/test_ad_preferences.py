"""What an account says of its ads: said once, changed in part, taken back."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from domain.ad_categories import CategoryUnknown
from domain.ad_preferences.aggregate import AdPreferences
from domain.ad_preferences.bounds import HIDDEN_ADVERTISERS_MAX
from domain.ad_preferences.errors import TooManyAdvertisersHidden
from domain.ad_report.aggregate import AdReport
from domain.ad_report.errors import AdReportInvalid

ALICE, FOX, BEAR = UUID(int=1), UUID(int=2), UUID(int=3)
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def recorded(preferences: AdPreferences) -> list[str]:
    return [type(event).__name__ for event in preferences.collect_events()][1:]


def test_what_changes_nothing_records_nothing() -> None:
    preferences = AdPreferences.start(ALICE, at=NOON)

    preferences.switch_contextual(contextual_only=False, at=NOON)
    for _ in range(2):
        preferences.switch_contextual(contextual_only=True, at=NOON)
        preferences.hide_advertisers([FOX, FOX], at=NOON)
        preferences.hide_categories(["toys"], at=NOON)

    assert recorded(preferences) == [
        "ContextualAdsSwitched",
        "AdvertiserHidden",
        "AdCategoryHidden",
    ]


def test_whoever_is_not_named_any_more_is_shown_again() -> None:
    preferences = AdPreferences.start(ALICE, at=NOON)
    preferences.hide_advertisers([FOX], at=NOON)
    preferences.hide_categories(["toys", "food"], at=NOON)

    preferences.hide_advertisers([BEAR], at=NOON)
    preferences.hide_categories(["food"], at=NOON)

    assert preferences.hidden_advertisers == (BEAR,)
    assert preferences.hidden_categories == ("food",)


def test_a_reset_takes_everything_back_once() -> None:
    preferences = AdPreferences.start(ALICE, at=NOON)
    preferences.switch_contextual(contextual_only=True, at=NOON)
    preferences.hide_advertisers([FOX], at=NOON)

    for _ in range(2):
        preferences.reset(at=NOON)

    assert (preferences.contextual_only, preferences.hidden_advertisers) == (False, ())
    assert recorded(preferences)[-1] == "AdPreferencesReset"
    assert recorded(preferences) == []


def test_there_is_an_end_to_whom_one_hides() -> None:
    preferences = AdPreferences.start(ALICE, at=NOON)
    most = [UUID(int=number) for number in range(HIDDEN_ADVERTISERS_MAX + 1)]

    preferences.hide_advertisers(most[1:], at=NOON)

    with pytest.raises(TooManyAdvertisersHidden):
        preferences.hide_advertisers(most, at=NOON)
    with pytest.raises(CategoryUnknown):
        preferences.hide_categories(["weapons"], at=NOON)


@pytest.mark.parametrize(
    ("reason", "note"), [("dull", ""), ("deception", "x" * 1001), ("deception", "\x00")]
)
def test_a_report_has_a_reason_and_a_note_that_can_be_read(reason: str, note: str) -> None:
    with pytest.raises(AdReportInvalid):
        AdReport.file(
            account_id=ALICE,
            ad_decision_id=UUID(int=9),
            creative_id=UUID(int=8),
            advertiser_id=FOX,
            reason=reason,
            note=note,
            at=NOON,
        )
