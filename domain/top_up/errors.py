"""Why a top-up refuses a command."""

from uuid import UUID

from domain.errors import Conflict, Invalid, NotFound


class TopUpNotFound(NotFound):
    """There is no such top-up, or it is another advertiser's."""

    def __init__(self, top_up_id: UUID) -> None:
        super().__init__(f"There is no top-up {top_up_id}.")


class TopUpAmountInvalid(Invalid):
    """The amount is no whole number of coins, or is out of the range that is taken."""


class CurrencyNotTaken(Invalid):
    """Money of this currency is not taken."""


class PaymentsNotTaken(Conflict):
    """This house takes no payments: it has no payment rail."""


class CardNotSaved(Conflict):
    """There is no card on file: top up by Checkout once, and it is kept."""


class TooManyCheckouts(Conflict):
    """As many top-ups wait to be paid by Checkout as may: pay one of them, or let it expire."""


class PaymentForeign(Conflict):
    """A payment is not of this top-up, or of another currency."""
