"""Videos in tests, published without rendering one: only their files are missing."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from domain.video.aggregate import Video
from domain.video.visibility import Visibility
from myriorama.store.log import Log


def publish(  # noqa: PLR0913 - what is particular about it
    log: Log,
    author_id: UUID,
    caption: str = "A fox jumps.",
    visibility: Visibility = "public",
    *,
    cameo_ids: tuple[UUID, ...] = (),
    parent: Video | None = None,
) -> Video:
    """Record that an account published a video."""
    video = published(
        author_id, caption=caption, visibility=visibility, cameo_ids=cameo_ids, parent=parent
    )
    log.save(video)
    return video


def published(author_id: UUID, **differing: Any) -> Video:
    """Return a video as its author has just published it; nothing is recorded."""
    generation_id = differing.pop("generation_id", None) or uuid4()
    publication: dict[str, Any] = {
        "caption": "",
        "visibility": "public",
        "remixable": True,
        "prompt": "a fox jumps over a brook",
        "cameo_ids": (),
        "parent": None,
        "video_key": f"videos/{generation_id}/video.mp4",
        "poster_key": f"posters/{generation_id}/poster.jpg",
        "thumbnail_key": f"thumbnails/{generation_id}/thumbnail.jpg",
        "width": 480,
        "height": 854,
        "duration_ms": 4000,
        "at": datetime.now(UTC),
    }
    return Video.publish(
        author_id=author_id, generation_id=generation_id, **{**publication, **differing}
    )
