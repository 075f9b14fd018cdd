"""The models there are to choose from, and how each is opened.

What a model can do is known without loading it; torch is imported only by who opens one that needs
it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

from domain.generation.models import Capabilities
from myriorama.studio import procedural
from myriorama.studio.emoji import weights as emoji_weights
from myriorama.studio.emoji.renderer import CAPABILITIES as EMOJI
from myriorama.studio.emoji.renderer import EmojiRenderer
from myriorama.studio.renderer import Renderer
from myriorama.studio.weights import Precision, Weights, WeightsMissing

TINY = "tiny"
"""As a model: random weights, built in `home`. Their clips are noise; they show that all works."""


@dataclass(frozen=True)
class Models:
    """What the settings choose: a default family, and where its weights are.

    `model` is a folder, the name of a repository on the Hugging Face hub, or `tiny`; `precision`
    is what the weights are held in on a GPU.
    """

    renderer: str
    model: str
    home: Path
    precision: Precision = "bf16"

    @property
    def default(self) -> str:
        """The name of the model that renders what names none.

        Raises:
            WeightsMissing: the settings choose a family, and no weights.
        """
        if self.renderer == "ltx2":
            if not self.model:
                raise WeightsMissing(
                    "MYRIORAMA_RENDERER is ltx2: set MYRIORAMA_MODEL to a folder with LTX-2"
                    " weights, to the name of a repository on the Hugging Face hub, or to `tiny`."
                )
            return _ltx2_name(self.model)
        if self.renderer == "emoji":
            if not emoji_weights.is_complete(self._emoji_folder()):
                raise WeightsMissing(
                    "MYRIORAMA_RENDERER is emoji, and its weights are not here: run"
                    " `myriorama train studio`, or set MYRIORAMA_RENDERER to procedural."
                )
            return emoji_weights.MODEL
        return procedural.CAPABILITIES.model

    def capabilities(self) -> Mapping[str, Capabilities]:
        """What each model can do, by its name; the default is the first.

        Weights that are not on this machine count for what all of their family can do.

        Raises:
            WeightsMissing: the settings choose a family, and no weights.
        """
        table = {procedural.CAPABILITIES.model: procedural.CAPABILITIES}
        if emoji_weights.is_complete(self._emoji_folder()):
            table[emoji_weights.MODEL] = EMOJI
        if self.model:
            name = _ltx2_name(self.model)
            able = Weights(self._folder()).capabilities(name)
            table[name] = replace(able, speaks=False) if self.model == TINY else able
        default = self.default
        return MappingProxyType({default: table.pop(default), **table})

    def check(self) -> None:
        """See that what a worker needs is there, before it takes any work.

        Raises:
            WeightsMissing: it is not; the message says what to set.
        """
        _ = self.default
        if self.model and self.model != TINY and not _is_hub_name(self.model):
            Weights(self._folder()).check()

    def open_renderer(self, name: str) -> Renderer:
        """Open a model, which loads its weights with its first scene.

        Raises:
            WeightsMissing: there is no such model here; the message says what to set.
            WorkerExtraMissing: torch or diffusers is not installed.
        """
        if name == procedural.CAPABILITIES.model:
            return procedural.ProceduralRenderer()
        if name == emoji_weights.MODEL and emoji_weights.is_complete(self._emoji_folder()):
            return EmojiRenderer(self._emoji_folder())
        if self.model and name == _ltx2_name(self.model):
            from myriorama.studio.ltx2 import LTX2Renderer  # noqa: PLC0415 - torch takes seconds
            from myriorama.studio.tiny_model import ensure_tiny_model  # noqa: PLC0415

            if self.model == TINY:
                folder = ensure_tiny_model(self._folder())
            elif _is_hub_name(self.model):
                folder = _downloaded(self.model)
            else:
                folder = self._folder()
            return LTX2Renderer(
                folder, capabilities=self.capabilities()[name], precision=self.precision
            )
        raise self._missing(name)

    def able(self, name: str) -> Capabilities:
        """Return what one model can do.

        Raises:
            WeightsMissing: there is no such model here; the message says what to set.
        """
        able = self.capabilities().get(name)
        if able is None:
            raise self._missing(name)
        return able

    def _missing(self, name: str) -> WeightsMissing:
        return WeightsMissing(
            f"This worker has no model {name}, only {', '.join(self.capabilities())}."
            " Set MYRIORAMA_MODEL as it is set for the API."
        )

    def _emoji_folder(self) -> Path:
        return emoji_weights.folder_in(self.home)

    def _folder(self) -> Path:
        return self.home / "models" / "ltx2-tiny" if self.model == TINY else Path(self.model)


def _ltx2_name(model: str) -> str:
    return f"ltx2-{Path(model).name.lower()}"[:100]


def _is_hub_name(model: str) -> bool:
    return _HUB_NAME.fullmatch(model) is not None and not Path(model).exists()


_HUB_NAME = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")


def _downloaded(repository: str) -> Path:
    """Fetch what was asked for by its name; what is there already is not fetched again."""
    from myriorama.studio.diffusion import require  # noqa: PLC0415 - belongs to the worker extra

    return Path(require("huggingface_hub").snapshot_download(repository))
