"""What can happen to a report of an ad."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from domain.aggregate import InitialEvent


@dataclass(frozen=True)
class AdReported(InitialEvent):
    """The account says that an ad should not be shown: who reviews ads looks at it."""

    TOPIC = "ad_report.filed"
    PERSONAL: ClassVar[frozenset[str]] = frozenset({"note"})

    account_id: UUID
    ad_decision_id: UUID
    creative_id: UUID
    advertiser_id: UUID
    reason: str
    note: str


AdReportEvent = AdReported
