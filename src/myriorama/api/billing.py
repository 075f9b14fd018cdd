"""Routes of money: what an advertiser has, tops up and has spent; and where Stripe reports."""

from collections import defaultdict
from datetime import UTC, datetime
from typing import Annotated, Literal, LiteralString
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from litestar import Request, Router, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody

from ads.days import begins_ms, day_of, months_between
from domain.advertiser.errors import AdvertiserNotFound
from domain.errors import Unauthenticated
from domain.top_up.errors import TopUpNotFound
from myriorama.api.ad_exports import Head
from myriorama.api.ad_terms import Instant
from myriorama.api.paging import FROM_NEWEST, PAGE_LIMIT, Cursors, Page, PageLimit
from myriorama.api.reads import Reads
from myriorama.api.tenancy import Tenancy
from myriorama.api.tokens import Principal, Scope
from myriorama.application.top_ups import TopUps
from myriorama.billing.stripe_rail import WebhookForged
from myriorama.billing.webhooks import Inbox
from myriorama.store.front import Front

# Before the first money there is no wallet, only what it will be of.
BALANCE = """
    SELECT a.currency, coalesce(w.balance_micros, 0) AS balance_micros,
           coalesce(s.held_micros, 0) AS held_micros,
           coalesce(w.topped_up_micros, 0) AS topped_up_micros,
           coalesce(w.spent_micros, 0) AS spent_micros,
           coalesce(w.credited_micros, 0) AS credited_micros
    FROM advertisers a
    LEFT JOIN wallets w USING (advertiser_id)
    LEFT JOIN spending s ON s.scope = 'advertiser' AND s.id = a.advertiser_id AND s.day = 0
    WHERE a.advertiser_id = %s
"""

_TOP_UP: LiteralString = """
    SELECT top_up_id, amount_micros, currency, method, state, checkout_url, failure_code,
           requested_at, changed_at, requested_position AS position
    FROM top_ups WHERE advertiser_id = %s
"""

_LISTED: LiteralString = """
    AND requested_position < %s ORDER BY requested_position DESC LIMIT %s
"""

TOP_UPS = _TOP_UP + _LISTED
TOP_UP = _TOP_UP + "AND top_up_id = %s"

# What is in a wallet is owed: its entries are credits, which are below zero.
LEDGER = """
    SELECT t.source_key, t.kind, e.currency, -e.amount_micros AS amount_micros, t.occurred_at,
           t.position
    FROM ledger_transactions t JOIN ledger_entries e USING (source_key)
    WHERE e.advertiser_id = %s AND e.account IN ('wallet', 'sandbox_wallet') AND t.position < %s
    ORDER BY t.position DESC LIMIT %s
"""

BOOKED = """
    SELECT a.zone, min(t.occurred_at) AS first_at, max(t.occurred_at) AS last_at
    FROM ledger_transactions t JOIN ledger_entries e USING (source_key)
    JOIN advertisers a ON a.advertiser_id = e.advertiser_id
    WHERE e.advertiser_id = %s AND e.account IN ('wallet', 'sandbox_wallet') GROUP BY a.zone
"""

STATEMENTS = """
    WITH movements AS (
        SELECT to_char(m.month, 'YYYY-MM') AS month, e.currency, t.kind, -e.amount_micros AS micros
        FROM ledger_transactions t JOIN ledger_entries e USING (source_key)
        JOIN unnest(%s::date[], %s::timestamptz[], %s::timestamptz[]) AS m (month, begins, ends)
          ON t.occurred_at >= m.begins AND t.occurred_at < m.ends
        WHERE e.advertiser_id = %s AND e.account IN ('wallet', 'sandbox_wallet')
    )
    SELECT month, currency, (sum(sum(micros)) OVER w - sum(micros))::bigint AS opening_micros,
           coalesce(sum(micros) FILTER (WHERE kind IN ('top_up', 'surplus')), 0)::bigint
               AS topped_up_micros,
           coalesce(-sum(micros) FILTER (WHERE kind = 'spend'), 0)::bigint AS spent_micros,
           coalesce(sum(micros) FILTER (WHERE kind = 'invalid_traffic'), 0)::bigint
               AS credited_micros,
           (sum(sum(micros)) OVER w)::bigint AS closing_micros
    FROM movements GROUP BY month, currency WINDOW w AS (ORDER BY month) ORDER BY month DESC
"""

