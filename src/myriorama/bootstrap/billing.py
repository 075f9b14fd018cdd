"""Money in: the routes joined to Stripe, and the cashier that works beside them."""

from collections.abc import Sequence

from litestar.types import ControllerRouterHandler
from psycopg import AsyncConnection
from psycopg.rows import TupleRow
from psycopg_pool import AsyncConnectionPool

from myriorama.api import billing as billing_routes
from myriorama.application.tenancy import Tenancy
from myriorama.application.top_ups import TopUps
from myriorama.billing.stripe_double.app import DoubleApp
from myriorama.billing.stripe_rail import StripeRail
from myriorama.billing.webhooks import Inbox, Learn, Reports
from myriorama.settings import SettingInvalid, Settings, variable
from myriorama.store.log import Log
from myriorama.store.postgres import AdvisoryLock, Pool, open_pool
from myriorama.workers.cashier import Cashier
from myriorama.workers.elected import Elected

ROUTES: Sequence[ControllerRouterHandler] = billing_routes.routers

RETURN_PATH = "/advertise"
"""Below which people come back to from the page to pay on."""


def billing(
    settings: Settings,
    log: Log,
    writes: Pool,
    pool: AsyncConnectionPool[AsyncConnection[TupleRow]],
) -> dict[str, object]:
    """Return what the routes are given."""
    return {
        "inbox": Inbox(pool, settings.stripe_webhook_secret),
        "top_ups": create_top_ups(settings, log, writes),
    }


def create_top_ups(settings: Settings, log: Log, pool: Pool) -> TopUps:
    """Join the top-ups to Stripe, if there is a key for it."""
    rail = create_rail(settings) if settings.stripe_secret_key else None
    return TopUps(
        log,
        pool,
        rail,
        Tenancy(log).currency,
        return_url=f"{settings.public_url}{RETURN_PATH}",
    )


def create_rail(settings: Settings) -> StripeRail:
    """Return the way to Stripe."""
    return StripeRail(settings.stripe_secret_key, address=settings.stripe_address)


def create_cashier(settings: Settings) -> Elected:
    """Join the cashier to the log, and to Stripe.

    Raises:
        SettingInvalid: there is no key for Stripe.
    """
    if not settings.stripe_secret_key:
        raise SettingInvalid(f"Set {variable('stripe_secret_key')}: nothing is taken in without.")
    pool = open_pool(settings.database_url, size_max=3)
    top_ups = create_top_ups(settings, Log(pool), pool)
    learn: dict[str, Learn] = {
        "payment_intent.": lambda payment_id, at: top_ups.learn(payment_id, at=at),
        "checkout.session.": lambda session_id, at: top_ups.learn_page(session_id, at=at),
    }
    rail = create_rail(settings)
    cashier = Cashier(
        top_ups,
        Reports(pool, learn),
        lambda types, since_s: rail.notices(types, since_s=since_s),
    )
    return Elected(settings.database_url, AdvisoryLock.CASHIER, "cashier", cashier.work)


def create_stripe_double() -> DoubleApp:
    """Return the double of Stripe, for a server that loads it by name."""
    settings = Settings.read()
    settings.home.mkdir(parents=True, exist_ok=True)
    return DoubleApp(
        address=settings.stripe_address,
        webhook_url=f"http://{settings.address}/v1/stripe-events",
        secret=settings.stripe_webhook_secret,
        kept_in=settings.home / "stripe-double.json",
    )
