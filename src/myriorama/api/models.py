"""The models there are to choose from, and what may be asked of each."""

from collections.abc import Mapping
from typing import Self

import msgspec
from litestar import Router, get
from litestar.di import NamedDependency

from domain.generation.models import Capabilities
from myriorama.api.tokens import Scope


class Picture(msgspec.Struct, frozen=True):
    """A size that may be asked for, and what it is in pixels."""

    orientation: str
    resolution: str
    width: int
    height: int


class Model(msgspec.Struct, frozen=True):
    """What one model renders: everything else is refused, and told what there is instead.

    `speaks`: it says quoted dialogue itself; otherwise it is spoken over the clip.
    `is_procedural`: it draws by rules, and is no video model.
    """

    model: str
    seconds_min: int
    seconds_max: int
    sizes: tuple[Picture, ...]
    takes_image: bool
    takes_last_image: bool
    takes_cameos: bool
    extends: bool
    storyboards: bool
    speaks: bool
    is_procedural: bool


class ModelTable(msgspec.Struct, frozen=True):
    """The models, the default one first."""

    default: str
    models: tuple[Model, ...]

    @classmethod
    def of(cls, capabilities: Mapping[str, Capabilities], *, default: str) -> Self:
        """Tell what models can do, without what they are estimated to cost."""
        return cls(default, tuple(_model(able) for able in capabilities.values()))


def _model(able: Capabilities) -> Model:
    return Model(
        model=able.model,
        seconds_min=able.seconds_min,
        seconds_max=able.seconds_max,
        sizes=tuple(Picture(*named, *size) for named, size in able.sizes.items()),
        takes_image=able.takes_image,
        takes_last_image=able.takes_last_image,
        takes_cameos=able.takes_cameos,
        extends=able.extends,
        storyboards=able.storyboards,
        speaks=able.speaks,
        is_procedural=able.is_procedural,
    )


@get("/models", opt={"scope": Scope.PUBLIC})
async def list_models(model_table: NamedDependency[ModelTable]) -> ModelTable:
    """List the models, and what each of them can do."""
    return model_table


router = Router("/v1", route_handlers=[list_models], tags=["Models"])
