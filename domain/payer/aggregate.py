"""The rules of a payer: one customer of the rail an advertiser, and the newest card on file."""

from datetime import datetime
from typing import Self, assert_never
from uuid import UUID

from domain.aggregate import Aggregate
from domain.identity import named
from domain.payer.events import CustomerOpened, PayerEvent, PaymentMethodSaved


class Payer(Aggregate):
    """An advertiser, as the rail knows them."""

    TOPIC = "payer"

    def __init__(self, *, advertiser_id: UUID, customer_id: str) -> None:
        self.advertiser_id = advertiser_id
        self.customer_id = customer_id
        self.payment_method_id: str | None = None

    @staticmethod
    def identify(advertiser_id: UUID) -> UUID:
        """Return the ID of the one payer of an advertiser."""
        return named("payer", advertiser_id)

    @classmethod
    def open(cls, advertiser_id: UUID, customer_id: str, *, at: datetime) -> Self:
        return cls.begin(
            CustomerOpened,
            cls.identify(advertiser_id),
            at,
            advertiser_id=advertiser_id,
            customer_id=customer_id,
        )

    def save_payment_method(self, payment_method_id: str, *, at: datetime) -> None:
        """Keep a card on file, in the place of the last. The same again records nothing."""
        if payment_method_id not in {"", self.payment_method_id}:
            self.trigger(PaymentMethodSaved, at, payment_method_id=payment_method_id)

    def evolve(self, event: PayerEvent) -> None:
        match event:
            case CustomerOpened():
                pass  # __init__ took its fields.
            case PaymentMethodSaved():
                self.payment_method_id = event.payment_method_id
            case _:
                assert_never(event)
