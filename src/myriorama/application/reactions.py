"""Commands on what people make of videos: like, keep, pass on, report."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from domain.reaction.aggregate import Reaction
from myriorama.application.relations import visible_video
from myriorama.store.log import Log, retried


class Reactions:
    """Likes, bookmarks, shares and reports. To repeat a command changes nothing."""

    def __init__(self, log: Log) -> None:
        self._log = log

    @retried
    def like(self, video_id: UUID, *, by: UUID, at: datetime) -> None:
        """Like a video.

        Raises:
            VideoNotFound: there is none, or `by` may not see it.
        """
        self._react(video_id, by, lambda reaction: reaction.like(at=at), at)

    @retried
    def unlike(self, video_id: UUID, *, by: UUID, at: datetime) -> None:
        """Take a like back, whether the video may still be seen or not.

        Raises:
            VideoNotFound: `by` never reacted to it, and may not see it.
        """
        self._withdraw(video_id, by, lambda reaction: reaction.unlike(at=at))

    @retried
    def bookmark(self, video_id: UUID, *, by: UUID, at: datetime) -> None:
        """Keep a video for later.

        Raises:
            VideoNotFound: there is none, or `by` may not see it.
        """
        self._react(video_id, by, lambda reaction: reaction.bookmark(at=at), at)

    @retried
    def unbookmark(self, video_id: UUID, *, by: UUID, at: datetime) -> None:
        """Keep a video no longer, whether it may still be seen or not.

        Raises:
            VideoNotFound: `by` never reacted to it, and may not see it.
        """
        self._withdraw(video_id, by, lambda reaction: reaction.unbookmark(at=at))

    @retried
    def share(self, video_id: UUID, *, by: UUID, at: datetime) -> None:
        """Note that a video was passed on; each account counts once.

        Raises:
            VideoNotFound: there is none, or `by` may not see it.
        """
        self._react(video_id, by, lambda reaction: reaction.share(at=at), at)

    @retried
    def report(self, video_id: UUID, *, reason: str, note: str, by: UUID, at: datetime) -> None:
        """Say to the moderators that a video should not be here; each account counts once.

        Raises:
            VideoNotFound: there is none, or `by` may not see it.
            ReportInvalid: there is no such reason, or the note is too long or cannot be read.
        """
        self._react(video_id, by, lambda reaction: reaction.report(reason, note, at=at), at)

    def _react(
        self, video_id: UUID, by: UUID, react: Callable[[Reaction], None], at: datetime
    ) -> None:
        _, read = visible_video(self._log, video_id, to=by)
        reaction = self._find(video_id, by) or Reaction.start(by, video_id, at=at)
        react(reaction)
        self._log.save(reaction, expect=read)

    def _withdraw(self, video_id: UUID, by: UUID, withdraw: Callable[[Reaction], None]) -> None:
        reaction = self._find(video_id, by)
        if reaction is None:
            visible_video(self._log, video_id, to=by)
            return
        withdraw(reaction)
        self._log.save(reaction)

    def _find(self, video_id: UUID, by: UUID) -> Reaction | None:
        return self._log.find(Reaction, Reaction.identify(by, video_id))
