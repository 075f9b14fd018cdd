"""Commands on top-ups: what is asked of the rail is recorded first, and what it says after.

Any process may die anywhere in here. Whoever comes next reads what was recorded and asks the same
again under the same key; where the key says nothing, they look for the payment; and only where it
is proven that there is none is another attempt made. One process at a time submits and settles
(the cashier), apart from pages to pay on: nobody can pay on one of which the address is not known.
"""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import assert_never
from uuid import UUID

import structlog

from domain.payer.aggregate import Payer
from domain.top_up.aggregate import Method, TopUp
from domain.top_up.errors import (
    CardNotSaved,
    PaymentsNotTaken,
    TooManyCheckouts,
    TopUpNotFound,
)
from domain.top_up.events import TopUpRequested
from domain.top_up.payments import (
    Charge,
    Checkout,
    Payment,
    Rail,
    RailRefused,
    RailSilent,
    RailStuck,
)
from myriorama.store.causation import Cause, cause, present_cause
from myriorama.store.front import aside, rows
from myriorama.store.identity import new_id
from myriorama.store.log import Log, retried
from myriorama.store.postgres import Pool

logger = structlog.get_logger(__name__)

# The rail forgets keys after a day at the earliest; a key that it has forgotten is a new request.
KEY_KEPT = timedelta(hours=20)
# A list of payments is looked at so long after an attempt, before it proves that there is none.
PROOF_AFTER = timedelta(seconds=60)
# Pages to pay on that are open are asked after, so of one advertiser there are few.
CHECKOUTS_MAX = 20

# Those that the read side knows, and those that were asked for since: of whom, they say themselves.
_UNSETTLED = """
    SELECT top_up_id FROM top_ups
    WHERE advertiser_id = %s AND method = 'checkout' AND state NOT IN ('succeeded', 'failed')
    UNION
    SELECT originator_id FROM events
    WHERE topic = %s AND position > coalesce(
        (SELECT position FROM projection_positions WHERE name = 'top_ups'), 0)
"""

Tenancy = Callable[[UUID, UUID], str]
"""Takes an account and an advertiser of whom it is a member, and returns the currency.

Raises what tells the account that there is no such advertiser.
"""


