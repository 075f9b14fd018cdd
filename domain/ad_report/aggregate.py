"""The rules of a report of an ad."""

from datetime import datetime
from typing import Self
from uuid import UUID

from domain.ad_report.errors import AdReportInvalid
from domain.ad_report.events import AdReported, AdReportEvent
from domain.ad_report.reasons import NOTE_LENGTH_MAX, REASONS
from domain.aggregate import Aggregate
from domain.identity import named
from domain.text import is_readable


class AdReport(Aggregate):
    """What one account holds against one creative; it counts once, whenever it was shown."""

    TOPIC = "ad_report"

    def __init__(self, account_id: UUID, creative_id: UUID) -> None:
        self.account_id = account_id
        self.creative_id = creative_id

    @staticmethod
    def identify(account_id: UUID, creative_id: UUID) -> UUID:
        """Return the ID of what an account holds against a creative."""
        return named("ad_report", account_id, creative_id)

    @classmethod
    def file(  # noqa: PLR0913 - the fields of the event
        cls,
        *,
        account_id: UUID,
        ad_decision_id: UUID,
        creative_id: UUID,
        advertiser_id: UUID,
        reason: str,
        note: str,
        at: datetime,
    ) -> Self:
        """Return a new report.

        Raises:
            AdReportInvalid: there is no such reason, or the note cannot be read.
        """
        if reason not in REASONS:
            raise AdReportInvalid(f"The reasons are {', '.join(sorted(REASONS))}.")
        if len(note) > NOTE_LENGTH_MAX or not is_readable(note):
            raise AdReportInvalid(f"A note has up to {NOTE_LENGTH_MAX} readable characters.")
        return cls.begin(
            AdReported,
            cls.identify(account_id, creative_id),
            at,
            account_id=account_id,
            ad_decision_id=ad_decision_id,
            creative_id=creative_id,
            advertiser_id=advertiser_id,
            reason=reason,
            note=note,
        )

    def evolve(self, event: AdReportEvent) -> None:
        """Fold nothing: __init__ took the fields."""