EXPORTED = """
    SELECT campaign_id, number, head, made_at FROM ad_exports
    WHERE advertiser_id = %s ORDER BY made_at, campaign_id, number
"""

Method = Literal["checkout", "off_session"]
StateName = Literal[
    "requested", "submitted", "open", "action_required", "unresolved", "succeeded", "failed"
]


class DeliveryNotSigned(Unauthenticated):
    """What was delivered was not signed by Stripe, or more than five minutes ago."""


class NewTopUp(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How much is to come into the wallet: on a page to pay on, or from the card on file."""

    amount_micros: Annotated[int, msgspec.Meta(gt=0, le=2**53, examples=[50_000_000])]
    method: Method = "checkout"


class Balance(msgspec.Struct, frozen=True):
    """What is in the wallet. `held_micros` of it may be spent by ads that were shown just now."""

    currency: str
    balance_micros: int
    held_micros: int
    topped_up_micros: int
    spent_micros: int
    credited_micros: int


class TopUp(msgspec.Struct, frozen=True):
    """A top-up. Pay at `checkout_url` while it is there; nothing is credited for coming back."""

    top_up_id: UUID
    amount_micros: int
    currency: str
    method: Method | Literal["sandbox"]
    state: StateName
    checkout_url: str | None
    failure_code: str | None
    requested_at: Instant
    changed_at: Instant


class ListedTopUp(TopUp, frozen=True):
    """A top-up as it lies on the read side."""

    position: int


class Entry(msgspec.Struct, frozen=True):
    """A movement of the wallet: above zero what came in. `source_key` is of one event alone."""

    source_key: str
    kind: Literal["top_up", "surplus", "spend", "invalid_traffic"]
    currency: str
    amount_micros: int
    occurred_at: Instant


class ListedEntry(Entry, frozen=True):
    """A movement as it lies on the read side."""

    position: int


class Statement(msgspec.Struct, frozen=True):
    """A month of the wallet, in the advertiser's zone, by when each movement was booked.

    `closing_micros` is what it opened with, and what was topped up, less what was spent, and what
    was credited: the next month opens with it. `heads` are of the exports that were made in it.
    """

    month: str
    currency: str
    opening_micros: int
    topped_up_micros: int
    spent_micros: int
    credited_micros: int
    closing_micros: int
    heads: list[Head] = []


class Booked(msgspec.Struct, frozen=True):
    """When a wallet was first moved, and last, and the zone of its months."""

    zone: str
    first_at: datetime
    last_at: datetime


@get("/balance", opt={"scope": Scope.ADVERTISER})
async def read_balance(
    advertiser_id: FromPath[UUID],
    principal: NamedDependency[Principal],
    tenancy: NamedDependency[Tenancy],
    reads: NamedDependency[Reads],
) -> Balance:
    """See what is in the wallet."""
    await tenancy.require(advertiser_id, by=principal.account_id)
    balance = await reads.one(Balance, BALANCE, (advertiser_id,))
    if balance is None:
        raise AdvertiserNotFound("There is no such advertiser.")
    return balance


@post("/top-ups", opt={"scope": Scope.ADVERTISER})
async def request_top_up(
    advertiser_id: FromPath[UUID],
    data: JSONBody[NewTopUp],
    principal: NamedDependency[Principal],
    top_ups: NamedDependency[TopUps],
    front: NamedDependency[Front],
) -> TopUp:
    """Top up. By Checkout, the answer says where to pay; if not yet, read it again in a moment."""
    at = datetime.now(UTC)
    top_up_id = await front.command(
        top_ups.request,
        advertiser_id,
        amount_micros=data.amount_micros,
        method=data.method,
        by=principal.account_id,
        at=at,
    )
    made = await front.command(top_ups.open_page, top_up_id, at=at)
    return TopUp(
        made.id,
        made.amount_micros,
        made.currency,
        made.method,
        made.state,
        made.checkout_url,
        made.failure_code,
        made.created_on,
        made.modified_on,
    )


@get("/top-ups", opt={"scope": Scope.ADVERTISER})
async def list_top_ups(  # noqa: PLR0913, PLR0917 - what a list takes
    advertiser_id: FromPath[UUID],
    principal: NamedDependency[Principal],
    tenancy: NamedDependency[Tenancy],
    reads: NamedDependency[Reads],
    cursors: NamedDependency[Cursors],
    limit: PageLimit = PAGE_LIMIT,
    cursor: FromQuery[str | None] = None,
) -> Page[TopUp]:
    """List the top-ups, newest first."""
    await tenancy.require(advertiser_id, by=principal.account_id)
    listing = f"top_ups:{advertiser_id}"
    (before,) = cursors.read(listing, cursor) or FROM_NEWEST
    found = await reads.many(ListedTopUp, TOP_UPS, (advertiser_id, before, limit + 1))
    return cursors.page(listing, found, limit, item=_top_up, place=lambda row: (row.position,))


@get("/top-ups/{top_up_id:uuid}", opt={"scope": Scope.ADVERTISER})
async def read_top_up(
    advertiser_id: FromPath[UUID],
    top_up_id: FromPath[UUID],
    principal: NamedDependency[Principal],
    tenancy: NamedDependency[Tenancy],
    reads: NamedDependency[Reads],
) -> TopUp:
    """See how far a top-up has come."""
    await tenancy.require(advertiser_id, by=principal.account_id)
    found = await reads.one(ListedTopUp, TOP_UP, (advertiser_id, top_up_id))
    if found is None:
        raise TopUpNotFound(top_up_id)
    return _top_up(found)


@get("/ledger", opt={"scope": Scope.ADVERTISER})
async def list_ledger(  # noqa: PLR0913, PLR0917 - what a list takes
    advertiser_id: FromPath[UUID],
    principal: NamedDependency[Principal],
    tenancy: NamedDependency[Tenancy],
    reads: NamedDependency[Reads],
    cursors: NamedDependency[Cursors],
    limit: PageLimit = PAGE_LIMIT,
    cursor: FromQuery[str | None] = None,
) -> Page[Entry]:
    """List the movements of the wallet, newest first. They sum to what is in it."""
    await tenancy.require(advertiser_id, by=principal.account_id)
    listing = f"ledger:{advertiser_id}"
    (before,) = cursors.read(listing, cursor) or FROM_NEWEST
    found = await reads.many(ListedEntry, LEDGER, (advertiser_id, before, limit + 1))
    return cursors.page(listing, found, limit, item=_entry, place=lambda row: (row.position,))


@get("/statements", opt={"scope": Scope.ADVERTISER})
async def list_statements(
    advertiser_id: FromPath[UUID],
    principal: NamedDependency[Principal],
    tenancy: NamedDependency[Tenancy],
    reads: NamedDependency[Reads],
) -> list[Statement]:
    """List the months of the wallet, the present one first."""
    await tenancy.require(advertiser_id, by=principal.account_id)
    booked = await reads.one(Booked, BOOKED, (advertiser_id,))
    if booked is None:
        return []
    zone = ZoneInfo(booked.zone)
    first, last = (day_of(_ms(at), zone) for at in (booked.first_at, booked.last_at))
    months = [*months_between(first, last)]
    bounds = [[_at(begins_ms(day, zone)) for day in days] for days in zip(*months, strict=True)]
    asked = ([month for month, _ in months], *bounds, advertiser_id)
    statements = await reads.many(Statement, STATEMENTS, asked)
    made: dict[str, list[Head]] = defaultdict(list)
    for head in await reads.many(Head, EXPORTED, (advertiser_id,)):
        made[f"{day_of(_ms(head.made_at), zone):%Y-%m}"].append(head)
    return [msgspec.structs.replace(each, heads=made[each.month]) for each in statements]


@post("/v1/stripe-events", opt={"scope": Scope.PUBLIC, "limit": "none"}, status_code=200)
async def receive_stripe_event(
    request: Request[Principal | None, None, State], inbox: NamedDependency[Inbox]
) -> None:
    """Where Stripe reports: signed by it, over the bytes as they are. Not for clients."""
    try:
        await inbox.receive(await request.body(), request.headers.get("stripe-signature", ""))
    except WebhookForged as forged:
        raise DeliveryNotSigned("This was not signed by Stripe, or too long ago.") from forged


def _top_up(row: ListedTopUp) -> TopUp:
    return msgspec.convert(row, TopUp, from_attributes=True)


def _ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)


def _at(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)


def _entry(row: ListedEntry) -> Entry:
    return msgspec.convert(row, Entry, from_attributes=True)


routers = (
    Router(
        "/v1/advertisers/{advertiser_id:uuid}/billing",
        route_handlers=[
            read_balance,
            request_top_up,
            list_top_ups,
            read_top_up,
            list_ledger,
            list_statements,
        ],
        tags=["Billing"],
    ),
    Router("/", route_handlers=[receive_stripe_event], tags=["Billing"]),
)
