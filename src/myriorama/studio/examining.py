"""Examining: the confined child process that looks where a video comes from.

Started by `examination`, which asks one question by standard input and reads one answer from
standard output; the frames in small go into a file that is open already.
"""

import os
import sys
from typing import BinaryIO

import av.error
import av.logging
import msgspec
import numpy as np
from av import VideoFrame
from numpy.typing import NDArray

from myriorama.studio.asking import READY
from myriorama.studio.confinement import confine
from myriorama.studio.decoding import BROKEN
from myriorama.studio.examination import Examine, Seen
from myriorama.studio.inspection import Refused
from myriorama.studio.manifest import read_stream
from myriorama.studio.marking import MarkReader
from myriorama.studio.recordings import Unfit, opened, shots
from myriorama.studio.watermark import grid


def main() -> None:
    """Read one question, give up everything that is not needed to answer it, and answer."""
    question = msgspec.json.decode(sys.stdin.buffer.read(), type=Examine)
    av.logging.set_level(None)
    _warm_up(question)
    confine(
        memory_bytes=question.limits.memory_bytes_max,
        cpu_s=question.limits.cpu_s_max,
        file_bytes=question.limits.output_bytes_max,
    )
    sys.stdout.buffer.write(READY)  # what goes wrong from here on is the fault of the file
    sys.stdout.buffer.flush()
    answer: Seen | Refused
    try:
        answer = look(question)
    except Unfit as unfit:
        answer = unfit.refused
    except MemoryError:
        answer = Refused("decoding_out_of_memory", "looking at this takes too much memory")
    except (*BROKEN, av.error.FFmpegError) as error:
        detail = f"it is damaged, or not what it seems to be ({type(error).__name__})"
        answer = Refused("media_undecodable", detail)
    sys.stdout.buffer.write(msgspec.json.encode(answer))
    sys.stdout.buffer.flush()
    # Without tidying up: what is in an odd state after hostile input is never touched again.
    os._exit(0)


def look(question: Examine) -> Seen:
    """Read the manifest, then the frames; those that follow too closely are left out."""
    source = os.fdopen(question.source, "rb")
    target = os.fdopen(question.target, "r+b")
    manifest = read_stream(source, question.trust, question.media_type)
    source.seek(0)
    times_s, resemblance = _watched(source, target, question)
    target.write(np.array(times_s, np.float64).tobytes())
    target.flush()
    return Seen(manifest=manifest, frames=len(times_s), resemblance=resemblance)


_STEP_S_MIN = 0.03
"""A frame each 1/30 s is enough; the decoder may meet 240 a second."""


def _warm_up(question: Examine) -> None:
    """Have the library of C2PA open and start what it needs, on no file at all."""
    with open(os.devnull, "rb") as nothing:  # noqa: PTH123 - a device, not a path of ours
        read_stream(nothing, question.trust)
    grid(np.zeros((8, 8), np.uint8))


def _watched(source: BinaryIO, target: BinaryIO, question: Examine) -> tuple[list[float], float]:
    times_s: list[float] = []
    marks = MarkReader()
    size = None
    with opened(source, question.media_type) as container:
        for shot in shots(container, question.limits):
            if shot.at_s > question.seconds_max:
                break
            if times_s and shot.at_s - times_s[-1] < _STEP_S_MIN:
                continue
            luma = _upright(shot.frame)
            size = size or luma.shape
            if luma.shape != size:
                continue
            target.write(grid(luma).tobytes())
            times_s.append(shot.at_s)
            marks.offer(luma)
    return times_s, marks.resemblance


def _upright(frame: VideoFrame) -> NDArray[np.uint8]:
    luma = frame.reformat(format="gray", threads=1).to_ndarray().astype(np.uint8, copy=False)
    return np.ascontiguousarray(np.rot90(luma, round(frame.rotation / 90) % 4))


if __name__ == "__main__":
    main()
