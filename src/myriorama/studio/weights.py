"""What lies in a folder of LTX-2 weights: what can be asked of them, and the digest they go by.

Nothing here needs torch: the API asks as well, on machines that render nothing.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from hashlib import file_digest, sha256
from pathlib import Path
from typing import Literal

from domain.generation.models import Capabilities
from domain.generation.shapes import SECONDS_MAX, SECONDS_MIN, SIZES, Size

Precision = Literal["bf16", "fp8"]
"""What weights are held in on a GPU."""

_HIRES_SIZES: Mapping[tuple[str, str], Size] = {
    ("portrait", "1080p"): Size(1088, 1920),
    ("landscape", "1080p"): Size(1920, 1088),
    ("square", "1080p"): Size(1088, 1088),
}
"""Halved, they are still multiples of 32: the first stage renders them so."""

# Of one H100, as SGLang published for the distilled weights (768x512 in one stage, 1536x1024 in
# two); by the size of the picture for 720p, and by the longer sequence for cameos.
_GPU_MS = {"plain": 1500, "cameo": 2700, "long": 1500, "hires": 3400}
_GPU_MS_TWO_STAGES = 9200


class WeightsMissing(Exception):
    """The weights of the model are not where the settings say. The message says what to set."""


@dataclass(frozen=True)
class Weights:
    """A folder as diffusers saves a pipeline of the LTX-2 family, with or without its extras."""

    folder: Path

    def check(self) -> None:
        """Look whether there is a model at all.

        Raises:
            WeightsMissing: there is none.
        """
        if not (self.folder / "model_index.json").is_file():
            raise WeightsMissing(
                f"There are no LTX-2 weights in {self.folder} (it has no model_index.json)."
                " Set MYRIORAMA_MODEL to a folder with them, to the name of a repository on the"
                " Hugging Face hub, or to `tiny` for random ones; or set MYRIORAMA_RENDERER to"
                " procedural or emoji."
            )

    @property
    def upsamples(self) -> bool:
        """Whether the latent upsampler is there, which 1080p needs."""
        return (self.folder / "latent_upsampler" / "config.json").is_file()

    @property
    def keeps_likeness(self) -> bool:
        """Whether the weights were trained with Echo's memory slots, which cameos need."""
        index = self.folder / "modular_model_index.json"
        with suppress(OSError, ValueError, AttributeError):
            named = json.loads(index.read_text())
            return "EchoModularPipeline" in (named.get("_class_name"), named.get("_pipeline_class"))
        return False

    def capabilities(self, model: str) -> Capabilities:
        """Say what these weights render under the name `model`."""
        hires = _GPU_MS_TWO_STAGES if self.upsamples else _GPU_MS["hires"]
        return Capabilities(
            model=model,
            seconds_min=SECONDS_MIN,
            seconds_max=SECONDS_MAX,
            sizes={**SIZES, **_HIRES_SIZES} if self.upsamples else SIZES,
            takes_image=True,
            takes_last_image=True,
            takes_cameos=self.keeps_likeness,
            extends=True,
            speaks=True,
            storyboards=True,
            together_max=4,
            gpu_ms_per_second={**_GPU_MS, "hires": hires},
            is_procedural=False,
            follows_speech=True,
        )

    @property
    def kept(self) -> Path:
        """Where what was worked out about the weights is kept, beside them."""
        return self.folder / ".myriorama"

    def digest(self) -> str:
        """Return the SHA-256 over the names and digests of all files.

        A file is read again only when its size or time has changed since it was last read.
        """
        known = self._known_digests()
        found: dict[str, list[str | int]] = {}
        for path in self._files():
            name, status = path.relative_to(self.folder).as_posix(), path.stat()
            seen: list[str | int] = [status.st_mtime_ns, status.st_size]
            if known.get(name, [])[:2] != seen:
                with path.open("rb") as file:
                    known[name] = [*seen, file_digest(file, "sha256").hexdigest()]
            found[name] = known[name]
        with suppress(OSError):  # A folder that cannot be written to is read again next time.
            self.kept.mkdir(exist_ok=True)
            (self.kept / _DIGESTS).write_text(json.dumps(found))
        listing = "".join(f"{name}\0{entry[2]}\n" for name, entry in sorted(found.items()))
        return sha256(listing.encode()).hexdigest()

    def _files(self) -> Iterator[Path]:
        for path in self.folder.rglob("*"):
            hidden = any(part.startswith(".") for part in path.relative_to(self.folder).parts)
            if path.is_file() and not hidden:
                yield path

    def _known_digests(self) -> dict[str, list[str | int]]:
        with suppress(OSError, ValueError):
            known: dict[str, list[str | int]] = json.loads((self.kept / _DIGESTS).read_text())
            return known
        return {}


_DIGESTS = "digests.json"
