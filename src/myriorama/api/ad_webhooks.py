"""Routes of an advertiser's webhooks: where it is told what happens, and what came of it."""

from datetime import UTC, datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from litestar import Router, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody

from domain.ad_webhook.destination import URL_LENGTH_MAX
from domain.ad_webhook.errors import AdWebhookNotFound
from domain.errors import NotFound
from myriorama.api.ad_terms import Instant
from myriorama.api.paging import PAGE_LIMIT, Cursors, Page, PageLimit
from myriorama.api.reads import Reads
from myriorama.api.tenancy import Tenancy
from myriorama.api.tokens import Principal, Scope
from myriorama.application.ad_webhooks import AdWebhooks
from myriorama.store.front import Front

WEBHOOKS = """
    SELECT webhook_id, url, is_open, opened_at, rotated_at FROM ad_webhooks
    WHERE advertiser_id = %s ORDER BY webhook_id LIMIT 100
"""

WEBHOOK = "SELECT webhook_id FROM ad_webhooks WHERE advertiser_id = %s AND webhook_id = %s"

DELIVERIES = """
    SELECT d.notice_id, n.type, d.state, d.attempts, d.made_at, d.changed_at,
           CASE WHEN d.state = 'due' THEN d.due_at END AS due_at, d.last_status, d.last_error,
           n.body
    FROM ad_deliveries d JOIN ad_notices n USING (notice_id)
    WHERE d.webhook_id = %s AND (d.made_at, d.notice_id) < (%s, %s::uuid)
    ORDER BY d.made_at DESC, d.notice_id DESC LIMIT %s
"""

REDELIVER = """
    UPDATE ad_deliveries SET state = 'due', attempts = 0, due_at = clock_timestamp()
    WHERE webhook_id = %s AND notice_id = %s RETURNING notice_id AS webhook_id
"""

_LAST = (datetime(9000, 1, 1, tzinfo=UTC), UUID(int=2**128 - 1))


class DeliveryNotFound(NotFound):
    """The webhook was never told such a thing."""


