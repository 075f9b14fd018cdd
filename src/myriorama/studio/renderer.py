"""What a renderer is: from scenes to clips, step by step, and stoppable at every step."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from domain.generation.models import Capabilities

GRID_PX = 32
"""Sides are multiples of this, because video models work on patches of it."""


@dataclass(frozen=True)
class Recording:
    """Sound without a picture: `samples` are within [-1, 1], mono (n,) or (channels, n)."""

    samples: NDArray[np.float32]
    sample_rate_hz: int


@dataclass(frozen=True)
class Footage:
    """The end of a finished clip, oldest frame first: RGB of shape (frames, height, width, 3)."""

    frames: NDArray[np.uint8]
    fps: int
    sound: Recording | None = None


@dataclass(frozen=True)
class Likeness:
    """A cameo as a renderer sees it: a name, a face, how high the voice is, and how it sounds."""

    name: str
    image: bytes
    voice_pitch_hz: float | None
    voice: Recording | None = None


@dataclass(frozen=True)
class Scene:
    """What to render. Width and height are pixels, each a multiple of 32.

    `image` is the first frame, `last_image` the last one, and `cameos` are the people in it; their
    pictures are PNG, JPEG or WebP files that were inspected before they came here. `footage` is
    what the clip goes on from, instead of an image; its frames are not part of the clip. `speech`
    is what is said, for lips to follow: a renderer whose capabilities say that it follows speech
    gives it back as the clip's sound, others leave it to be mixed in.
    """

    prompt: str
    width: int
    height: int
    seconds: float
    seed: int
    fps: int = 24
    image: bytes | None = None
    last_image: bytes | None = None
    footage: Footage | None = None
    cameos: tuple[Likeness, ...] = ()
    speech: Recording | None = None

    def __post_init__(self) -> None:
        if any(side <= 0 or side % GRID_PX for side in (self.width, self.height)):
            raise UnrenderableScene(
                f"{self.width}x{self.height} is not in multiples of {GRID_PX} pixels"
            )
        if self.seconds <= 0 or self.fps <= 0 or self.seed < 0:
            raise UnrenderableScene("seconds and fps must be positive, and the seed not negative")
        if self.image is not None and self.footage is not None:
            raise UnrenderableScene("a clip begins with an image or goes on from footage, not both")


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


Preview = Callable[[], NDArray[np.uint8]]
"""Draws what can be seen so far: four frames, RGB (4, height, width, 3), longest side 160 px.

Of scenes that are rendered together it draws four frames each, one scene after the other. It is
good until `on_step` returns, and costs nothing unless it is called.
"""

OnStep = Callable[[int, int, Preview | None], None]
"""Hears `(done, total, preview)`. What it raises stops the render."""


class Renderer(Protocol):
    """Renders scenes. `name` and `digest` are written into the log beside every clip."""

    @property
    def name(self) -> str: ...

    @property
    def capabilities(self) -> Capabilities:
        """What may be asked for; everything else is refused before it comes here."""
        ...

    @property
    def digest(self) -> str:
        """SHA-256 of what renders, weights or program: the same digest gives the same clips."""
        ...

    def render(self, scene: Scene, on_step: OnStep) -> Clip:
        """Render a clip. The same scene gives the same clip, bit for bit, on the same machine.

        `on_step` is called after each of at least four steps. What it raises stops the render at
        once and reaches the caller.

        Raises:
            UnrenderableScene: the scene asks for what this renderer cannot do.
            GPUMemoryExhausted: the process should be started anew before it renders again.
        """
        ...

    def render_together(self, scenes: Sequence[Scene], on_step: OnStep) -> list[Clip]:
        """Render scenes of one size, length and frame rate at once, each as if it were alone.

        No more than `capabilities.together_max` of them; what stops one stops all.
        """
        ...


class Cancelled(Exception):
    """The render is no longer wanted. Raised by `on_step`, and passed on to whoever renders."""


class UnrenderableScene(Exception):
    """The scene asks for a size, length or condition that the renderer does not take."""


class GPUMemoryExhausted(Exception):
    """The scene did not fit beside what the process holds on its GPU: start the process anew."""
