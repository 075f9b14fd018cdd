"""What a model can do, and what it answers to who asks for more.

The table of the models at hand is made by the studio; here is what a request is held against.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from domain.errors import Invalid
from domain.generation.shapes import Size


@dataclass(frozen=True)
class Capabilities:
    """What one model renders. `sizes` is by orientation and resolution."""

    model: str
    seconds_min: int
    seconds_max: int
    sizes: Mapping[tuple[str, str], Size]
    takes_image: bool
    """As the first frame."""
    takes_last_image: bool
    takes_cameos: bool
    extends: bool
    """Whether it goes on from the end of a finished clip."""
    speaks: bool
    """Whether it says quoted dialogue itself; otherwise it is spoken over the clip."""
    storyboards: bool
    together_max: int
    """How many clips of one shape it renders at once."""
    gpu_ms_per_second: Mapping[str, int]
    """What a second of video is estimated to cost, by class of work."""
    is_procedural: bool
    """Whether it draws by rules, and is no video model at all."""
    follows_speech: bool = False
    """Whether lips follow what is said, when it is given the speech to render with."""

    @property
    def needs_speech(self) -> bool:
        """Whether dialogue is to be spoken for it, before it renders."""
        return self.follows_speech and not self.speaks

    def require(  # noqa: PLR0913 - each is something a request may ask for
        self,
        *,
        seconds: int,
        orientation: str,
        resolution: str,
        image: bool = False,
        last_image: bool = False,
        cameos: bool = False,
        extends: bool = False,
        storyboard: bool = False,
    ) -> None:
        """Refuse what the model cannot do.

        Raises:
            ModelCannot: it cannot; the message names what it can.
        """
        if not self.seconds_min <= seconds <= self.seconds_max:
            raise ModelCannot(
                f"{self.model} renders {self.seconds_min} to {self.seconds_max} seconds,"
                f" not {seconds}."
            )
        if (orientation, resolution) not in self.sizes:
            allowed = ", ".join(f"{shape} {height}" for shape, height in self.sizes)
            raise ModelCannot(
                f"{self.model} does not render {orientation} {resolution}; it renders: {allowed}."
            )
        for asked, able, what in (
            (image, self.takes_image, "begin with an image"),
            (last_image, self.takes_last_image, "end with an image"),
            (cameos, self.takes_cameos, "cast cameos"),
            (extends, self.extends, "go on from a finished clip"),
            (storyboard, self.storyboards, "render storyboards"),
        ):
            if asked and not able:
                raise ModelCannot(f"{self.model} cannot {what}; it can {self._abilities()}.")

    def _abilities(self) -> str:
        named = (
            (self.takes_image, "begin with an image"),
            (self.takes_last_image, "end with an image"),
            (self.takes_cameos, "cast cameos"),
            (self.extends, "go on from a finished clip"),
            (self.storyboards, "render storyboards"),
        )
        return ", ".join(["render from a prompt", *(what for able, what in named if able)])


class ModelCannot(Invalid):
    """The model does not render that. The message names what it does render."""


class ModelUnknown(Invalid):
    """There is no such model here. The message names those that there are."""
