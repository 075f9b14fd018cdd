"""The rules of a comment."""

from datetime import datetime
from typing import Self, assert_never
from uuid import UUID

from domain.aggregate import Aggregate
from domain.comment.errors import CommentNotFound, CommentTextInvalid, MayNotDeleteComment
from domain.comment.events import CommentDeleted, CommentEvent, CommentPosted
from domain.text import is_readable

TEXT_LENGTH_MAX = 1000


class Comment(Aggregate):
    """What somebody wrote under a video, or under another comment of the same video.

    That its author may see the video is for who commands to see to.
    """

    TOPIC = "comment"

    def __init__(self, video_id: UUID, author_id: UUID, parent_id: UUID | None) -> None:
        self.video_id = video_id
        self.author_id = author_id
        self.parent_id = parent_id
        self.deleted = False

    @classmethod
    def post(  # noqa: PLR0913 - the fields of a comment
        cls,
        comment_id: UUID,
        *,
        video_id: UUID,
        author_id: UUID,
        parent: "Comment | None",
        text: str,
        at: datetime,
    ) -> Self:
        """Return a comment under a video, or under `parent`.

        Raises:
            CommentTextInvalid: there is nothing in the text, too much, or what nobody can read.
            CommentNotFound: the parent has been deleted, or belongs to another video.
        """
        written = text.strip()
        if not 1 <= len(written) <= TEXT_LENGTH_MAX or not is_readable(written):
            raise CommentTextInvalid(
                f"A comment has 1 to {TEXT_LENGTH_MAX} characters, and no control characters."
            )
        if parent and (parent.deleted or parent.video_id != video_id):
            raise CommentNotFound("There is no such comment under this video.")
        return cls.begin(
            CommentPosted,
            comment_id,
            at,
            video_id=video_id,
            author_id=author_id,
            parent_id=parent.id if parent else None,
            text=written,
        )

    def delete(self, *, by: UUID, video_author_id: UUID, at: datetime) -> None:
        """Take the comment away; its replies stay. To delete it again records nothing.

        Raises:
            MayNotDeleteComment: `by` neither wrote it nor published the video.
        """
        if by not in {self.author_id, video_author_id}:
            raise MayNotDeleteComment(
                "Only who wrote a comment, or published the video, takes it away."
            )
        if not self.deleted:
            self.trigger(CommentDeleted, at, video_id=self.video_id, deleted_by=by)

    def evolve(self, event: CommentEvent) -> None:
        match event:
            case CommentPosted():
                pass  # __init__ took its fields.
            case CommentDeleted():
                self.deleted = True
            case _:
                assert_never(event)
