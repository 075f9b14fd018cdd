"""Copies in tests: a video encoded once more, smaller or worse, as those who share it do."""

from fractions import Fraction
from io import BytesIO
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray


def encoded(
    frames: NDArray[np.uint8], *, fps: int = 24, crf: int = 21, scale: float = 1.0
) -> bytes:
    """Encode frames as H.264 in MP4, without sound."""
    file = BytesIO()
    height, width = (round(side * scale / 2) * 2 for side in frames.shape[1:3])
    container: Any = av.open(file, "w", format="mp4")
    with container:
        stream = container.add_stream(
            "libx264",
            rate=Fraction(fps),
            options={"crf": str(crf), "preset": "veryfast", "threads": "1"},
        )
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for frame in frames:
            picture = av.VideoFrame.from_ndarray(frame, format="rgb24")
            small = picture.reformat(
                width=width, height=height, format="yuv420p", interpolation="BICUBIC"
            )
            container.mux(stream.encode(small))
        container.mux(stream.encode())
    return file.getvalue()


def decoded(content: bytes) -> tuple[NDArray[np.uint8], int]:
    """Return the frames, and how many there are a second."""
    with av.open(BytesIO(content), "r") as container:
        stream = container.streams.video[0]
        fps = round(stream.average_rate or 24)
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(stream)]
    return np.stack(frames).astype(np.uint8), fps


def recoded(content: bytes, *, crf: int, scale: float = 1.0) -> bytes:
    """Encode a video once more."""
    frames, fps = decoded(content)
    return encoded(frames, fps=fps, crf=crf, scale=scale)
