"""Stitching: how the recipes of finished videos become the recipe of one."""

from collections.abc import Sequence
from uuid import UUID

from domain.generation.errors import RemixAmbiguous, StitchInvalid
from domain.generation.recipe import BETWEEN_PROMPTS, PROMPT_LENGTH_MAX, Recipe
from domain.generation.shapes import STITCH_PIXEL_SECONDS_MAX, STITCH_SECONDS_MAX, Size

STITCHER = "stitcher-1"
"""Stands where a model does. It renders nothing."""

_PARTS_MIN, _PARTS_MAX = 2, 8


def stitched(parts: Sequence[tuple[UUID, Recipe, Size]], *, remake_of: UUID | None) -> Recipe:
    """Return the recipe of the whole, of the IDs, recipes and sizes of its parts.

    Raises:
        StitchInvalid: too few, too many, too long, or of several sizes.
        RemixAmbiguous: they remix several videos.
    """
    recipes = [recipe for _, recipe, _ in parts]
    if not _PARTS_MIN <= len(recipes) <= _PARTS_MAX:
        raise StitchInvalid(f"{_PARTS_MIN} to {_PARTS_MAX} videos are stitched.")
    sizes = sorted({f"{size.width}x{size.height}" for _, _, size in parts})
    if len(sizes) > 1:
        raise StitchInvalid(f"The videos are of several sizes: {', '.join(sizes)}.")
    width, height = parts[0][2]
    seconds = sum(recipe.seconds for recipe in recipes)
    seconds_max = min(STITCH_SECONDS_MAX, STITCH_PIXEL_SECONDS_MAX // (width * height))
    if seconds > seconds_max:
        raise StitchInvalid(
            f"The videos last {seconds} seconds together;"
            f" of {width}x{height} pixels up to {seconds_max} are stitched."
        )
    parents = {recipe.remix_of for recipe in recipes} - {None}
    if len(parents) > 1:
        raise RemixAmbiguous("The videos remix several others; a video remixes one at most.")
    prompts = dict.fromkeys(recipe.prompt for recipe in recipes)
    return Recipe(
        prompt=_clipped(BETWEEN_PROMPTS.join(prompts)),
        seconds=seconds,
        orientation=recipes[0].orientation,
        resolution=recipes[0].resolution,
        seed=recipes[0].seed,
        model=STITCHER,
        cameo_ids=tuple(dict.fromkeys(id_ for recipe in recipes for id_ in recipe.cameo_ids)),
        remix_of=next(iter(parents), None),
        stitches=tuple(generation_id for generation_id, _, _ in parts),
        remake_of=remake_of,
    )


def _clipped(prompt: str) -> str:
    if len(prompt) <= PROMPT_LENGTH_MAX:
        return prompt
    return prompt[: PROMPT_LENGTH_MAX - 1] + "…"
