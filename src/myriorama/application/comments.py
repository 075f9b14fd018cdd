"""Commands on comments under videos."""

from datetime import datetime
from uuid import UUID

from domain.comment.aggregate import Comment
from domain.comment.errors import CommentNotFound
from domain.video.aggregate import Video
from myriorama.application.relations import joined, stand, visible_video
from myriorama.store.identity import new_id
from myriorama.store.log import Log, retried


class Comments:
    """What people write under videos."""

    def __init__(self, log: Log) -> None:
        self._log = log

    @retried
    def post(
        self, video_id: UUID, *, parent_id: UUID | None, text: str, by: UUID, at: datetime
    ) -> UUID:
        """Write under a video, or in reply to a comment; return the comment's ID.

        Raises:
            VideoNotFound: there is none, or `by` may not see it.
            CommentNotFound: there is no such comment under it, or its author and `by` have blocked
                one another.
            CommentTextInvalid: the text is none.
        """
        _, read = visible_video(self._log, video_id, to=by)
        parent = None
        if parent_id is not None:
            parent = self._comment(parent_id)
            standing = stand(self._log, by, parent.author_id)
            if standing.relation.is_blocked:
                raise CommentNotFound("There is no such comment under this video.")
            read = joined(read, standing.read, {parent.id: parent.version})
        comment = Comment.post(
            new_id(), video_id=video_id, author_id=by, parent=parent, text=text, at=at
        )
        self._log.save(comment, expect=read)
        return comment.id

    @retried
    def delete(self, video_id: UUID, comment_id: UUID, *, by: UUID, at: datetime) -> None:
        """Take a comment away. Its author may do so even when they see the video no more.

        Raises:
            CommentNotFound: there is no such comment under the video.
            VideoNotFound: `by` did not write it, and may not see the video.
            MayNotDeleteComment: `by` neither wrote it nor published the video.
        """
        video = self._log.find(Video, video_id)
        comment = self._log.find(Comment, comment_id)
        ours = comment is not None and comment.author_id == by
        if video is None or not ours:
            video, _ = visible_video(self._log, video_id, to=by)
        if comment is None or comment.video_id != video_id:
            raise CommentNotFound("There is no such comment under this video.")
        comment.delete(by=by, video_author_id=video.author_id, at=at)
        self._log.save(comment)

    def _comment(self, comment_id: UUID) -> Comment:
        comment = self._log.find(Comment, comment_id)
        if comment is None:
            raise CommentNotFound("There is no such comment under this video.")
        return comment
