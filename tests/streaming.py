"""Videos in tests that are streamed in several sizes, by pieces that hold their own names."""

from datetime import UTC, datetime
from uuid import UUID

from domain.video.aggregate import Video
from myriorama.settings import Settings
from myriorama.store.ladders import Ladder, Rung, Segment, put_ladder
from myriorama.store.log import Log
from myriorama.store.objects import open_objects

RUNGS = tuple(
    Rung(
        width=width,
        height=2 * width,
        fps=24,
        codecs="avc1.64001f,mp4a.40.2",
        peak_bits_s=4 * width * width,
        average_bits_s=3 * width * width,
        opening_key=f"renditions/{width}/opening.mp4",
        segments=tuple(
            Segment(f"renditions/{width}/{n}.m4s", ms) for n, ms in ((0, 2000), (1, 1500))
        ),
    )
    for width in (480, 320)
)


def streamed(log: Log, settings: Settings, video_id: UUID) -> None:
    """Record that a video has a ladder, and put there what it names."""
    objects = open_objects(settings.objects)
    for rung in RUNGS:
        for key in (rung.opening_key, *(segment.key for segment in rung.segments)):
            objects.put(key, key.encode(), media_type="video/mp4")
    video = log.find(Video, video_id)
    assert video is not None
    key = put_ladder(objects, Ladder(RUNGS))
    video.add_renditions(key, rungs=len(RUNGS), size_bytes=9, at=datetime.now(UTC))
    log.save(video)
