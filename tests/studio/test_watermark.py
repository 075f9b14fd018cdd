"""The watermark is not seen, survives what sharing does to videos, and is never made up."""

from collections.abc import Callable, Mapping

import numpy as np
import pytest
from numpy.typing import NDArray

from myriorama.studio.procedural import ProceduralRenderer
from myriorama.studio.renderer import Preview, Scene
from myriorama.studio.watermark import (
    BIT_ERRORS_MAX,
    BITS,
    FALSE_ALARM_MAX,
    GRID,
    PSNR_MIN_DB,
    Watermark,
    grid,
)
from tests.recoded import decoded, encoded

FPS = 24
PAYLOAD = 0x9E37_79B9_7F4A_7C15
WATERMARK = Watermark(b"a key of the tests")


def unwatched(_done: int, _total: int, _preview: Preview | None, /) -> None:
    """Nobody looks how far it is."""


def procedural() -> NDArray[np.uint8]:
    scene = Scene("a robot dances on the moon", 640, 640, 2.0, 1)
    return ProceduralRenderer().render(scene, unwatched).frames


def flat() -> NDArray[np.uint8]:
    return np.full((48, 640, 640, 3), (120, 140, 90), np.uint8)


def black() -> NDArray[np.uint8]:
    return np.zeros((48, 640, 640, 3), np.uint8)


def texture() -> NDArray[np.uint8]:
    """Noise with the spectrum of nature, passing by, under the grain of a camera."""
    dice = np.random.default_rng(2)
    high, wide = 640, 640 + 3 * 48
    down, across = np.fft.fftfreq(high)[:, None], np.fft.rfftfreq(wide)[None]
    falloff = np.maximum(np.hypot(down, across), 1 / wide) ** 1.5
    noise: NDArray[np.float64] = np.fft.irfft2(
        np.fft.rfft2(dice.standard_normal((high, wide))) / falloff, (high, wide)
    )
    noise = 128 + 45 * (noise - noise.mean()) / noise.std()
    frames = [noise[:, 3 * at : 3 * at + 640] for at in range(48)]
    grained: NDArray[np.float64] = np.stack(frames) + dice.standard_normal((48, 640, 640)) * 2
    return np.repeat(np.clip(grained, 0, 255).astype(np.uint8)[..., None], 3, 3)


CLIPS: Mapping[str, Callable[[], NDArray[np.uint8]]] = {
    "procedural": procedural,
    "flat": flat,
    "black": black,
    "texture": texture,
}


def psnr_db(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    error = np.mean([np.square(a.astype(np.float32) - b).mean() for a, b in zip(one, other)])  # noqa: B905 - of one clip
    return float(10 * np.log10(255**2 / error))


@pytest.mark.parametrize("clip", CLIPS)
def test_a_mark_is_not_seen_and_survives_being_shared(clip: str) -> None:
    frames = CLIPS[clip]()
    marked = frames.copy()

    WATERMARK.embed(marked, PAYLOAD, fps=FPS)

    assert psnr_db(frames, marked) >= PSNR_MIN_DB - 0.4
    assert WATERMARK.detect(frames, fps=FPS) is None
    published, _ = decoded(encoded(marked, crf=21))
    shared = {
        "coarse": encoded(published, crf=28),
        "small": encoded(published, crf=21, scale=0.5),
        "both": encoded(published, crf=28, scale=0.5),
    }
    for copy in shared.values():
        found = WATERMARK.detect(decoded(copy)[0], fps=FPS)
        assert found
        assert found.false_alarm < FALSE_ALARM_MAX
        assert (found.payload ^ PAYLOAD).bit_count() <= BIT_ERRORS_MAX


def test_a_clip_that_lost_its_beginning_or_runs_at_another_rate_is_recognised() -> None:
    frames = procedural()
    WATERMARK.embed(frames, PAYLOAD, fps=FPS)

    cut = WATERMARK.detect(frames[7:], fps=FPS)
    halved = WATERMARK.detect(frames[::2], fps=FPS / 2)

    assert cut
    assert cut.payload in {PAYLOAD, PAYLOAD ^ 2**BITS - 1}
    assert halved
    assert halved.payload == PAYLOAD


def test_another_key_reads_nothing() -> None:
    frames = flat()
    WATERMARK.embed(frames, PAYLOAD, fps=FPS)

    assert Watermark(b"another key").detect(frames, fps=FPS) is None


def test_unmarked_clips_under_many_keys_stay_below_the_bound() -> None:
    dice = np.random.default_rng(5)
    times_s = np.arange(24) / FPS
    still = dice.uniform(0, 255, (GRID, GRID)).astype(np.float32)
    drifting = np.stack([np.roll(still, at // 2, 1) for at in range(24)])
    shaken = drifting + dice.normal(0, 3, drifting.shape).astype(np.float32)

    found = [Watermark(bytes([at // 256, at % 256])).read(shaken, times_s) for at in range(300)]

    assert not any(found)


def test_a_clip_of_one_moment_carries_no_mark() -> None:
    frames = flat()[:6]
    WATERMARK.embed(frames, PAYLOAD, fps=FPS)

    assert WATERMARK.detect(frames, fps=FPS) is None
    assert grid(frames[0]).shape == (GRID, GRID)
