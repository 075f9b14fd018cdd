"""The rules of what one account says of its ads."""

from collections.abc import Collection
from datetime import datetime
from typing import Self, assert_never
from uuid import UUID

from domain.ad_categories import check_category
from domain.ad_preferences.bounds import HIDDEN_ADVERTISERS_MAX
from domain.ad_preferences.errors import TooManyAdvertisersHidden
from domain.ad_preferences.events import (
    AdCategoryHidden,
    AdCategoryShownAgain,
    AdPreferencesBegun,
    AdPreferencesEvent,
    AdPreferencesReset,
    AdvertiserHidden,
    AdvertiserShownAgain,
    ContextualAdsSwitched,
)
from domain.aggregate import Aggregate
from domain.identity import named


class AdPreferences(Aggregate):
    """Which ads an account does not want to see. What changes nothing records nothing."""

    TOPIC = "ad_preferences"

    def __init__(self, account_id: UUID) -> None:
        self.account_id = account_id
        self.contextual_only = False
        # Dictionaries with str keys: a snapshot is JSON. They keep the order of hiding.
        self._advertisers: dict[str, bool] = {}
        self._categories: dict[str, bool] = {}

    @staticmethod
    def identify(account_id: UUID) -> UUID:
        """Return the ID of the ad preferences of an account."""
        return named("ad_preferences", account_id)

    @classmethod
    def start(cls, account_id: UUID, *, at: datetime) -> Self:
        """Return the ad preferences of an account that had said nothing."""
        return cls.begin(AdPreferencesBegun, cls.identify(account_id), at, account_id=account_id)

    @property
    def hidden_advertisers(self) -> tuple[UUID, ...]:
        """Whose ads are not shown, in the order of hiding."""
        return tuple(map(UUID, self._advertisers))

    @property
    def hidden_categories(self) -> tuple[str, ...]:
        """The categories of which no ads are shown, in the order of hiding."""
        return tuple(self._categories)

    def switch_contextual(self, *, contextual_only: bool, at: datetime) -> None:
        """Let ads be chosen by what they stand beside alone, or by age and interests too."""
        if contextual_only != self.contextual_only:
            self.trigger(
                ContextualAdsSwitched,
                at,
                account_id=self.account_id,
                contextual_only=contextual_only,
            )

    def hide_advertisers(self, advertiser_ids: Collection[UUID], *, at: datetime) -> None:
        """Hide exactly these advertisers: others are shown again.

        Raises:
            TooManyAdvertisersHidden: there are more than `HIDDEN_ADVERTISERS_MAX`.
        """
        wanted = dict.fromkeys(advertiser_ids)
        if len(wanted) > HIDDEN_ADVERTISERS_MAX:
            raise TooManyAdvertisersHidden(
                f"An account hides at most {HIDDEN_ADVERTISERS_MAX} advertisers."
            )
        for shown in [each for each in self.hidden_advertisers if each not in wanted]:
            self.trigger(AdvertiserShownAgain, at, account_id=self.account_id, advertiser_id=shown)
        for hidden in [each for each in wanted if str(each) not in self._advertisers]:
            self.trigger(AdvertiserHidden, at, account_id=self.account_id, advertiser_id=hidden)

    def hide_categories(self, categories: Collection[str], *, at: datetime) -> None:
        """Hide exactly these categories: others are shown again.

        Raises:
            CategoryUnknown: there is no such category.
        """
        wanted = dict.fromkeys(categories)
        for category in wanted:
            check_category(category)
        for shown in [each for each in self.hidden_categories if each not in wanted]:
            self.trigger(AdCategoryShownAgain, at, account_id=self.account_id, category=shown)
        for hidden in [each for each in wanted if each not in self._categories]:
            self.trigger(AdCategoryHidden, at, account_id=self.account_id, category=hidden)

    def reset(self, *, at: datetime) -> None:
        """Take back all that was said of ads."""
        if self.contextual_only or self._advertisers or self._categories:
            self.trigger(AdPreferencesReset, at, account_id=self.account_id)

    def evolve(self, event: AdPreferencesEvent) -> None:
        match event:
            case AdPreferencesBegun():
                pass  # __init__ took its fields.
            case ContextualAdsSwitched():
                self.contextual_only = event.contextual_only
            case AdvertiserHidden():
                self._advertisers[str(event.advertiser_id)] = True
            case AdvertiserShownAgain():
                self._advertisers.pop(str(event.advertiser_id), None)
            case AdCategoryHidden():
                self._categories[event.category] = True
            case AdCategoryShownAgain():
                self._categories.pop(event.category, None)
            case AdPreferencesReset():
                self.contextual_only = False
                self._advertisers.clear()
                self._categories.clear()
            case _:
                assert_never(event)
