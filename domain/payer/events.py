"""What can happen to a payer."""

from dataclasses import dataclass
from uuid import UUID

from domain.aggregate import Event, InitialEvent


@dataclass(frozen=True)
class CustomerOpened(InitialEvent):
    """The rail knows the advertiser, as the customer `customer_id`."""

    TOPIC = "payer.customer_opened"

    advertiser_id: UUID
    customer_id: str


@dataclass(frozen=True)
class PaymentMethodSaved(Event):
    """A card was kept on file: it may be charged while its holder is away."""

    TOPIC = "payer.payment_method_saved"

    payment_method_id: str


PayerEvent = CustomerOpened | PaymentMethodSaved
