"""Examination: what a file of video says of where it comes from, whoever sent it.

Read by the gate of publication, the detector and `verify media`. The file is looked at by a child
(`examining`) that is confined like the one that looks at uploads. The child knows no secret: it
hands back the frames in small, and the watermark's key stays on this side.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

import msgspec
import numpy as np
from numpy.typing import NDArray

from myriorama.studio.asking import Unanswered, ask
from myriorama.studio.inspection import Limits, Refused
from myriorama.studio.manifest import Manifest
from myriorama.studio.marking import SEEN_MIN
from myriorama.studio.media_types import ADMITTED, HEAD_BYTES, sniffed
from myriorama.studio.perceptual import NOTHING_TO_SEE, hash_of_grids
from myriorama.studio.watermark import GRID, Detection, Watermark

EXAMINER = (sys.executable, "-I", "-m", "myriorama.studio.examining")
LIMITS = Limits(
    video_bytes_max=100 * 2**20,
    video_ms_min=0,
    video_ms_max=150_000,
    cpu_s_max=60,
    wall_s_max=120.0,
)


class Examine(msgspec.Struct, frozen=True, kw_only=True):
    """What the child is asked: `source` and `target` are open descriptors.

    Of a video that lasts longer than `seconds_max`, so much is looked at.
    """

    source: int
    target: int
    media_type: str
    trust: str
    seconds_max: float
    limits: Limits


class Seen(msgspec.Struct, frozen=True, kw_only=True, tag="seen"):
    """What the child answers. In `target` stand the frames in small, and then their times."""

    manifest: Manifest | None
    frames: int
    resemblance: float


@dataclass(frozen=True)
class Examined:
    """What a file shows: what it claims, its frames in small, and how far the corners look marked.

    `grids` is (frames, 40, 40); what of it is believed must not rest on the child alone.
    """

    manifest: Manifest | None
    grids: NDArray[np.float32]
    times_s: NDArray[np.float64]
    resemblance: float

    @property
    def has_visible_mark(self) -> bool:
        return self.resemblance >= SEEN_MIN

    @property
    def perceptual_hash(self) -> int:
        return hash_of_grids(self.grids) if len(self.grids) else NOTHING_TO_SEE

    def watermark(self, watermark: Watermark, *, is_whole: bool = False) -> Detection | None:
        return watermark.read(self.grids, self.times_s, is_whole=is_whole)


def examine(
    path: Path,
    *,
    trust: str,
    seconds_max: float = LIMITS.video_ms_max / 1000,
    limits: Limits = LIMITS,
    examiner: Sequence[str] = EXAMINER,
) -> Examined | Refused:
    """Look at a file of video. It keeps a core busy: call it in a thread, few at a time.

    Raises:
        DecoderBroken: nothing can be examined on this machine.
    """
    with path.open("rb") as source, TemporaryFile() as target:
        media_type = sniffed(source.read(HEAD_BYTES))
        if media_type not in ADMITTED["cameo_video"]:
            return Refused("media_type_unsupported", "this is no MP4, QuickTime or WebM video")
        if path.stat().st_size > limits.video_bytes_max:
            return Refused("upload_too_large", f"at most {limits.video_bytes_max} bytes are taken")
        source.seek(0)
        question = Examine(
            source=source.fileno(),
            target=target.fileno(),
            media_type=media_type,
            trust=trust,
            seconds_max=seconds_max,
            limits=limits,
        )
        answer = ask(
            examiner,
            msgspec.json.encode(question),
            descriptors=(source.fileno(), target.fileno()),
            wall_s=limits.wall_s_max,
        )
        if isinstance(answer, Unanswered):
            return Refused(answer.code, answer.detail)
        try:
            seen = msgspec.json.decode(answer, type=Seen | Refused)
            return seen if isinstance(seen, Refused) else _examined(seen, target)
        except (msgspec.DecodeError, ValueError):
            return Refused("media_undecodable", "looking at this broke the decoder")


def _examined(seen: Seen, target: IO[bytes]) -> Examined:
    """Read what the child wrote, which may be anything.

    Raises:
        ValueError: it is not what it should be.
    """
    cells = GRID * GRID
    target.seek(0)
    content = target.read(_FRAME_BYTES * seen.frames + 1 if 0 <= seen.frames <= _FRAMES_MAX else 0)
    if len(content) != _FRAME_BYTES * seen.frames:
        raise ValueError("the child did not write what it says")
    grids = np.frombuffer(content[: 4 * cells * seen.frames], np.float32)
    times_s = np.frombuffer(content[4 * cells * seen.frames :], np.float64)
    ordered = bool(np.all(np.diff(times_s) >= 0))
    if not (np.isfinite(grids).all() and np.isfinite(times_s).all() and ordered):
        raise ValueError("these are no pictures")
    return Examined(
        seen.manifest,
        np.clip(grids, 0, 255).reshape(-1, GRID, GRID),
        times_s,
        seen.resemblance,
    )


_FRAMES_MAX = 12_000
_FRAME_BYTES = 4 * GRID * GRID + 8
