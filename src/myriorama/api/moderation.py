"""Routes of moderation: appeals against refusals, decisions on them, and labels on videos."""

from datetime import UTC, datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from litestar import Router, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody

from domain.video.labels import LABELS, Label
from myriorama.api.paging import FROM_OLDEST, PAGE_LIMIT, Cursors, Page, PageLimit
from myriorama.api.reads import Reads
from myriorama.api.tokens import Principal, Scope
from myriorama.application.moderation import Moderation
from myriorama.application.videos import Videos
from myriorama.store.front import Front
from myriorama.store.signing import Signer

# Who waits longest comes first.
QUEUE = """
    SELECT a.generation_id, g.account_id, c.handle, a.state, a.statement, a.appealed_at, g.prompt,
           r.verdicts, r.transcript, g.video_key, g.poster_key, a.decided_by, a.decided_at, a.note,
           a.appealed_position
    FROM appeals a JOIN generations g USING (generation_id) JOIN recipes r USING (generation_id)
    JOIN accounts c USING (account_id)
    WHERE a.state = %s AND a.appealed_position > %s ORDER BY a.appealed_position LIMIT %s
"""

Statement = Annotated[str, msgspec.Meta(min_length=1, max_length=1000)]


class NewAppeal(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why the refusal is wrong."""

    statement: Annotated[Statement, msgspec.Meta(examples=["It is a bird: the great tit."])]


class Decision(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a moderator decides; the note is shown to who appealed."""

    overturned: bool
    note: Annotated[Statement, msgspec.Meta(examples=["It is a bird indeed."])]


class Labels(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a video is like: all its labels, or none."""

    labels: Annotated[list[Label], msgspec.Meta(max_length=len(LABELS), examples=[["mature"]])]


class Check(msgspec.Struct, frozen=True):
    """What a check said. `detail` is what gave rise to a refusal; moderators alone see it."""

    stage: str
    check: str
    version: str
    verdict: str
    code: str
    detail: str


class Appeal(msgspec.Struct, frozen=True):
    """A refusal that somebody holds to be wrong, with all that is to be known of it.

    The URLs show what was made, if the refusal came after that. They expire.
    """

    generation_id: UUID
    account_id: UUID
    handle: str
    state: Literal["open", "upheld", "overturned"]
    statement: str
    appealed_at: datetime
    prompt: str
    transcript: str | None
    refusals: list[Check]
    video_url: str | None
    poster_url: str | None
    decided_by: UUID | None
    decided_at: datetime | None
    note: str | None


class AppealRow(msgspec.Struct, frozen=True):
    """An appeal as it lies on the read side."""

    generation_id: UUID
    account_id: UUID
    handle: str
    state: Literal["open", "upheld", "overturned"]
    statement: str
    appealed_at: datetime
    prompt: str
    verdicts: list[dict[str, str]]
    transcript: str | None
    video_key: str | None
    poster_key: str | None
    decided_by: UUID | None
    decided_at: datetime | None
    note: str | None
    appealed_position: int


@post(
    "/generations/{generation_id:uuid}/appeal",
    opt={"scope": Scope.CREATOR},
    status_code=204,
)
async def appeal_refusal(
    generation_id: FromPath[UUID],
    data: JSONBody[NewAppeal],
    principal: NamedDependency[Principal],
    moderation: NamedDependency[Moderation],
    front: NamedDependency[Front],
) -> None:
    """Say why the screening was wrong to refuse a generation of yours; a person looks at it."""
    by, at = principal.account_id, datetime.now(UTC)
    await front.command(moderation.appeal, generation_id, data.statement, by=by, at=at)


@get("/moderation/appeals", opt={"scope": Scope.MODERATOR})
async def list_appeals(  # noqa: PLR0913, PLR0917 - what a list takes
    reads: NamedDependency[Reads],
    cursors: NamedDependency[Cursors],
    signer: NamedDependency[Signer],
    outcome: FromQuery[Literal["open", "upheld", "overturned"]] = "open",
    limit: PageLimit = PAGE_LIMIT,
    cursor: FromQuery[str | None] = None,
) -> Page[Appeal]:
    """List the appeals that wait for a decision, or those that were decided, oldest first."""
    listing = f"appeals:{outcome}"
    (after,) = cursors.read(listing, cursor) or FROM_OLDEST
    found = await reads.many(AppealRow, QUEUE, (outcome, after, limit + 1))
    return cursors.page(
        listing,
        found,
        limit,
        item=lambda row: _appeal(row, signer),
        place=lambda row: (row.appealed_position,),
    )


@post(
    "/moderation/appeals/{generation_id:uuid}/decision",
    opt={"scope": Scope.MODERATOR},
    status_code=204,
)
async def decide_appeal(
    generation_id: FromPath[UUID],
    data: JSONBody[Decision],
    principal: NamedDependency[Principal],
    moderation: NamedDependency[Moderation],
    front: NamedDependency[Front],
) -> None:
    """Let a refusal stand, or overturn it: then it is made after all, or its draft is let out."""
    await front.command(
        moderation.decide,
        generation_id,
        overturned=data.overturned,
        note=data.note,
        by=principal.account_id,
        at=datetime.now(UTC),
    )


@put(
    "/moderation/videos/{video_id:uuid}/labels",
    opt={"scope": Scope.MODERATOR},
    status_code=204,
)
async def label_video(
    video_id: FromPath[UUID],
    data: JSONBody[Labels],
    principal: NamedDependency[Principal],
    videos: NamedDependency[Videos],
    front: NamedDependency[Front],
) -> None:
    """Say what a video is like; feeds warn of it or leave it out as their policy says."""
    by, at = principal.account_id, datetime.now(UTC)
    await front.command(videos.label, video_id, data.labels, by=by, at=at)


def _appeal(row: AppealRow, signer: Signer) -> Appeal:
    now = int(datetime.now(UTC).timestamp())

    def url(key: str | None) -> str | None:
        return signer.media_url(key, now=now) if key else None

    return Appeal(
        generation_id=row.generation_id,
        account_id=row.account_id,
        handle=row.handle,
        state=row.state,
        statement=row.statement,
        appealed_at=row.appealed_at,
        prompt=row.prompt,
        transcript=row.transcript,
        refusals=[Check(**said) for said in row.verdicts if said["verdict"] == "refuse"],
        video_url=url(row.video_key),
        poster_url=url(row.poster_key),
        decided_by=row.decided_by,
        decided_at=row.decided_at,
        note=row.note,
    )


router = Router(
    "/v1",
    route_handlers=[appeal_refusal, list_appeals, decide_appeal, label_video],
    tags=["Moderation"],
)