class NewAdWebhook(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the advertiser is to be told: an https URL on a public host."""

    url: Annotated[
        str,
        msgspec.Meta(
            min_length=1, max_length=URL_LENGTH_MAX, examples=["https://shop.example.com/hooks"]
        ),
    ]


class AdWebhook(msgspec.Struct, frozen=True):
    """A webhook. One that is not open was disabled: nobody had answered for days."""

    webhook_id: UUID
    url: str
    is_open: bool
    opened_at: Instant
    rotated_at: Instant


class AdWebhookSecret(msgspec.Struct, frozen=True):
    """The secret under which what is told is signed (Standard Webhooks). It is shown this once."""

    webhook_id: UUID
    secret: str


class Delivery(msgspec.Struct, frozen=True):
    """A notice, and how far its delivery has come; `body` is what is sent."""

    notice_id: UUID
    type: str
    state: Literal["due", "delivered", "given_up"]
    attempts: int
    made_at: Instant
    changed_at: Instant
    due_at: Instant | None
    last_status: int | None
    last_error: str | None
    body: str


@post("/webhooks", opt={"scope": Scope.ADVERTISER})
async def open_ad_webhook(
    advertiser_id: FromPath[UUID],
    data: JSONBody[NewAdWebhook],
    principal: NamedDependency[Principal],
    ad_webhooks: NamedDependency[AdWebhooks],
    front: NamedDependency[Front],
) -> AdWebhookSecret:
    """Be told what happens: creatives reviewed, budgets low or used up, top-ups, daily reports."""
    by, at = principal.account_id, datetime.now(UTC)
    opened = await front.command(ad_webhooks.open, advertiser_id, data.url, by=by, at=at)
    return AdWebhookSecret(opened.webhook_id, opened.secret)


@get("/webhooks", opt={"scope": Scope.ADVERTISER})
async def list_ad_webhooks(
    advertiser_id: FromPath[UUID],
    principal: NamedDependency[Principal],
    tenancy: NamedDependency[Tenancy],
    reads: NamedDependency[Reads],
) -> list[AdWebhook]:
    """List the webhooks of an advertiser."""
    await tenancy.require(advertiser_id, by=principal.account_id)
    return await reads.many(AdWebhook, WEBHOOKS, (advertiser_id,))


@post("/webhooks/{webhook_id:uuid}/rotate", opt={"scope": Scope.ADVERTISER})
async def rotate_ad_webhook_secret(
    advertiser_id: FromPath[UUID],
    webhook_id: FromPath[UUID],
    principal: NamedDependency[Principal],
    ad_webhooks: NamedDependency[AdWebhooks],
    front: NamedDependency[Front],
) -> AdWebhookSecret:
    """Sign with a new secret; for a day, with the one before it, too. What was disabled goes on."""
    by, at = principal.account_id, datetime.now(UTC)
    opened = await front.command(ad_webhooks.rotate_secret, advertiser_id, webhook_id, by=by, at=at)
    return AdWebhookSecret(opened.webhook_id, opened.secret)


@delete("/webhooks/{webhook_id:uuid}", opt={"scope": Scope.ADVERTISER})
async def close_ad_webhook(
    advertiser_id: FromPath[UUID],
    webhook_id: FromPath[UUID],
    principal: NamedDependency[Principal],
    ad_webhooks: NamedDependency[AdWebhooks],
    front: NamedDependency[Front],
) -> None:
    """Be told nothing there any more."""
    by, at = principal.account_id, datetime.now(UTC)
    await front.command(ad_webhooks.close, advertiser_id, webhook_id, by=by, at=at)


@get("/webhooks/{webhook_id:uuid}/deliveries", opt={"scope": Scope.ADVERTISER})
async def list_ad_deliveries(  # noqa: PLR0913, PLR0917 - what a list takes
    advertiser_id: FromPath[UUID],
    webhook_id: FromPath[UUID],
    principal: NamedDependency[Principal],
    tenancy: NamedDependency[Tenancy],
    reads: NamedDependency[Reads],
    cursors: NamedDependency[Cursors],
    limit: PageLimit = PAGE_LIMIT,
    cursor: FromQuery[str | None] = None,
) -> Page[Delivery]:
    """List what was told there, and what came of it, newest first."""
    await _require(advertiser_id, webhook_id, principal, tenancy, reads)
    listing = f"ad_deliveries:{webhook_id}"
    after = cursors.read(listing, cursor)
    before = (datetime.fromisoformat(str(after[0])), UUID(str(after[1]))) if after else _LAST
    found = await reads.many(Delivery, DELIVERIES, (webhook_id, *before, limit + 1))
    return cursors.page(
        listing,
        found,
        limit,
        item=lambda told: told,
        place=lambda told: (told.made_at.isoformat(), str(told.notice_id)),
    )


@post(
    "/webhooks/{webhook_id:uuid}/deliveries/{notice_id:uuid}/redeliver",
    opt={"scope": Scope.ADVERTISER},
    status_code=204,
)
async def redeliver(  # noqa: PLR0913, PLR0917 - parameters are explicit, passed by name
    advertiser_id: FromPath[UUID],
    webhook_id: FromPath[UUID],
    notice_id: FromPath[UUID],
    principal: NamedDependency[Principal],
    tenancy: NamedDependency[Tenancy],
    reads: NamedDependency[Reads],
) -> None:
    """Be told once more, now."""
    await _require(advertiser_id, webhook_id, principal, tenancy, reads, needs="editor")
    if await reads.one(_Known, REDELIVER, (webhook_id, notice_id)) is None:
        raise DeliveryNotFound("The webhook was never told such a thing.")


class _Known(msgspec.Struct, frozen=True):
    webhook_id: UUID


async def _require(  # noqa: PLR0913 - who asks, for what
    advertiser_id: UUID,
    webhook_id: UUID,
    principal: Principal,
    tenancy: Tenancy,
    reads: Reads,
    *,
    needs: Literal["reader", "editor"] = "reader",
) -> None:
    await tenancy.require(advertiser_id, by=principal.account_id, needs=needs)
    if await reads.one(_Known, WEBHOOK, (advertiser_id, webhook_id)) is None:
        raise AdWebhookNotFound("The advertiser has no such webhook.")


router = Router(
    "/v1/advertisers/{advertiser_id:uuid}",
    route_handlers=[
        open_ad_webhook,
        list_ad_webhooks,
        rotate_ad_webhook_secret,
        close_ad_webhook,
        list_ad_deliveries,
        redeliver,
    ],
    tags=["Advertising"],
)
