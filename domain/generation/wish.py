"""What a person wishes for, and the recipe that it makes: what is left out has its answer here."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from domain.generation.errors import ExtensionInvalid, StoryboardInvalid
from domain.generation.models import Capabilities
from domain.generation.recipe import BETWEEN_PROMPTS, Recipe, Shot, shot_seed
from domain.generation.shapes import SECONDS_MAX

_SECONDS = 4
_SHAPE = ("portrait", "480p")


@dataclass(frozen=True)
class ShotWish:
    """A shot as it is asked for. Without a seed it gets one that follows from the generation's."""

    prompt: str
    seconds: int
    seed: int | None = None


@dataclass(frozen=True)
class Wish:
    """What a person asks for. What is None is left to the rules here; without a seed one is chosen.

    It is told by a prompt or by shots. It may go on from one's own video (`extends`), or be another
    take on somebody's (`remix_of`).
    """

    prompt: str | None = None
    shots: Sequence[ShotWish] = ()
    seconds: int | None = None
    orientation: str | None = None
    resolution: str | None = None
    model: str | None = None
    image_upload_id: UUID | None = None
    last_image_upload_id: UUID | None = None
    cameo_ids: Sequence[UUID] = ()
    seed: int | None = None
    remix_of: UUID | None = None
    extends: UUID | None = None


def recipe_of(
    wish: Wish, *, of: Recipe | None, capabilities: Capabilities, any_seed: int
) -> Recipe:
    """Return the recipe of a wish.

    Args:
        wish: what is asked for.
        of: the recipe of what is remixed or extended. What the wish leaves out is as it is there:
            what is seen, how long, of what shape. Images and cameos are never taken over from
            what is remixed, for whose they are has not said so; who is in what is extended is in
            the extension too. The seed is not taken over, or a remix would be a copy.
        capabilities: of the model.
        any_seed: the seed, if the wish names none.

    Raises:
        StoryboardInvalid: there are a prompt and shots.
        ExtensionInvalid: it is to have another shape than what it extends, or to remix something.
    """
    if wish.prompt is not None and wish.shots:
        raise StoryboardInvalid("Give a prompt, or shots with a prompt each.")
    seed = any_seed if wish.seed is None else wish.seed
    shots = _shots(wish, of, seed)
    inherited = BETWEEN_PROMPTS.join(shot.prompt for shot in shots) or (of.prompt if of else "")
    orientation, resolution = _shape(wish, of, capabilities)
    cast = tuple(wish.cameo_ids)
    if wish.extends and of:
        cast = tuple(dict.fromkeys((*of.cameo_ids, *cast)))
    return Recipe(
        prompt=inherited if wish.prompt is None else wish.prompt,
        seconds=_seconds(wish, of, shots, capabilities),
        orientation=orientation,
        resolution=resolution,
        seed=seed,
        model=capabilities.model,
        shots=shots,
        image_upload_id=wish.image_upload_id,
        last_image_upload_id=wish.last_image_upload_id,
        cameo_ids=cast,
        remix_of=of.remix_of if wish.extends and of else wish.remix_of,
        extends=wish.extends,
    )


def possible_seconds(wanted: int, capabilities: Capabilities) -> int:
    """Return as much of a length as the model renders in one piece."""
    longest = min(capabilities.seconds_max, SECONDS_MAX)
    return max(capabilities.seconds_min, min(wanted, longest))


def _shots(wish: Wish, of: Recipe | None, seed: int) -> tuple[Shot, ...]:
    """Return the shots: those asked for, or those of what is remixed if nothing was said of it."""
    wished = wish.shots
    is_retold = wish.prompt is None and wish.seconds is None and not wish.extends
    if not wished and of and is_retold:
        wished = [ShotWish(shot.prompt, shot.seconds) for shot in of.shots]
    return tuple(
        Shot(shot.prompt, shot.seconds, shot_seed(seed, index) if shot.seed is None else shot.seed)
        for index, shot in enumerate(wished)
    )


def _seconds(
    wish: Wish, of: Recipe | None, shots: Sequence[Shot], capabilities: Capabilities
) -> int:
    """Return how long it lasts: if nobody says, as what is remixed, as far as the model can."""
    if wish.seconds is not None:
        return wish.seconds
    if shots:
        return sum(shot.seconds for shot in shots)
    usual = of.seconds if of and not wish.extends else _SECONDS
    return possible_seconds(usual, capabilities)


def _shape(wish: Wish, of: Recipe | None, capabilities: Capabilities) -> tuple[str, str]:
    usual = _SHAPE if _SHAPE in capabilities.sizes else next(iter(capabilities.sizes), _SHAPE)
    if of:
        usual = (of.orientation, of.resolution)
    shape = (wish.orientation or usual[0], wish.resolution or usual[1])
    if wish.extends and of and shape != usual:
        raise ExtensionInvalid(f"An extension has the shape of what it extends: {' '.join(usual)}.")
    return shape
