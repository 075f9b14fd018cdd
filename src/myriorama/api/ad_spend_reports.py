"""Routes of an advertiser's reports: what ads did and cost, as JSON, CSV or Parquet."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from litestar import Request, Response, Router, get
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, QueryParameter

from ads.beacons import Beacon
from ads.days import day_of
from domain.errors import Invalid
from myriorama.api.ad_exports import HEADS, Head
from myriorama.api.paging import PAGE_LIMIT, Cursors, PageLimit
from myriorama.api.reads import Reads
from myriorama.api.tenancy import Tenancy
from myriorama.api.tokens import Principal, Scope
from myriorama.billing.report_files import MEDIA_TYPES, Format, report_file
from myriorama.billing.spend_reports import Asked, Dimension, Row, SpendReports, Sums, total

DAYS_MAX = 400
ROWS_MAX = 200_000

ADVERTISER = "SELECT currency, zone FROM advertisers WHERE advertiser_id = %s"

By = Annotated[
    list[Dimension] | None,
    QueryParameter(description="What rows are told apart by; repeat it. None: one row."),
]
Day = Annotated[
    date | None,
    QueryParameter(description="A date in the advertiser's zone; it is included."),
]
FormatName = Annotated[
    Literal["json", "csv", "parquet"] | None,
    QueryParameter(
        name="format", description="Instead of `Accept`. Files have all rows, without pages."
    ),
]


class ReportRangeInvalid(Invalid):
    """A report is of 1 to 400 days, the first of which is not behind the last."""


class ReportTooLong(Invalid):
    """The report has too many rows: ask for fewer days, one campaign, or fewer things apart."""


class Count(msgspec.Struct, frozen=True):
    """How often something was reported: `net` is `gross` without what turned out `invalid`."""

    gross: int
    invalid: int
    net: int


class Measures(msgspec.Struct, frozen=True):
    """What ads did and cost.

    `viewable` is half of the pixels for two seconds, `viewability` the part of what was served that
    people saw so (null: nothing was served). `charged` were billed, some of them `credited`
    later; `leaked` came when a budget had no room left: they are free, and would have cost
    `leaked_micros`. Paid is `net_micros`: what was charged less what was credited.
    """

    served: int
    viewability: float | None
    viewable: Count
    first_quartile: Count
    midpoint: Count
    third_quartile: Count
    complete: Count
    mute: Count
    skip: Count
    click: Count
    hide: Count
    report: Count
    charged: int
    credited: int
    leaked: int
    charged_micros: int
    credited_micros: int
    net_micros: int
    leaked_micros: int


class ReportRow(Measures, frozen=True):
    """A row; what was not asked for is null.

    `withheld`: fewer than ten viewers saw some of what is told together here. `surface` and `place`
    are where in which feed the ads stood, as in the receipts of their decisions.
    """

    day: date | None
    campaign_id: UUID | None
    line_item_id: UUID | None
    kind: Literal["cpm", "cpv", "cpc"] | None
    creative_id: UUID | None
    surface: int | None
    place: int | None
    withheld: bool


class SpendReport(msgspec.Struct, frozen=True):
    """A page of a report; `totals` are of all its rows. A day is that of an ad's decision.

    `heads` are those of the last exports of the campaigns, against which a bill is verified.
    """

    first_day: date
    last_day: date
    zone: str
    currency: str
    totals: Measures
    heads: list[Head]
    items: list[ReportRow]
    next_cursor: str | None = None


@get(
    "/reports",
    opt={"scope": Scope.ADVERTISER, "also": ("text/csv", "application/vnd.apache.parquet")},
)
async def read_report(  # noqa: PLR0913, PLR0917 - what a report is asked by
    advertiser_id: FromPath[UUID],
    request: Request[Principal, None, State],
    principal: NamedDependency[Principal],
    tenancy: NamedDependency[Tenancy],
    reads: NamedDependency[Reads],
    cursors: NamedDependency[Cursors],
    spend_reports: NamedDependency[SpendReports],
    by: By = None,
    first_day: Day = None,
    last_day: Day = None,
    campaign_id: FromQuery[UUID | None] = None,
    line_item_id: FromQuery[UUID | None] = None,
    format_: FormatName = None,
    limit: PageLimit = PAGE_LIMIT,
    cursor: FromQuery[str | None] = None,
) -> Response[SpendReport]:
    """Report what ads did and cost, by day, campaign, line, kind, creative, surface and place.

    Made of what was charged and credited: the sums are those of the ledger. CSV and Parquet by
    `Accept` or `format`.
    """
    await tenancy.require(advertiser_id, by=principal.account_id)
    of = await reads.one(_Advertiser, ADVERTISER, (advertiser_id,))
    currency, zone = (of.currency, of.zone) if of else ("USD", "UTC")
    first_day, last_day = _range(first_day, last_day, zone)
    asked = Asked(
        advertiser_id, first_day, last_day, frozenset(by or ()), campaign_id, line_item_id
    )
    rows = await spend_reports.rows(asked)
    if len(rows) > ROWS_MAX:
        raise ReportTooLong(f"The report has {len(rows)} rows; {ROWS_MAX} is the most.")
    chosen = _chosen(format_, request)
    if chosen != "json":
        content = await asyncio.to_thread(report_file, rows, chosen, currency=currency)
        return _file(content, chosen, f"{first_day}_{last_day}")
    listing = "report:" + ":".join(map(str, asked._replace(by=frozenset())))
    listing += f":{sorted(asked.by)}"
    shown, next_cursor = _page(rows, cursors, listing, cursor, limit)
    report = SpendReport(
        first_day,
        last_day,
        zone,
        currency,
        msgspec.convert(_measures(total(rows)), Measures),
        await reads.many(Head, HEADS, (advertiser_id, campaign_id)),
        [_row(row) for row in shown],
        next_cursor,
    )
    return Response(report, headers={"Vary": "Accept"})


class _Advertiser(msgspec.Struct, frozen=True):
    currency: str
    zone: str


def _range(first: date | None, last: date | None, zone: str) -> tuple[date, date]:
    """Return the days; without any, the last thirty.

    Raises:
        ReportRangeInvalid: they are none, or too many.
    """
    today = day_of(round(datetime.now(UTC).timestamp() * 1000), ZoneInfo(zone))
    last = last or max(today, first or today)
    first = first or date.fromordinal(max(1, last.toordinal() - 29))
    if not timedelta() <= last - first < timedelta(days=DAYS_MAX):
        raise ReportRangeInvalid(
            f"From {first} to {last}: a report is of 1 to {DAYS_MAX} days, in their order."
        )
    return first, last


def _chosen(
    named: Literal["json", "csv", "parquet"] | None, request: Request[Any, Any, Any]
) -> Literal["json"] | Format:
    if named is not None:
        return named
    offered: dict[str, Literal["json"] | Format] = {
        "application/json": "json",
        "text/csv": "csv",
        MEDIA_TYPES["parquet"]: "parquet",
    }
    return offered[request.accept.best_match([*offered], "application/json") or "application/json"]


def _file(content: bytes, kind: Format, days: str) -> Response[Any]:
    headers = {
        "Content-Disposition": f'attachment; filename="report_{days}.{kind}"',
        "Vary": "Accept",
    }
    return Response(content, media_type=MEDIA_TYPES[kind], headers=headers)


def _page(
    rows: Sequence[Row], cursors: Cursors, listing: str, cursor: str | None, limit: int
) -> tuple[Sequence[Row], str | None]:
    after = cursors.read(listing, cursor)
    key = tuple(map(str, after)) if after else ()
    left = [row for row in rows if row.of.key() > key]
    shown = left[:limit]
    more = len(left) > limit
    return shown, cursors.write(listing, shown[-1].of.key()) if more else None


def _measures(sums: Sums) -> dict[str, object]:
    counts = {
        beacon.name.lower(): Count(
            sums.gross[beacon], sums.invalid[beacon], sums.gross[beacon] - sums.invalid[beacon]
        )
        for beacon in Beacon
    }
    own = {name: value for name, value in vars(sums).items() if name not in {"gross", "invalid"}}
    return {**counts, **own, "net_micros": sums.net_micros, "viewability": sums.viewability}


def _row(row: Row) -> ReportRow:
    return msgspec.convert({**vars(row.of), **_measures(row.sums)}, ReportRow)


router = Router(
    "/v1/advertisers/{advertiser_id:uuid}", route_handlers=[read_report], tags=["Advertising"]
)
