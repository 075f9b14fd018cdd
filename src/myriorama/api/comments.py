"""Routes of comments under videos, and of replies to them."""

from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Router, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody

from myriorama.api.paging import FROM_NEWEST, PAGE_LIMIT, Cursors, Page, PageLimit
from myriorama.api.reads import Reads
from myriorama.api.shelves import require_visible
from myriorama.api.tokens import Principal, Scope
from myriorama.application.comments import Comments
from myriorama.feed.cards import Author
from myriorama.store.front import Front

# Nobody reads whom they block or mute, or who blocks them. Of a deleted comment nobody reads more
# than that it was there.
UNDER_VIDEO = """
    SELECT c.comment_id, c.parent_id, a.account_id, a.handle, a.display_name, c.text, c.deleted,
           c.replies, c.posted_at, c.posted_position AS position
    FROM comments c JOIN accounts a ON a.account_id = c.author_id
    LEFT JOIN relations m ON m.account_id = %(viewer_id)s AND m.other_id = c.author_id
    WHERE c.video_id = %(video_id)s AND c.parent_id IS NULL AND c.posted_position < %(before)s
      AND (c.deleted
           OR NOT are_blocked(c.author_id, %(viewer_id)s) AND NOT coalesce(m.mutes, false))
    ORDER BY c.posted_position DESC LIMIT %(limit)s
"""

REPLIES = """
    SELECT c.comment_id, c.parent_id, a.account_id, a.handle, a.display_name, c.text, c.deleted,
           c.replies, c.posted_at, c.posted_position AS position
    FROM comments c JOIN accounts a ON a.account_id = c.author_id
    LEFT JOIN relations m ON m.account_id = %(viewer_id)s AND m.other_id = c.author_id
    WHERE c.video_id = %(video_id)s AND c.parent_id = %(parent_id)s
      AND c.posted_position < %(before)s
      AND (c.deleted
           OR NOT are_blocked(c.author_id, %(viewer_id)s) AND NOT coalesce(m.mutes, false))
    ORDER BY c.posted_position DESC LIMIT %(limit)s
"""


class NewComment(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is to be written, and under which comment, if it is a reply."""

    text: Annotated[str, msgspec.Meta(min_length=1, max_length=1000, examples=["What a fox!"])]
    parent_id: UUID | None = None


class Posted(msgspec.Struct, frozen=True):
    """A comment that has just been written."""

    comment_id: UUID


class Comment(msgspec.Struct, frozen=True):
    """A comment. Of a deleted one only its place is left, without author and text.

    `replies` counts the direct replies, deleted ones too; read them with `parent_id`.
    """

    comment_id: UUID
    parent_id: UUID | None
    author: Author | None
    text: str
    deleted: bool
    replies: int
    posted_at: datetime


class Listed(msgspec.Struct, frozen=True):
    """A comment as it lies on the read side."""

    comment_id: UUID
    parent_id: UUID | None
    account_id: UUID
    handle: str
    display_name: str
    text: str
    deleted: bool
    replies: int
    posted_at: datetime
    position: int


@get("/", opt={"scope": Scope.PUBLIC})
async def list_comments(  # noqa: PLR0913, PLR0917 - what a list takes
    video_id: FromPath[UUID],
    visitor: NamedDependency[Principal | None],
    reads: NamedDependency[Reads],
    cursors: NamedDependency[Cursors],
    parent_id: FromQuery[UUID | None] = None,
    limit: PageLimit = PAGE_LIMIT,
    cursor: FromQuery[str | None] = None,
) -> Page[Comment]:
    """List the comments under a video, or the replies to one of them, newest first."""
    viewer_id = visitor.account_id if visitor else None
    await require_visible(reads, video_id, viewer_id)
    listing = f"comments:{video_id}:{parent_id}"
    (before,) = cursors.read(listing, cursor) or FROM_NEWEST
    params = {
        "video_id": video_id,
        "parent_id": parent_id,
        "viewer_id": viewer_id,
        "before": before,
        "limit": limit + 1,
    }
    found = await reads.many(Listed, REPLIES if parent_id else UNDER_VIDEO, params)
    return cursors.page(listing, found, limit, item=_comment, place=lambda row: (row.position,))


@post("/", opt={"scope": Scope.VIEWER})
async def post_comment(
    video_id: FromPath[UUID],
    data: JSONBody[NewComment],
    principal: NamedDependency[Principal],
    comments: NamedDependency[Comments],
    front: NamedDependency[Front],
) -> Posted:
    """Write under a video, or in reply to a comment."""
    comment_id = await front.command(
        comments.post,
        video_id,
        parent_id=data.parent_id,
        text=data.text,
        by=principal.account_id,
        at=datetime.now(UTC),
    )
    return Posted(comment_id)


@delete("/{comment_id:uuid}", opt={"scope": Scope.VIEWER})
async def delete_comment(
    video_id: FromPath[UUID],
    comment_id: FromPath[UUID],
    principal: NamedDependency[Principal],
    comments: NamedDependency[Comments],
    front: NamedDependency[Front],
) -> None:
    """Take a comment away: yours, or one under your video. Its replies stay."""
    by, at = principal.account_id, datetime.now(UTC)
    await front.command(comments.delete, video_id, comment_id, by=by, at=at)


def _comment(listed: Listed) -> Comment:
    author = Author(listed.account_id, listed.handle, listed.display_name)
    return Comment(
        comment_id=listed.comment_id,
        parent_id=listed.parent_id,
        author=None if listed.deleted else author,
        text=listed.text,
        deleted=listed.deleted,
        replies=listed.replies,
        posted_at=listed.posted_at,
    )


router = Router(
    "/v1/videos/{video_id:uuid}/comments",
    route_handlers=[list_comments, post_comment, delete_comment],
    tags=["Videos"],
)
