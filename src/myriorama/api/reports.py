"""Routes of reports: say that a video should not be here, and, for moderators, read who says so."""

from datetime import UTC, datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from litestar import Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody

from myriorama.api.paging import FROM_OLDEST, PAGE_LIMIT, Cursors, Page, PageLimit
from myriorama.api.reads import Reads
from myriorama.api.tokens import Principal, Scope
from myriorama.application.reactions import Reactions
from myriorama.store.front import Front

# Who waits longest comes first; what is deleted needs nobody any more.
REPORTED = """
    SELECT r.video_id, v.author_id, v.caption, r.account_id AS reporter_id, r.reason, r.note,
           r.reported_at, r.position,
           (SELECT count(*) FROM reports WHERE video_id = r.video_id) AS reports
    FROM reports r JOIN videos v USING (video_id)
    WHERE v.state = 'live' AND r.position > %s ORDER BY r.position LIMIT %s
"""

Reason = Literal[
    "sexual",
    "violence",
    "hate",
    "harassment",
    "self_harm",
    "minor_safety",
    "deception",
    "likeness",
    "spam",
    "other",
]


class NewReport(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why a video should not be here. "likeness": it shows somebody who did not consent."""

    reason: Reason
    note: Annotated[str, msgspec.Meta(max_length=1000, examples=["That is my neighbour."])] = ""


class Report(msgspec.Struct, frozen=True):
    """What one account says against one video, and how many accounts say something against it."""

    video_id: UUID
    author_id: UUID
    caption: str
    reporter_id: UUID
    reason: Reason
    note: str
    reported_at: datetime
    reports: int


class ReportRow(Report, frozen=True):
    """A report as it lies on the read side."""

    position: int


@post("/videos/{video_id:uuid}/report", opt={"scope": Scope.VIEWER}, status_code=204)
async def report_video(
    video_id: FromPath[UUID],
    data: JSONBody[NewReport],
    principal: NamedDependency[Principal],
    reactions: NamedDependency[Reactions],
    front: NamedDependency[Front],
) -> None:
    """Tell the moderators that a video should not be here. Each account counts once."""
    await front.command(
        reactions.report,
        video_id,
        reason=data.reason,
        note=data.note,
        by=principal.account_id,
        at=datetime.now(UTC),
    )


@get("/moderation/reports", opt={"scope": Scope.MODERATOR})
async def list_reports(
    reads: NamedDependency[Reads],
    cursors: NamedDependency[Cursors],
    limit: PageLimit = PAGE_LIMIT,
    cursor: FromQuery[str | None] = None,
) -> Page[Report]:
    """List the reports of videos that are still there, oldest first."""
    (after,) = cursors.read("reports", cursor) or FROM_OLDEST
    found = await reads.many(ReportRow, REPORTED, (after, limit + 1))
    return cursors.page("reports", found, limit, item=_report, place=lambda row: (row.position,))


def _report(row: ReportRow) -> Report:
    told = msgspec.structs.asdict(row)
    del told["position"]
    return Report(**told)


router = Router("/v1", route_handlers=[report_video, list_reports], tags=["Moderation"])
