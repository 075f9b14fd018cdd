"""Commands on what an account says of its ads: choose them by context, hide, report."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain.ad_preferences.aggregate import AdPreferences
from domain.ad_report.aggregate import AdReport
from domain.advertiser.aggregate import Advertiser
from domain.advertiser.errors import AdvertiserNotFound
from myriorama.store.log import Log, retried


@dataclass(frozen=True)
class PreferenceEdit:
    """What is to be different; None stays. A collection is all that is hidden from then on."""

    contextual_only: bool | None = None
    hidden_advertisers: Collection[UUID] | None = None
    hidden_categories: Collection[str] | None = None


@dataclass(frozen=True)
class Preferred:
    """What an account says of its ads, as it is now."""

    contextual_only: bool
    hidden_advertisers: tuple[UUID, ...]
    hidden_categories: tuple[str, ...]


@dataclass(frozen=True)
class Complaint:
    """What somebody holds against an ad that they were shown."""

    ad_decision_id: UUID
    creative_id: UUID
    advertiser_id: UUID
    reason: str
    note: str


class AdOpinions:
    """What people say of their ads. What changes nothing records nothing."""

    def __init__(self, log: Log) -> None:
        self._log = log

    @retried
    def change(self, edit: PreferenceEdit, *, by: UUID, at: datetime) -> Preferred:
        """Change what an account says of its ads; return all of it.

        Raises:
            AdvertiserNotFound: an advertiser that is to be hidden is none.
            CategoryUnknown: a category that is to be hidden is none.
            TooManyAdvertisersHidden: there are more than an account may hide.
        """

        def change(preferences: AdPreferences) -> None:
            if edit.contextual_only is not None:
                preferences.switch_contextual(contextual_only=edit.contextual_only, at=at)
            if edit.hidden_categories is not None:
                preferences.hide_categories(edit.hidden_categories, at=at)
            if edit.hidden_advertisers is not None:
                preferences.hide_advertisers(edit.hidden_advertisers, at=at)
                self._require_known(preferences.hidden_advertisers)

        return self._save(by, at, change)

    @retried
    def hide_advertiser(self, advertiser_id: UUID, *, by: UUID, at: datetime) -> Preferred:
        """Show no more ads of an advertiser. Again changes nothing.

        Raises:
            TooManyAdvertisersHidden: the account hides as many as it may.
        """
        return self._save(
            by,
            at,
            lambda preferences: preferences.hide_advertisers(
                (*preferences.hidden_advertisers, advertiser_id), at=at
            ),
        )

    @retried
    def hide_category(self, category: str, *, by: UUID, at: datetime) -> Preferred:
        """Show no more ads of a category. Again changes nothing.

        Raises:
            CategoryUnknown: there is none.
        """
        return self._save(
            by,
            at,
            lambda preferences: preferences.hide_categories(
                (*preferences.hidden_categories, category), at=at
            ),
        )

    @retried
    def reset(self, *, by: UUID, at: datetime) -> None:
        """Take back all that an account said of its ads."""
        if preferences := self._find(by):
            preferences.reset(at=at)
            self._log.save(preferences)

    @retried
    def report(self, complaint: Complaint, *, by: UUID, at: datetime) -> None:
        """Tell who reviews ads what is wrong with one. The first report of a creative counts.

        Raises:
            AdReportInvalid: there is no such reason, or the note cannot be read.
        """
        report = AdReport.file(account_id=by, **vars(complaint), at=at)
        if self._log.find(AdReport, report.id) is None:
            self._log.save(report)

    def _save(self, by: UUID, at: datetime, change: Callable[[AdPreferences], None]) -> Preferred:
        preferences = self._find(by) or AdPreferences.start(by, at=at)
        said = preferences.version
        change(preferences)
        if preferences.version != said:
            self._log.save(preferences)
        return Preferred(
            preferences.contextual_only,
            preferences.hidden_advertisers,
            preferences.hidden_categories,
        )

    def _require_known(self, advertiser_ids: Collection[UUID]) -> None:
        for advertiser_id in advertiser_ids:
            if self._log.find(Advertiser, advertiser_id) is None:
                raise AdvertiserNotFound("There is no such advertiser.")

    def _find(self, account_id: UUID) -> AdPreferences | None:
        return self._log.find(AdPreferences, AdPreferences.identify(account_id))
