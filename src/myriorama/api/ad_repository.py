"""The route of the ad repository: every ad of the last year, for everybody."""

from datetime import UTC, date, datetime
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Router, get
from litestar.di import NamedDependency
from litestar.params import FromQuery, QueryParameter

from domain.ad_categories import Category
from myriorama.api.ad_terms import Instant
from myriorama.api.paging import PAGE_LIMIT, Cursors, Page, PageLimit
from myriorama.api.reads import Reads
from myriorama.api.tokens import Scope
from myriorama.store.signing import Signer

# The newest first. What an advertiser is called may be searched; % and _ stand for themselves.
FOUND = """
    SELECT r.creative_id, r.advertiser_id, a.name AS advertiser, a.website, v.headline,
           v.call_to_action, v.landing_url, v.category, v.ai_label, v.video_key, v.poster_key,
           v.duration_ms, v.state, v.recalled, v.reasons, r.first_shown_at, r.last_shown_at,
           r.reach, r.first_position,
           ARRAY(SELECT parameter FROM ad_repository_parameters p
                 WHERE p.creative_id = r.creative_id
                 ORDER BY showings DESC, parameter LIMIT 20) AS parameters
    FROM ad_repository r JOIN advertisers a USING (advertiser_id)
    JOIN creatives v USING (creative_id)
    WHERE r.last_shown_at > now() - interval '1 year'
      AND (%(advertiser_id)s::uuid IS NULL OR r.advertiser_id = %(advertiser_id)s)
      AND (%(name)s::text IS NULL OR position(lower(%(name)s) IN lower(a.name)) > 0)
      AND (%(category)s::text IS NULL OR v.category = %(category)s)
      AND (%(since)s::date IS NULL OR r.last_shown_at >= %(since)s::date)
      AND (%(until)s::date IS NULL OR r.first_shown_at < %(until)s::date + 1)
      AND (%(place)s::bigint IS NULL
           OR (r.first_position, r.creative_id) < (%(place)s, %(creative_id)s::uuid))
    ORDER BY r.first_position DESC, r.creative_id DESC LIMIT %(limit)s
"""

_TOLD_FROM = 10

Name = Annotated[
    str | None,
    QueryParameter(
        name="advertiser", max_length=100, description="A part of the advertiser's name."
    ),
]


class RepositoryAdvertiser(msgspec.Struct, frozen=True):
    """On whose behalf an ad was shown."""

    advertiser_id: UUID
    name: str
    website: str


class RepositoryContent(msgspec.Struct, frozen=True):
    """What an ad shows and where it leads, as it is now. The URLs expire."""

    headline: str
    call_to_action: str
    landing_url: str
    ai_label: str
    video_url: str
    poster_url: str
    duration_ms: int


class RepositoryAd(msgspec.Struct, frozen=True):
    """An ad that was shown within a year.

    `reach` is how many people were shown it, rounded down to two digits; 0 is fewer than ten.
    `targeting` are the main parameters by which they were chosen, the most frequent first. What was
    rejected or recalled has no content any more: `removed_for` tells the reasons.
    """

    creative_id: UUID
    advertiser: RepositoryAdvertiser
    payer: str
    category: Category
    first_shown_at: Instant
    last_shown_at: Instant
    targeting: Annotated[list[str], msgspec.Meta(examples=[["country:NZ", "age:18+"]])]
    reach: int
    content: RepositoryContent | None
    removed_for: list[str]


class RepositoryRow(msgspec.Struct, frozen=True):
    """An ad of the repository as it lies on the read side."""

    creative_id: UUID
    advertiser_id: UUID
    advertiser: str
    website: str
    headline: str
    call_to_action: str
    landing_url: str
    category: Category
    ai_label: str
    video_key: str
    poster_key: str
    duration_ms: int
    state: str
    recalled: bool
    reasons: list[str]
    first_shown_at: datetime
    last_shown_at: datetime
    reach: int
    first_position: int
    parameters: list[str]


@get("/ads/repository", opt={"scope": Scope.PUBLIC})
async def search_ad_repository(  # noqa: PLR0913, PLR0917 - what may be asked for
    reads: NamedDependency[Reads],
    cursors: NamedDependency[Cursors],
    signer: NamedDependency[Signer],
    name: Name = None,
    advertiser_id: FromQuery[UUID | None] = None,
    category: FromQuery[Category | None] = None,
    since: FromQuery[date | None] = None,
    until: FromQuery[date | None] = None,
    limit: PageLimit = PAGE_LIMIT,
    cursor: FromQuery[str | None] = None,
) -> Page[RepositoryAd]:
    """Search the ads of the last year, the newest first; those shown from a day up to another."""
    listing = "ad-repository"
    after = cursors.read(listing, cursor)
    asked: dict[str, object] = {
        "advertiser_id": advertiser_id,
        "name": name,
        "category": category,
        "since": since,
        "until": until,
        "place": after[0] if after else None,
        "creative_id": after[1] if after else None,
        "limit": limit + 1,
    }
    found = await reads.many(RepositoryRow, FOUND, asked)
    return cursors.page(
        listing,
        found,
        limit,
        item=lambda row: _told(row, signer),
        place=lambda row: (row.first_position, str(row.creative_id)),
    )


def rounded(reach: int) -> int:
    """Return a number of people rounded down to two digits, and 0 below ten."""
    if reach < _TOLD_FROM:
        return 0
    unit: int = 10 ** (len(str(reach)) - 2)
    return reach // unit * unit


def _told(row: RepositoryRow, signer: Signer) -> RepositoryAd:
    is_removed = row.recalled or row.state == "rejected"
    removed_for = list(row.reasons) if row.state == "rejected" else []
    return RepositoryAd(
        creative_id=row.creative_id,
        advertiser=RepositoryAdvertiser(row.advertiser_id, row.advertiser, row.website),
        payer=row.advertiser,
        category=row.category,
        first_shown_at=row.first_shown_at,
        last_shown_at=row.last_shown_at,
        targeting=row.parameters,
        reach=rounded(row.reach),
        content=None if is_removed else _content(row, signer),
        removed_for=[*removed_for, *(["recalled"] if row.recalled else [])],
    )


def _content(row: RepositoryRow, signer: Signer) -> RepositoryContent:
    now = int(datetime.now(UTC).timestamp())
    return RepositoryContent(
        headline=row.headline,
        call_to_action=row.call_to_action,
        landing_url=row.landing_url,
        ai_label=row.ai_label,
        video_url=signer.media_url(row.video_key, now=now),
        poster_url=signer.media_url(row.poster_key, now=now),
        duration_ms=row.duration_ms,
    )


router = Router("/v1", route_handlers=[search_ad_repository], tags=["Ads"])
