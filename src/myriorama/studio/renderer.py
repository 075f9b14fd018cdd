"""What a renderer is: from a scene to a clip, step by step, and stoppable at every step."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

GRID_PX = 32
"""Sides are multiples of this, because video models work on patches of it."""


@dataclass(frozen=True)
class Likeness:
    """A cameo as a renderer sees it: a name, a face, and how high the voice is."""

    name: str
    image: bytes
    voice_pitch_hz: float | None


@dataclass(frozen=True)
class Scene:
    """What to render. Width and height are pixels, each a multiple of 32.

    `image` is the first frame and `cameos` are the people in it; their pictures are PNG, JPEG or
    WebP files that were inspected before they came here.
    """

    prompt: str
    width: int
    height: int
    seconds: float
    seed: int
    fps: int = 24
    image: bytes | None = None
    cameos: tuple[Likeness, ...] = ()

    def __post_init__(self) -> None:
        if any(side <= 0 or side % GRID_PX for side in (self.width, self.height)):
            raise UnrenderableScene(
                f"{self.width}x{self.height} is not in multiples of {GRID_PX} pixels"
            )
        if self.seconds <= 0 or self.fps <= 0 or self.seed < 0:
            raise UnrenderableScene("seconds and fps must be positive, and the seed not negative")


@dataclass(frozen=True)
class Clip:
    """A rendered video with its sound.

    `frames` are RGB of shape (frames, height, width, 3); `sound` is stereo of shape (2, samples)
    within [-1, 1].
    """

    frames: NDArray[np.uint8]
    fps: int
    sound: NDArray[np.float32]
    sample_rate_hz: int

    @property
    def seconds(self) -> float:
        return len(self.frames) / self.fps


OnStep = Callable[[int, int], None]


class Renderer(Protocol):
    """Renders scenes. `name` is written into the log beside every clip."""

    @property
    def name(self) -> str: ...

    def render(self, scene: Scene, on_step: OnStep) -> Clip:
        """Render a clip. The same scene gives the same clip, bit for bit, on the same machine.

        `on_step(done, total)` is called after each of at least four steps. What it raises stops
        the render at once and reaches the caller.
        """
        ...


class Cancelled(Exception):
    """The render is no longer wanted. Raised by `on_step`, and passed on to whoever renders."""


class UnrenderableScene(Exception):
    """The scene asks for a size, length or seed that no renderer takes."""
