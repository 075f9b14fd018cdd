"""The advertisers' side of the API: its routes, joined to their commands and readings."""

from collections.abc import Sequence
from urllib.parse import urlsplit

from litestar.types import ControllerRouterHandler
from psycopg import AsyncConnection
from psycopg.rows import TupleRow
from psycopg_pool import AsyncConnectionPool

from ads.sellers import House
from myriorama.api import ad_events as ad_event_routes
from myriorama.api import ad_exports as ad_export_routes
from myriorama.api import ad_forecasts as ad_forecast_routes
from myriorama.api import ad_pacing as ad_pacing_routes
from myriorama.api import ad_preferences as ad_preference_routes
from myriorama.api import ad_receipts as ad_receipt_routes
from myriorama.api import ad_repository as ad_repository_routes
from myriorama.api import ad_review as ad_review_routes
from myriorama.api import ad_simulations as ad_simulation_routes
from myriorama.api import ad_spend_reports as ad_spend_report_routes
from myriorama.api import ad_webhooks as ad_webhook_routes
from myriorama.api import advertisers as advertiser_routes
from myriorama.api import campaigns as campaign_routes
from myriorama.api import commercial_grants as commercial_grant_routes
from myriorama.api import creatives as creative_routes
from myriorama.api import line_items as line_item_routes
from myriorama.api import openrtb as openrtb_routes
from myriorama.api import seller_files as seller_file_routes
from myriorama.api import shown_ads as shown_ad_routes
from myriorama.api import vast as vast_routes
from myriorama.api.reads import Reads
from myriorama.api.tenancy import Tenancy
from myriorama.application.ad_checks import AdChecks
from myriorama.application.ad_opinions import AdOpinions
from myriorama.application.advertisers import Advertisers
from myriorama.application.campaigns import Campaigns
from myriorama.application.commercial_grants import CommercialGrants
from myriorama.application.creatives import Creatives
from myriorama.application.line_items import LineItems
from myriorama.application.sandboxes import Sandboxes
from myriorama.application.videos import Missing
from myriorama.billing.exports import Exports
from myriorama.billing.simulations import Simulations
from myriorama.billing.spend_reports import SpendReports
from myriorama.bootstrap.notifying import create_ad_webhooks, hosts_inside
from myriorama.bootstrap.screening import screening_of
from myriorama.feed.ad_outlook import AdOutlook
from myriorama.feed.ad_reasons import ShownAds
from myriorama.settings import Settings
from myriorama.store.log import Log
from myriorama.store.objects import open_objects
from myriorama.store.postgres import Pool
from myriorama.store.signing import Signer

ROUTES: Sequence[ControllerRouterHandler] = (
    ad_event_routes.router,
    *ad_export_routes.routers,
    ad_forecast_routes.router,
    ad_pacing_routes.router,
    ad_preference_routes.router,
    ad_receipt_routes.router,
    ad_repository_routes.router,
    ad_review_routes.router,
    ad_simulation_routes.router,
    ad_spend_report_routes.router,
    ad_webhook_routes.router,
    advertiser_routes.router,
    campaign_routes.router,
    commercial_grant_routes.router,
    creative_routes.router,
    line_item_routes.router,
    openrtb_routes.router,
    seller_file_routes.router,
    shown_ad_routes.router,
    vast_routes.router,
)


def advertising(
    settings: Settings,
    log: Log,
    writes: Pool,
    pool: AsyncConnectionPool[AsyncConnection[TupleRow]],
    missing: Missing,
) -> dict[str, object]:
    """Return what the routes are given. `missing` is what stands at the gate of publication."""
    reads = Reads(pool)
    return {
        "ad_exports": Exports(writes, open_objects(settings.objects)),
        "ad_opinions": AdOpinions(log),
        "ad_outlook": AdOutlook(pool),
        "ad_webhooks": create_ad_webhooks(settings, log, writes),
        "advertisers": Advertisers(log),
        "campaigns": Campaigns(log),
        "commercial_grants": CommercialGrants(log),
        "creatives": Creatives(log, AdChecks(screening_of(settings).of_prompt), missing),
        "house": _house(settings),
        "line_items": LineItems(log, inside=hosts_inside(settings)),
        "sandboxes": Sandboxes(log),
        "shown_ads": ShownAds(pool),
        "simulations": Simulations(pool),
        "spend_reports": SpendReports(pool),
        "tenancy": Tenancy(reads),
        "vast_documents": vast_routes.VastDocuments(
            reads, Signer(settings.secret.encode()), public_url=settings.public_url
        ),
    }


def _house(settings: Settings) -> House:
    domain = urlsplit(settings.public_url).hostname or "localhost"
    return House(domain=domain, name=settings.seller_name, contact=settings.seller_contact)