class TopUps:
    """Money on its way in. Below `return_url` people come back to from the rail's page."""

    def __init__(
        self, log: Log, pool: Pool, rail: Rail | None, tenancy: Tenancy, *, return_url: str
    ) -> None:
        self._log = log
        self._pool = pool
        self._rail = rail
        self._tenancy = tenancy
        self._return_url = return_url

    @retried
    def request(
        self, advertiser_id: UUID, *, amount_micros: int, method: Method, by: UUID, at: datetime
    ) -> UUID:
        """Note that an advertiser wants to top up; return the top-up's ID.

        Raises:
            PaymentsNotTaken: there is no rail.
            CardNotSaved: "off_session", and there is no card on file.
            CurrencyNotTaken: money of the advertiser's currency is not taken.
            TopUpAmountInvalid: the amount is not one that is taken.
            TooManyCheckouts: as many pages to pay on are open as may be.
        """
        currency = self._tenancy(by, advertiser_id)
        self._require_rail()
        read = dict[UUID, int]()
        if method == "off_session":
            payer = self._log.find(Payer, Payer.identify(advertiser_id))
            if payer is None or payer.payment_method_id is None:
                raise CardNotSaved("There is no card on file: top up by Checkout first.")
            read = {payer.id: payer.version}
        top_up = TopUp.request(
            new_id(),
            advertiser_id=advertiser_id,
            amount_micros=amount_micros,
            currency=currency,
            method=method,
            by=by,
            at=at,
        )
        if method == "checkout":
            self._require_room(advertiser_id, top_up.id)
        self._log.save(top_up, expect=read)
        return top_up.id

    def open_page(self, top_up_id: UUID, *, at: datetime) -> TopUp:
        """Have a page opened on which to pay, if that is what is due. Return the top-up as it is.

        Where the rail does not answer, the cashier asks again.
        """
        with _apart():
            top_up = self._get(top_up_id)
            if top_up.method == "checkout" and top_up.state in {"requested", "submitted"}:
                try:
                    self._submit(top_up, at=at)
                except RailSilent as silent:
                    logger.warning(
                        "no page to pay on yet", top_up=str(top_up_id), error=str(silent)
                    )
            return self._get(top_up_id)

    def advance(self, top_up_id: UUID, *, at: datetime) -> None:
        """Do what is due for a top-up: ask the rail, ask again, or look what has become of it.

        By one process at a time. Raises RailSilent: later, then.
        """
        with _apart():
            top_up = self._get(top_up_id)
            match top_up.state:
                case "requested" | "submitted":
                    self._submit(top_up, at=at)
                case "open":
                    self._look_at_page(top_up, at=at)
                case "action_required":
                    self._look(top_up, at=at)
                    if top_up.submitted_at is None or at - top_up.submitted_at > KEY_KEPT:
                        self._fail(top_up.id, "action_not_taken", at=at)
                case "unresolved":
                    self._look(top_up, at=at)
                case "succeeded" | "failed":
                    pass
                case _:
                    assert_never(top_up.state)

    def learn(self, payment_id: str, *, at: datetime) -> None:
        """Take in a payment as the rail has it now, whoever said that something happened to it.

        Raises:
            RailSilent: the rail does not answer.
            TopUpNotFound: the payment names a top-up that is not there.
        """
        with _apart():
            payment = aside(self._require_rail().payment, payment_id)
            if payment.top_up_id is not None:  # else it is of something else than a top-up
                self._observe(payment, at=at)

    def learn_page(self, session_id: str, *, at: datetime) -> None:
        """Take in a page as the rail has it now. Raises as `learn` does."""
        with _apart():
            checkout = aside(self._require_rail().checkout, session_id)
            top_up = self._get(checkout.top_up_id) if checkout.top_up_id else None
            if top_up is not None and top_up.session_id == session_id:
                self._look_at_page(top_up, at=at)

    def _submit(self, top_up: TopUp, *, at: datetime) -> None:
        if top_up.charge is None:
            top_up = self._submitted(top_up.id, after=0, at=at)
        charge = top_up.charge
        if charge is None or top_up.submitted_at is None:  # it was settled in between
            return
        if at - top_up.submitted_at > KEY_KEPT:
            self._doubt(top_up.id, attempt=charge.attempt, at=at)
            return
        try:
            self._ask(top_up, charge, at=at)
        except RailStuck:
            self._look(top_up, at=at)
        except RailRefused as refused:
            logger.warning("the rail refused", top_up=str(top_up.id), error=str(refused))
            self._fail(top_up.id, "refused", at=at)

    def _ask(self, top_up: TopUp, charge: Charge, *, at: datetime) -> None:
        if top_up.method == "off_session":
            payment = aside(self._require_rail().charge, charge)
            if payment.status == "pending":  # an answer that was kept may be old
                payment = aside(self._require_rail().payment, payment.payment_id)
            self._observe(payment, at=at)
        else:
            checkout = aside(self._require_rail().open_checkout, charge)
            self._opened(top_up.id, checkout, attempt=charge.attempt, at=at)

    def _look_at_page(self, top_up: TopUp, *, at: datetime) -> None:
        if top_up.session_id is None:
            return
        checkout = aside(self._require_rail().checkout, top_up.session_id)
        if checkout.status == "open":  # nothing was paid on it
            return
        self._look(top_up, at=at)
        if checkout.status == "expired":
            # Seen to be over before the payments were looked at: none can have come since.
            self._fail(top_up.id, "checkout_expired", at=at)

    def _look(self, top_up: TopUp, *, at: datetime) -> None:
        """Take in what payments there are; if there is none, and that proves it, try once more."""
        charge, submitted_at = top_up.charge, top_up.submitted_at
        if charge is None or submitted_at is None:
            return
        is_proof = at - submitted_at >= PROOF_AFTER
        payments = aside(self._require_rail().payments_for, charge.customer_id, top_up.id)
        for payment in payments:
            self._observe(payment, at=at)
        unpayable = top_up.method == "checkout"  # nobody has the address of such a page
        if top_up.state in {"submitted", "unresolved"} and (
            unpayable or (not payments and is_proof)
        ):
            self._submitted(top_up.id, after=charge.attempt, at=at)

    @retried
    def _submitted(self, top_up_id: UUID, *, after: int, at: datetime) -> TopUp:
        """Note the next attempt, unless somebody else has made one since `after`."""
        top_up = self._get(top_up_id)
        if top_up.attempt != after or top_up.state not in {"requested", "submitted", "unresolved"}:
            return top_up
        payer = self._payer(top_up.advertiser_id, at=at)
        top_up.submit(
            customer_id=payer.customer_id,
            payment_method_id=(
                payer.payment_method_id or "" if top_up.method == "off_session" else ""
            ),
            return_url=f"{self._return_url}/{top_up.advertiser_id}?top_up={top_up_id}",
            at=at,
        )
        self._log.save(top_up)
        return top_up

    def _payer(self, advertiser_id: UUID, *, at: datetime) -> Payer:
        payer = self._log.find(Payer, Payer.identify(advertiser_id))
        if payer is None:
            # A customer who was opened in vain has no payments, and does no harm.
            key = f"customer:{new_id()}"
            try:
                customer_id = aside(self._require_rail().open_customer, advertiser_id, key=key)
            except (RailStuck, RailRefused) as error:
                raise RailSilent(str(error)) from error
            payer = Payer.open(advertiser_id, customer_id, at=at)
            self._log.save(payer)
        return payer

    @retried
    def _opened(self, top_up_id: UUID, checkout: Checkout, *, attempt: int, at: datetime) -> None:
        top_up = self._get(top_up_id)
        top_up.open_checkout(checkout, attempt=attempt, at=at)
        self._log.save(top_up)

    @retried
    def _observe(self, payment: Payment, *, at: datetime) -> None:
        if payment.top_up_id is None:
            return
        top_up = self._get(payment.top_up_id)
        top_up.observe(payment, at=at)
        self._log.save(top_up)
        if payment.status == "succeeded" and payment.payment_method_id:
            self._keep(top_up.advertiser_id, payment.payment_method_id, at=at)

    @retried
    def _keep(self, advertiser_id: UUID, payment_method_id: str, *, at: datetime) -> None:
        payer = self._log.find(Payer, Payer.identify(advertiser_id))
        if payer is not None:
            payer.save_payment_method(payment_method_id, at=at)
            self._log.save(payer)

    @retried
    def _fail(self, top_up_id: UUID, code: str, *, at: datetime) -> None:
        top_up = self._get(top_up_id)
        top_up.fail(code, at=at)
        self._log.save(top_up)

    @retried
    def _doubt(self, top_up_id: UUID, *, attempt: int, at: datetime) -> None:
        top_up = self._get(top_up_id)
        top_up.doubt(attempt=attempt, at=at)
        self._log.save(top_up)

    def _require_room(self, advertiser_id: UUID, new: UUID) -> None:
        """Count what is open besides `new`, which a command that is sent again has asked for.

        Who ask in the same instant do not see one another: a few more do no harm to what the bound
        is for.
        """
        found = rows(self._pool, _UNSETTLED, (advertiser_id, TopUpRequested.TOPIC))
        known = (self._get(top_up_id) for (top_up_id,) in found)
        waiting = sum(
            each.advertiser_id == advertiser_id
            and each.method == "checkout"
            and not each.is_settled
            and each.id != new
            for each in known
        )
        if waiting >= CHECKOUTS_MAX:
            raise TooManyCheckouts(
                f"{CHECKOUTS_MAX} top-ups wait to be paid by Checkout: pay one of them, or wait "
                "until their pages expire, a day after they were opened."
            )

    def _require_rail(self) -> Rail:
        if self._rail is None:
            raise PaymentsNotTaken("This house takes no payments: STRIPE_SECRET_KEY is not set.")
        return self._rail

    def _get(self, top_up_id: UUID) -> TopUp:
        top_up = self._log.find(TopUp, top_up_id)
        if top_up is None:
            raise TopUpNotFound(top_up_id)
        return top_up


@contextmanager
def _apart() -> Generator[None]:
    """Decide on what is, not on what was when a request was sent first: the rail knows the rest."""
    present = present_cause()
    token = cause.set(
        Cause(
            actor_id=present.actor_id,
            request_id=present.request_id,
            traceparent=present.traceparent,
        )
    )
    try:
        yield
    finally:
        cause.reset(token)
