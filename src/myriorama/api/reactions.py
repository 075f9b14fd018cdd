"""Routes of what people make of videos: like, bookmark, share."""

from datetime import UTC, datetime
from uuid import UUID

from litestar import Router, delete, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath

from myriorama.api.tokens import Principal, Scope
from myriorama.application.reactions import Reactions
from myriorama.store.front import Front


@put("/{video_id:uuid}/like", opt={"scope": Scope.VIEWER}, status_code=204)
async def like_video(
    video_id: FromPath[UUID],
    principal: NamedDependency[Principal],
    reactions: NamedDependency[Reactions],
    front: NamedDependency[Front],
) -> None:
    """Like a video."""
    await front.command(reactions.like, video_id, by=principal.account_id, at=datetime.now(UTC))


@delete("/{video_id:uuid}/like", opt={"scope": Scope.VIEWER})
async def unlike_video(
    video_id: FromPath[UUID],
    principal: NamedDependency[Principal],
    reactions: NamedDependency[Reactions],
    front: NamedDependency[Front],
) -> None:
    """Take a like back."""
    await front.command(reactions.unlike, video_id, by=principal.account_id, at=datetime.now(UTC))


@put("/{video_id:uuid}/bookmark", opt={"scope": Scope.VIEWER}, status_code=204)
async def bookmark_video(
    video_id: FromPath[UUID],
    principal: NamedDependency[Principal],
    reactions: NamedDependency[Reactions],
    front: NamedDependency[Front],
) -> None:
    """Keep a video for later; nobody else sees that you do."""
    await front.command(reactions.bookmark, video_id, by=principal.account_id, at=datetime.now(UTC))


@delete("/{video_id:uuid}/bookmark", opt={"scope": Scope.VIEWER})
async def unbookmark_video(
    video_id: FromPath[UUID],
    principal: NamedDependency[Principal],
    reactions: NamedDependency[Reactions],
    front: NamedDependency[Front],
) -> None:
    """Keep a video no longer."""
    await front.command(
        reactions.unbookmark, video_id, by=principal.account_id, at=datetime.now(UTC)
    )


@post("/{video_id:uuid}/share", opt={"scope": Scope.VIEWER}, status_code=204)
async def share_video(
    video_id: FromPath[UUID],
    principal: NamedDependency[Principal],
    reactions: NamedDependency[Reactions],
    front: NamedDependency[Front],
) -> None:
    """Note that you passed a video on. Each account counts once."""
    await front.command(reactions.share, video_id, by=principal.account_id, at=datetime.now(UTC))


router = Router(
    "/v1/videos",
    route_handlers=[like_video, unlike_video, bookmark_video, unbookmark_video, share_video],
    tags=["Videos"],
)
