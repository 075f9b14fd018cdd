"""Commands on sandboxes: advertisers that pay with no money, and take what they pay with."""

from datetime import datetime
from uuid import UUID

from domain.top_up.aggregate import TopUp
from domain.top_up.payments import Payment
from myriorama.application.tenancy import sandbox_of
from myriorama.store.identity import new_id
from myriorama.store.log import Log, retried


class Sandboxes:
    """What only sandboxes have. No payment rail knows of them."""

    def __init__(self, log: Log) -> None:
        self._log = log

    @retried
    def top_up(self, advertiser_id: UUID, *, amount_micros: int, by: UUID, at: datetime) -> TopUp:
        """Fill the wallet of a sandbox; return the top-up, which has succeeded.

        Raises:
            AdvertiserNotFound, RoleTooLow: `by` may not.
            NoSandbox: it is a real advertiser, whose money is money.
            TopUpAmountInvalid: the amount is not one that would be taken of a real one.
        """
        advertiser = sandbox_of(self._log, advertiser_id, by=by, needs="editor")
        top_up = TopUp.request(
            new_id(),
            advertiser_id=advertiser.id,
            amount_micros=amount_micros,
            currency=advertiser.currency,
            method="sandbox",
            by=by,
            at=at,
        )
        payment = Payment(
            f"sandbox_{top_up.id.hex}", top_up.id, "succeeded", amount_micros, advertiser.currency
        )
        top_up.observe(payment, at=at)
        self._log.save(top_up, expect={advertiser.id: advertiser.version})
        return top_up

    def require(self, advertiser_id: UUID, *, by: UUID) -> None:
        """Let a member pass who may have traffic simulated for a sandbox.

        Raises:
            AdvertiserNotFound, RoleTooLow: `by` may not.
            NoSandbox: it is a real advertiser, whose traffic is real.
        """
        sandbox_of(self._log, advertiser_id, by=by, needs="editor")
