"""Recipes: what a wish makes of what it leaves out, and what no model could make."""

from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from domain.errors import DomainError
from domain.generation.errors import (
    CameosInvalid,
    ExtensionInvalid,
    LengthInvalid,
    PromptInvalid,
    RemixAmbiguous,
    SeedInvalid,
    ShotUnknown,
    StitchInvalid,
    StoryboardInvalid,
)
from domain.generation.models import ModelCannot
from domain.generation.recipe import Recipe, Shot, rerolled, shot_seed
from domain.generation.shapes import SIZES, Size
from domain.generation.stitching import stitched
from domain.generation.wish import ShotWish, Wish, recipe_of
from tests.domain.generations import PAINTER

FOX = Recipe(
    prompt="a fox leaps over a brook",
    seconds=6,
    orientation="landscape",
    resolution="720p",
    seed=7,
    model="painter-1",
    image_upload_id=uuid4(),
    cameo_ids=(uuid4(),),
)
TWO_SHOTS = (Shot("a heron wades", 2, 11), Shot("it flies off", 4, 12))
HERON = replace(
    FOX, prompt="a heron wades / it flies off", shots=TWO_SHOTS, image_upload_id=None, cameo_ids=()
)
SMALL, LARGE = SIZES["landscape", "480p"], SIZES["landscape", "720p"]


def recipe(wish: Wish, of: Recipe | None = None) -> Recipe:
    return recipe_of(wish, of=of, capabilities=PAINTER, any_seed=99)


def test_what_is_left_out_is_as_most_people_want_it() -> None:
    made = recipe(Wish("a fox"))

    assert (made.seconds, made.orientation, made.resolution) == (4, "portrait", "480p")
    assert (made.model, made.seed) == ("painter-1", 99)


def test_a_model_of_few_lengths_and_sizes_is_asked_for_those_it_has() -> None:
    narrow = replace(
        PAINTER, seconds_min=1, seconds_max=3, sizes={("square", "480p"): Size(64, 64)}
    )

    made = recipe_of(Wish("a fox"), of=None, capabilities=narrow, any_seed=1)

    assert (made.seconds, made.orientation, made.resolution) == (3, "square", "480p")
    made.require_possible(narrow)


def test_a_storyboard_is_as_long_as_its_shots_and_each_has_a_seed_that_follows() -> None:
    shots = [ShotWish("a heron wades", 2), ShotWish("it flies off", 4, seed=5)]

    made = recipe(Wish(shots=shots, seed=3))

    assert made.shots == (Shot("a heron wades", 2, shot_seed(3, 0)), Shot("it flies off", 4, 5))
    assert (made.seconds, made.prompt) == (6, "a heron wades / it flies off")
    assert shot_seed(3, 0) != shot_seed(3, 1)
    made.require_sound()


def test_a_remix_has_the_recipe_of_its_parent_but_whats_changed_and_nobodys_likeness() -> None:
    remix_of = uuid4()

    remix = recipe(Wish(remix_of=remix_of), of=FOX)
    retold = recipe(Wish("an otter dives", seconds=9, remix_of=remix_of), of=HERON)

    assert remix == replace(FOX, seed=99, image_upload_id=None, cameo_ids=(), remix_of=remix_of)
    assert (retold.prompt, retold.seconds, retold.shots) == ("an otter dives", 9, ())
    assert retold.orientation == "landscape"


def test_a_remix_of_a_storyboard_has_its_shots_by_seeds_of_its_own() -> None:
    remix = recipe(Wish(remix_of=uuid4()), of=HERON)

    assert [(shot.prompt, shot.seconds) for shot in remix.shots] == [
        ("a heron wades", 2),
        ("it flies off", 4),
    ]
    assert {shot.seed for shot in remix.shots}.isdisjoint({11, 12})


def test_a_remix_of_what_is_longer_than_the_model_renders_is_as_long_as_it_can_be() -> None:
    assert recipe(Wish(remix_of=uuid4()), of=replace(FOX, seconds=48)).seconds == 15


def test_an_extension_keeps_who_is_in_it_its_shape_and_its_lineage() -> None:
    bob, extended = uuid4(), replace(FOX, remix_of=uuid4())

    extension = recipe(Wish("it rests", extends=uuid4(), cameo_ids=[bob]), of=extended)

    assert extension.cameo_ids == (*FOX.cameo_ids, bob)
    assert (extension.orientation, extension.resolution) == ("landscape", "720p")
    assert (extension.remix_of, extension.seconds) == (extended.remix_of, 4)
    assert extension.image_upload_id is None


def test_an_extension_has_no_other_shape() -> None:
    with pytest.raises(ExtensionInvalid, match="landscape 720p"):
        recipe(Wish("it rests", extends=uuid4(), orientation="square"), of=FOX)


