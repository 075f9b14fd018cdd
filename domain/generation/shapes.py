"""The shapes a video can have, and the class of work that a request falls into."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

WORK_CLASSES = ("plain", "cameo", "long", "hires")
"""Each has a queue of its own: what takes long does not hold up what does not."""

SECONDS_MIN = 2
SECONDS_MAX = 15
STORYBOARD_SECONDS_MAX = 30
STITCH_SECONDS_MAX = 60
STITCH_PIXEL_SECONDS_MAX = 30 * 960 * 960
"""What is joined is held in memory as a whole: at 24 frames a second these are 2 GB."""
FPS = 24
_LONG_S = 8


class Size(NamedTuple):
    """Pixels, in multiples of 32: video models work on patches of that."""

    width: int
    height: int


SIZES: Mapping[tuple[str, str], Size] = {
    ("portrait", "480p"): Size(480, 832),
    ("landscape", "480p"): Size(832, 480),
    ("square", "480p"): Size(640, 640),
    ("portrait", "720p"): Size(704, 1280),
    ("landscape", "720p"): Size(1280, 704),
    ("square", "720p"): Size(960, 960),
}
"""By orientation and resolution."""


def classify(*, cameo_ids: Sequence[UUID], seconds: int, resolution: str) -> str:
    """Return the class of work, the costliest trait first."""
    if cameo_ids:
        return "cameo"
    if seconds > _LONG_S:
        return "long"
    return "plain" if resolution == "480p" else "hires"
