"""The LTX-2 family of video models: picture and sound from one denoising, through diffusers."""

import gc
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from threading import Lock

from domain.generation.models import Capabilities
from myriorama.studio.diffusion import require, within_gpu_memory
from myriorama.studio.echo import sample_cast
from myriorama.studio.ltx2_conditioning import is_conditioned
from myriorama.studio.ltx2_model import LTX2Model
from myriorama.studio.ltx2_sampling import sample, sample_large
from myriorama.studio.renderer import Clip, OnStep, Preview, Scene, UnrenderableScene
from myriorama.studio.weights import Precision, Weights


class LTX2Renderer:
    """Renders with the LTX-2 weights in a folder, which are loaded with the first scene.

    Everything that the folder can do shares the same weights, and nothing is ever downloaded. One
    scene, or one batch of scenes, is rendered at a time. Pictures of `two_stages_px` pixels and
    more are rendered at half their size first, where the folder has an upsampler.
    """

    def __init__(
        self,
        folder: Path,
        *,
        capabilities: Capabilities,
        precision: Precision = "bf16",
        two_stages_px: int = 1_000_000,
    ) -> None:
        self.capabilities = capabilities
        self._weights = Weights(folder)
        self._precision: Precision = precision
        self._two_stages_px = two_stages_px
        self._model: LTX2Model | None = None
        self._rendering = Lock()

    @property
    def name(self) -> str:
        """As in the catalogue."""
        return self.capabilities.model

    @property
    def digest(self) -> str:
        """SHA-256 of the weights."""
        return self._digest

    @cached_property
    def _digest(self) -> str:
        return self._weights.digest()

    def render(self, scene: Scene, on_step: OnStep) -> Clip:
        """Render a clip of 8k + 1 frames, as these models do: never shorter than was asked for.

        Raises:
            UnrenderableScene: these weights cannot do what the scene asks for.
            GPUMemoryExhausted: the process should be started anew before it renders again.
            WorkerExtraMissing: torch or diffusers is not installed.
        """
        return self.render_together([scene], on_step)[0]

    def render_together(self, scenes: Sequence[Scene], on_step: OnStep) -> list[Clip]:
        """Render scenes of one shape at once; those that need more than a prompt, in turn."""
        self._require(scenes)
        with self._rendering, within_gpu_memory():
            model = self._loaded()
            if len(scenes) > 1 and any(_is_held_to_something(scene) for scene in scenes):
                return [
                    self._sampled(model, [scene], _in_turn(on_step, turn, len(scenes)))[0]
                    for turn, scene in enumerate(scenes)
                ]
            return self._sampled(model, scenes, on_step)

    def load(self) -> None:
        """Load the weights now, so that the first scene need not wait for them."""
        with self._rendering, within_gpu_memory():
            self._loaded()

    def unload(self) -> None:
        """Give the memory back. The next scene loads the weights again."""
        with self._rendering:
            self._model = None
            gc.collect()

    def _loaded(self) -> LTX2Model:
        if self._model is None:
            self._model = LTX2Model.load(self._weights, precision=self._precision)
        return self._model

    def _sampled(self, model: LTX2Model, scenes: Sequence[Scene], on_step: OnStep) -> list[Clip]:
        scene = scenes[0]
        with require("torch").no_grad():
            if scene.cameos:
                return [sample_cast(model, scene, on_step)]
            if model.upsample is not None and self._is_large(scene):
                return sample_large(model, scenes, on_step)
            return sample(model, scenes, on_step)

    def _is_large(self, scene: Scene) -> bool:
        halves = (scene.width // 2, scene.height // 2)
        is_even = all(side % 32 == 0 for side in halves)
        return is_even and scene.width * scene.height >= self._two_stages_px

    def _require(self, scenes: Sequence[Scene]) -> None:
        shapes = {(scene.width, scene.height, scene.seconds, scene.fps) for scene in scenes}
        if len(shapes) != 1 or len(scenes) > self.capabilities.together_max:
            raise UnrenderableScene(
                f"up to {self.capabilities.together_max} scenes of one shape are rendered at once"
            )
        if any(scene.cameos for scene in scenes) and not self.capabilities.takes_cameos:
            raise UnrenderableScene(f"{self.name} cannot cast cameos")


def _is_held_to_something(scene: Scene) -> bool:
    return (
        is_conditioned(scene)
        or scene.image is not None
        or scene.speech is not None
        or bool(scene.cameos)
    )


def _in_turn(on_step: OnStep, turn: int, turns: int) -> OnStep:
    def step_ended(done: int, total: int, preview: Preview | None) -> None:
        on_step(turn * total + done, turns * total, preview)

    return step_ended
