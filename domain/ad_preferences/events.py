"""What an account can say of the ads that it is shown."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from domain.aggregate import Event, InitialEvent


@dataclass(frozen=True)
class AdPreferencesBegun(InitialEvent):
    """The account said something of its ads for the first time."""

    TOPIC = "ad_preferences.begun"

    account_id: UUID


@dataclass(frozen=True)
class ContextualAdsSwitched(Event):
    """From now on ads are chosen by what they stand beside alone, or by age and interests too."""

    TOPIC = "ad_preferences.contextual_switched"

    account_id: UUID
    contextual_only: bool


@dataclass(frozen=True)
class AdvertiserHidden(Event):
    """The account is shown no more ads of this advertiser."""

    TOPIC = "ad_preferences.advertiser_hidden"
    PERSONAL: ClassVar[frozenset[str]] = frozenset({"advertiser_id"})

    account_id: UUID
    advertiser_id: UUID


@dataclass(frozen=True)
class AdvertiserShownAgain(Event):
    """The account may be shown ads of this advertiser again."""

    TOPIC = "ad_preferences.advertiser_shown_again"
    PERSONAL: ClassVar[frozenset[str]] = frozenset({"advertiser_id"})

    account_id: UUID
    advertiser_id: UUID


@dataclass(frozen=True)
class AdCategoryHidden(Event):
    """The account is shown no more ads of this category."""

    TOPIC = "ad_preferences.category_hidden"
    PERSONAL: ClassVar[frozenset[str]] = frozenset({"category"})

    account_id: UUID
    category: str


@dataclass(frozen=True)
class AdCategoryShownAgain(Event):
    """The account may be shown ads of this category again."""

    TOPIC = "ad_preferences.category_shown_again"
    PERSONAL: ClassVar[frozenset[str]] = frozenset({"category"})

    account_id: UUID
    category: str


@dataclass(frozen=True)
class AdPreferencesReset(Event):
    """The account took back all that it had said of its ads."""

    TOPIC = "ad_preferences.reset"

    account_id: UUID


AdPreferencesEvent = (
    AdPreferencesBegun
    | ContextualAdsSwitched
    | AdvertiserHidden
    | AdvertiserShownAgain
    | AdCategoryHidden
    | AdCategoryShownAgain
    | AdPreferencesReset
)
