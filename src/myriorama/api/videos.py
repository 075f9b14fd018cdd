"""Routes of videos: publish, show, edit, delete, and the lists of them."""

from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Response, Router, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, HeaderParameter, JSONBody

from domain.video.errors import VideoNotFound
from domain.video.visibility import Visibility
from myriorama.api.paging import PAGE_LIMIT, Page, PageLimit
from myriorama.api.preconditions import etag, require_match
from myriorama.api.reads import Reads
from myriorama.api.shelves import Lineage, Shelves, require_visible
from myriorama.api.tokens import Principal, Scope
from myriorama.application.videos import Publication, Videos
from myriorama.feed.cards import Card, Cards
from myriorama.store.front import Front

Caption = Annotated[str, msgspec.Meta(max_length=2000, examples=["A fox jumps over the moon."])]
Brand = Annotated[
    str,
    msgspec.Meta(
        max_length=100,
        description="Who paid for the video; empty: nobody. It is shown beside it.",
        examples=["Fox and Sons"],
    ),
]
IfMatch = Annotated[str | None, HeaderParameter(name="If-Match", required=False)]


class NewVideo(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which draft is to be published, and how."""

    generation_id: UUID
    caption: Caption = ""
    visibility: Visibility = "public"
    remixable: bool = True
    branded_content: Brand = ""


class Published(msgspec.Struct, frozen=True):
    """A video that has just been published; `Location` tells where to read it."""

    video_id: UUID


class VideoEdit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is to be different; what is left out stays. Visibility "link" is to unlist."""

    caption: Caption | msgspec.UnsetType = msgspec.UNSET
    visibility: Visibility | msgspec.UnsetType = msgspec.UNSET
    remixable: bool | msgspec.UnsetType = msgspec.UNSET
    branded_content: Brand | msgspec.UnsetType = msgspec.UNSET


class Edited(msgspec.Struct, frozen=True):
    """What the author may change of a video, as it is now."""

    video_id: UUID
    caption: str
    visibility: str
    remixable: bool
    branded_content: str


class Viewer(msgspec.Struct, frozen=True):
    """What the one who asks made of the video, and whether they follow its author."""

    liked: bool
    bookmarked: bool
    following: bool


class ShownVideo(Card, frozen=True, kw_only=True):
    """A video by itself; `viewer` is null for visitors without an account."""

    viewer: Viewer | None


# A form goes to OpenAI's dialect, which shares the path.
@post("/videos", opt={"scope": Scope.CREATOR, "reads": "application/json or multipart/form-data"})
async def publish_video(
    data: JSONBody[NewVideo],
    principal: NamedDependency[Principal],
    videos: NamedDependency[Videos],
    front: NamedDependency[Front],
) -> Response[Published]:
    """Publish a draft. The owners of the cameos in it must consent still."""
    publication = Publication(
        data.generation_id, data.caption, data.visibility, data.remixable, data.branded_content
    )
    by, at = principal.account_id, datetime.now(UTC)
    video_id = await front.command(videos.publish, publication, by=by, at=at)
    return Response(Published(video_id), headers={"Location": f"/v1/videos/{video_id}"})


@get("/videos/{video_id:uuid}", opt={"scope": Scope.PUBLIC})
async def read_video(
    video_id: FromPath[UUID],
    visitor: NamedDependency[Principal | None],
    reads: NamedDependency[Reads],
    cards: NamedDependency[Cards],
) -> Response[ShownVideo]:
    """Read a video; its ETag is what a later edit shows as If-Match."""
    seen = await require_visible(reads, video_id, _id(visitor))
    now = int(datetime.now(UTC).timestamp())
    card = next(iter(await cards.shown_to(_id(visitor), [video_id], now=now)), None)
    if card is None:
        raise VideoNotFound("There is no such video.")
    viewer = Viewer(seen.liked, seen.bookmarked, seen.following) if visitor else None
    shown = ShownVideo(**msgspec.structs.asdict(card), viewer=viewer)
    return Response(shown, headers={"ETag": etag(seen.version)})


@patch("/videos/{video_id:uuid}", opt={"scope": Scope.CREATOR})
async def edit_video(  # noqa: PLR0913, PLR0917 - parameters are explicit, passed by name
    video_id: FromPath[UUID],
    data: JSONBody[VideoEdit],
    principal: NamedDependency[Principal],
    videos: NamedDependency[Videos],
    front: NamedDependency[Front],
    if_match: IfMatch = None,
) -> Response[Edited]:
    """Change the caption, who may see the video, whether it may be remixed, or who paid for it."""
    edits = msgspec.structs.asdict(data)
    edits["brand"] = edits.pop("branded_content")
    video = await front.command(
        videos.edit,
        video_id,
        {name: value for name, value in edits.items() if value is not msgspec.UNSET},
        by=principal.account_id,
        precondition=lambda version: require_match(if_match, version),
        at=datetime.now(UTC),
    )
    edited = Edited(video.id, video.caption, video.visibility, video.remixable, video.branded_by)
    return Response(edited, headers={"ETag": etag(video.version)})


@delete("/videos/{video_id:uuid}", opt={"scope": Scope.VIEWER})
async def delete_video(
    video_id: FromPath[UUID],
    principal: NamedDependency[Principal],
    videos: NamedDependency[Videos],
    front: NamedDependency[Front],
) -> None:
    """Delete a video for good: the author may, and who moderates."""
    as_moderator = bool(principal.scopes & {Scope.MODERATOR, Scope.ADMIN})
    by, at = principal.account_id, datetime.now(UTC)
    await front.command(videos.delete, video_id, by=by, as_moderator=as_moderator, at=at)


@get("/accounts/{handle:str}/videos", opt={"scope": Scope.PUBLIC})
async def list_videos(
    handle: FromPath[str],
    visitor: NamedDependency[Principal | None],
    shelves: NamedDependency[Shelves],
    limit: PageLimit = PAGE_LIMIT,
    cursor: FromQuery[str | None] = None,
) -> Page[Card]:
    """List the videos of an account that you may see, newest first."""
    return await shelves.by_author(handle, _id(visitor), limit, cursor)


@get("/videos/{video_id:uuid}/remixes", opt={"scope": Scope.PUBLIC})
async def list_remixes(
    video_id: FromPath[UUID],
    visitor: NamedDependency[Principal | None],
    shelves: NamedDependency[Shelves],
    limit: PageLimit = PAGE_LIMIT,
    cursor: FromQuery[str | None] = None,
) -> Page[Card]:
    """List the videos that remix this one and that you may see, newest first."""
    return await shelves.remixes(video_id, _id(visitor), limit, cursor)


@get("/videos/{video_id:uuid}/lineage", opt={"scope": Scope.PUBLIC})
async def read_lineage(
    video_id: FromPath[UUID],
    visitor: NamedDependency[Principal | None],
    shelves: NamedDependency[Shelves],
) -> Lineage:
    """Read whom a video is owed to, from the root on, and the newest of what was made of it.

    Of a long line the hundred nearest ancestors are told; `/remixes` has all remixes.
    """
    return await shelves.lineage(video_id, _id(visitor))


@get("/bookmarks", opt={"scope": Scope.VIEWER})
async def list_bookmarks(
    principal: NamedDependency[Principal],
    shelves: NamedDependency[Shelves],
    limit: PageLimit = PAGE_LIMIT,
    cursor: FromQuery[str | None] = None,
) -> Page[Card]:
    """List the videos that you keep and may still see, the last kept first."""
    return await shelves.bookmarks(principal.account_id, limit, cursor)


def _id(visitor: Principal | None) -> UUID | None:
    return visitor.account_id if visitor else None


router = Router(
    "/v1",
    route_handlers=[
        publish_video,
        read_video,
        edit_video,
        delete_video,
        list_videos,
        list_remixes,
        read_lineage,
        list_bookmarks,
    ],
    tags=["Videos"],
)
