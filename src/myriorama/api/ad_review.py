"""Routes of who reviews ads: what waits for a decision, and the decision."""

from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody

from domain.ad_report.reasons import Reason as ReportReason
from domain.creative.review import Reason
from myriorama.api.creative_shapes import Creative, CreativeRow, creative_of
from myriorama.api.paging import PAGE_LIMIT, Cursors, Page, PageLimit
from myriorama.api.reads import Reads
from myriorama.api.tokens import Principal, Scope
from myriorama.application.creatives import Creatives
from myriorama.store.front import Front
from myriorama.store.signing import Signer

# Who waits longest comes first.
QUEUE = """
    SELECT v.creative_id, v.advertiser_id, v.name, v.source_kind, v.source_id, v.video_key,
           v.poster_key, v.width, v.height, v.duration_ms, v.cameo_ids, v.ai_label, v.landing_url,
           v.call_to_action, v.headline, v.category, v.caps, v.state, v.recalled, v.checks,
           v.reasons, v.note, v.statement, v.decided_by, v.decided_at, v.waiting_since,
           v.waiting_position, v.drafted_at, v.drafted_position, v.version,
           a.name AS advertiser, a.website
    FROM creatives v JOIN advertisers a USING (advertiser_id)
    WHERE v.state = 'in_review' AND v.waiting_position > %s
    ORDER BY v.waiting_position LIMIT %s
"""

# Who waits longest comes first; what is shown no more needs nobody.
REPORTED = """
    SELECT r.creative_id, v.version, r.advertiser_id, a.name AS advertiser, v.name AS creative,
           v.landing_url, r.account_id AS reporter_id, r.ad_decision_id, r.reason, r.note,
           r.reported_at, r.position,
           (SELECT count(*) FROM ad_reports WHERE creative_id = r.creative_id) AS reports
    FROM ad_reports r JOIN creatives v USING (creative_id)
    JOIN advertisers a ON a.advertiser_id = r.advertiser_id
    WHERE v.state = 'approved' AND NOT v.recalled AND r.position > %s
    ORDER BY r.position LIMIT %s
"""

Note = Annotated[str, msgspec.Meta(min_length=1, max_length=1000, examples=["It is a toy."])]


class WaitingCreative(msgspec.Struct, frozen=True):
    """A creative on which somebody is to decide, in its present `version`, and whose it is.

    With a statement it is an appeal: it was rejected before, for the reasons that stand in it.
    """

    creative: Creative
    version: int
    advertiser: str
    website: str


class WaitingRow(CreativeRow, frozen=True):
    """A creative in review as it lies on the read side."""

    advertiser: str
    website: str


class CreativeDecision(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Without reasons the creative is approved, with some it is rejected; both are told.

    `version` is of what was looked at, as the queue told it: what was edited since is not decided.
    """

    version: Annotated[int, msgspec.Meta(ge=1, le=2**31 - 1, examples=[2])]
    note: Note
    reasons: Annotated[list[Reason], msgspec.Meta(max_length=5, examples=[[]])] = []


class ReportedAd(msgspec.Struct, frozen=True):
    """What one account says against one ad, and how many say something against its creative."""

    creative_id: UUID
    version: int
    advertiser_id: UUID
    advertiser: str
    creative: str
    landing_url: str
    reporter_id: UUID
    ad_decision_id: UUID
    reason: ReportReason
    note: str
    reported_at: datetime
    reports: int


class ReportedRow(ReportedAd, frozen=True):
    """A report of an ad as it lies on the read side."""

    position: int


@get("/ad-review/creatives", opt={"scope": Scope.MODERATOR})
async def list_waiting_creatives(
    reads: NamedDependency[Reads],
    cursors: NamedDependency[Cursors],
    signer: NamedDependency[Signer],
    limit: PageLimit = PAGE_LIMIT,
    cursor: FromQuery[str | None] = None,
) -> Page[WaitingCreative]:
    """List the creatives that wait for a decision, and appeals, the longest waiting first."""
    after = cursors.read("ad-review", cursor)
    rows = await reads.many(WaitingRow, QUEUE, (after[0] if after else 0, limit + 1))
    last = rows[limit - 1].waiting_position if len(rows) > limit else None
    return Page(
        items=[
            WaitingCreative(creative_of(row, signer), row.version, row.advertiser, row.website)
            for row in rows[:limit]
        ],
        next_cursor=cursors.write("ad-review", (last,)) if last is not None else None,
    )


@get("/ad-review/reports", opt={"scope": Scope.MODERATOR})
async def list_reported_ads(
    reads: NamedDependency[Reads],
    cursors: NamedDependency[Cursors],
    limit: PageLimit = PAGE_LIMIT,
    cursor: FromQuery[str | None] = None,
) -> Page[ReportedAd]:
    """List what viewers report of ads that are still shown, oldest first; reject what is right."""
    after = cursors.read("ad-reports", cursor)
    rows = await reads.many(ReportedRow, REPORTED, (after[0] if after else 0, limit + 1))
    last = rows[limit - 1].position if len(rows) > limit else None
    told = [msgspec.structs.asdict(row) for row in rows[:limit]]
    return Page(
        items=[msgspec.convert(each, ReportedAd) for each in told],
        next_cursor=cursors.write("ad-reports", (last,)) if last is not None else None,
    )


@post(
    "/ad-review/creatives/{creative_id:uuid}/decision",
    opt={"scope": Scope.MODERATOR},
    status_code=204,
)
async def decide_creative(
    creative_id: FromPath[UUID],
    data: JSONBody[CreativeDecision],
    principal: NamedDependency[Principal],
    creatives: NamedDependency[Creatives],
    front: NamedDependency[Front],
) -> None:
    """Approve a creative, or reject it with reasons; one that is approved may be rejected later."""
    await front.command(
        creatives.decide,
        creative_id,
        version=data.version,
        reasons=data.reasons,
        note=data.note,
        by=principal.account_id,
        at=datetime.now(UTC),
    )


router = Router(
    "/v1",
    route_handlers=[list_waiting_creatives, list_reported_ads, decide_creative],
    tags=["Moderation"],
)
