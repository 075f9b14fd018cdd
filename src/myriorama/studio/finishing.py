"""Finishing: from a clip as it was rendered to the files that are delivered, in one fixed order.

What comes last is signed over everything before it.
"""

from dataclasses import dataclass
from pathlib import Path

from domain.generation.work import Work
from myriorama.studio.encoding import encode
from myriorama.studio.marking import burn_mark
from myriorama.studio.renderer import Clip


@dataclass(frozen=True)
class File:
    """A file to be stored, under a key of its kind."""

    kind: str
    path: Path
    media_type: str


@dataclass(frozen=True)
class Finished:
    """The files of a video, and what the log records of them."""

    video: File
    poster: File
    thumbnail: File
    sha256: str
    size_bytes: int
    width: int
    height: int
    duration_ms: int


def finish(clip: Clip, work: Work, folder: Path) -> Finished:
    """Make the files in a folder that exists. The clip's frames are written over.

    Raises:
        OSError: the disk is full, say.
    """
    burn_mark(clip.frames)
    encoded = encode(clip, folder)
    return Finished(
        video=File("videos", encoded.video, "video/mp4"),
        poster=File("posters", encoded.poster, "image/jpeg"),
        thumbnail=File("thumbnails", encoded.thumbnail, "image/webp"),
        sha256=encoded.sha256,
        size_bytes=encoded.size_bytes,
        width=encoded.width,
        height=encoded.height,
        duration_ms=encoded.duration_ms,
    )
