"""What can happen to the spending of a line item: a batch is settled, or some of it is credited.

Each line item has one stream, whose versions count its batches. Nothing here is ever edited: what
was charged wrongly is credited.
"""

from dataclasses import dataclass
from uuid import UUID

from domain.aggregate import Event
from domain.identity import named


@dataclass(frozen=True)
class SettledCharges:
    """The billed reports of one kind in a batch.

    `leaked` of them came when a budget had no room left: they are free, and would have cost
    `leaked_micros`. `count` has those that were charged.
    """

    kind: str
    count: int
    micros: int
    leaked: int
    leaked_micros: int


@dataclass(frozen=True)
class SpendSettled(Event):
    """A batch of what was reported was charged to one `day` (ISO 8601, the advertiser's) of a line.

    `micros` is the sum of the charges; the batch had the reports of ads up to `settled_through`.
    """

    TOPIC = "spend.settled"

    line_id: UUID
    campaign_id: UUID
    advertiser_id: UUID
    day: str
    settled_through: int
    charges: tuple[SettledCharges, ...]
    micros: int


@dataclass(frozen=True)
class InvalidTrafficCredited(Event):
    """Charges of one `day` turned out to be of invalid traffic: they were given back."""

    TOPIC = "spend.invalid_traffic_credited"

    line_id: UUID
    campaign_id: UUID
    advertiser_id: UUID
    day: str
    reason: str
    count: int
    micros: int


SpendEvent = SpendSettled | InvalidTrafficCredited


def spend_stream(line_id: UUID) -> UUID:
    """Return the ID of the stream in which the spending of a line item is recorded."""
    return named("spend", line_id)
