"""The command on renditions: record that a video can be streamed in several sizes."""

from datetime import datetime
from uuid import UUID

from domain.video.aggregate import Video
from domain.video.errors import VideoNotFound
from myriorama.store.log import Log, retried


class Renditions:
    """What the studio has made of videos that many watch."""

    def __init__(self, log: Log) -> None:
        self._log = log

    @retried
    def record(
        self, video_id: UUID, ladder_key: str, *, rungs: int, size_bytes: int, at: datetime
    ) -> None:
        """Let a video be streamed by a ladder. Once it has one, another records nothing.

        Raises:
            VideoNotFound: there is no such video (any more).
        """
        video = self._log.find(Video, video_id)
        if video is None:
            raise VideoNotFound("There is no such video.")
        video.add_renditions(ladder_key, rungs=rungs, size_bytes=size_bytes, at=at)
        self._log.save(video)