def test_a_video_is_told_by_a_prompt_or_by_shots() -> None:
    with pytest.raises(StoryboardInvalid):
        recipe(Wish("a fox", shots=[ShotWish("a heron", 2)]))


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"prompt": ""}, PromptInvalid),
        ({"prompt": " \t"}, PromptInvalid),
        ({"prompt": "\u200b\u200d\ufeff"}, PromptInvalid),
        ({"prompt": "x" * 2001}, PromptInvalid),
        ({"prompt": "a\x00fox"}, PromptInvalid),
        ({"seconds": 1}, LengthInvalid),
        ({"seconds": 16}, LengthInvalid),
        ({"seed": -1}, SeedInvalid),
        ({"cameo_ids": FOX.cameo_ids * 2}, CameosInvalid),
        ({"shots": TWO_SHOTS, "seconds": 7}, StoryboardInvalid),
        ({"shots": (Shot("a heron", 1, 1),) * 9, "seconds": 9}, StoryboardInvalid),
        ({"shots": (Shot("", 6, 1),)}, PromptInvalid),
        ({"shots": (Shot("a heron", 6, -1),)}, SeedInvalid),
        ({"shots": (Shot("a heron", 31, 1),), "seconds": 31}, LengthInvalid),
        ({"extends": uuid4()}, ExtensionInvalid),
        ({"extends": uuid4(), "image_upload_id": None, "shots": TWO_SHOTS}, ExtensionInvalid),
    ],
)
def test_what_no_model_could_make_is_refused(
    change: dict[str, Any], error: type[DomainError]
) -> None:
    with pytest.raises(error):
        replace(FOX, **change).require_sound()


def test_the_seconds_of_shots_that_do_not_add_up_are_both_named() -> None:
    with pytest.raises(StoryboardInvalid, match="6 seconds together, and the video 7"):
        replace(HERON, seconds=7).require_sound()


@pytest.mark.parametrize(
    ("lacking", "told"),
    [
        ({"seconds_max": 5}, "2 to 5 seconds"),
        ({"sizes": {("square", "480p"): Size(64, 64)}}, "square 480p"),
        ({"takes_image": False}, "begin with an image"),
        ({"takes_cameos": False}, "cast cameos"),
    ],
)
def test_a_model_names_what_it_can_do_instead(lacking: dict[str, Any], told: str) -> None:
    with pytest.raises(ModelCannot, match=told):
        FOX.require_possible(replace(PAINTER, **lacking))


def test_of_a_storyboard_each_shot_is_as_long_as_the_model_renders() -> None:
    HERON.require_possible(replace(PAINTER, seconds_max=4))

    with pytest.raises(ModelCannot):
        HERON.require_possible(replace(PAINTER, seconds_max=3))


def test_a_shot_is_rolled_again_alone() -> None:
    of = uuid4()

    again = rerolled(HERON, 1, seed=77, of=of)

    assert [shot.seed for shot in again.shots] == [11, 77]
    assert (again.remake_of, again.rerolls, again.rendered_seconds) == (of, 1, 4)


@pytest.mark.parametrize("shot", [-1, 2])
def test_a_shot_that_is_not_there_is_not_rolled(shot: int) -> None:
    with pytest.raises(ShotUnknown, match="0 to 1"):
        rerolled(HERON, shot, seed=1, of=uuid4())
    with pytest.raises(ShotUnknown, match="none"):
        rerolled(FOX, 0, seed=1, of=uuid4())


def test_what_is_stitched_has_all_prompts_and_people_and_takes_no_rendering() -> None:
    first, second = uuid4(), uuid4()
    bob = replace(HERON, cameo_ids=(uuid4(),), remix_of=uuid4())

    whole = stitched([(first, FOX, LARGE), (second, bob, LARGE)], remake_of=None)

    assert (whole.seconds, whole.rendered_seconds) == (12, 0)
    assert whole.prompt == f"{FOX.prompt} / {bob.prompt}"
    assert whole.cameo_ids == (*FOX.cameo_ids, *bob.cameo_ids)
    assert (whole.remix_of, whole.stitches) == (bob.remix_of, (first, second))


def test_of_many_long_prompts_as_much_is_told_as_a_prompt_may_have() -> None:
    parts = [(uuid4(), replace(FOX, prompt=letter * 2000), LARGE) for letter in "ab"]

    assert len(stitched(parts, remake_of=None).prompt) == 2000


@pytest.mark.parametrize(
    ("parts", "error", "told"),
    [
        ([(FOX, LARGE)], StitchInvalid, "2 to 8"),
        ([(FOX, LARGE)] * 9, StitchInvalid, "2 to 8"),
        ([(FOX, LARGE), (FOX, SMALL)], StitchInvalid, "1280x704, 832x480"),
        ([(replace(FOX, seconds=31), SMALL)] * 2, StitchInvalid, "62 seconds.*up to 60"),
        ([(replace(FOX, seconds=16), LARGE)] * 2, StitchInvalid, "32 seconds.*up to 30"),
        (
            [(replace(FOX, remix_of=uuid4()), LARGE), (replace(FOX, remix_of=uuid4()), LARGE)],
            RemixAmbiguous,
            "one at most",
        ),
    ],
)
def test_what_does_not_go_together_is_not_stitched(
    parts: list[tuple[Recipe, Size]], error: type[DomainError], told: str
) -> None:
    with pytest.raises(error, match=told):
        stitched([(uuid4(), recipe, size) for recipe, size in parts], remake_of=None)
