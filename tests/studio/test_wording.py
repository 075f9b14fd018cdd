"""A prompt means what people mean by it."""

import pytest

from myriorama.studio import lexicon
from myriorama.studio.lexicon import Light, Motion, Place, Weather
from myriorama.studio.scenery import SCENERY
from myriorama.studio.wording import SUBJECTS_MAX, Subject, read

DOG, FOX, PUPPY, ROCKET = "1f415", "1f98a", "1f436", "1f680"


@pytest.mark.parametrize(
    ("prompt", "drawing", "motion", "place"),
    [
        ("a fox bounces on a green meadow", FOX, Motion.BOUNCE, Place.MEADOW),
        ("two puppies running on the beach", PUPPY, Motion.RUN, Place.BEACH),
        ("A shark swims in the ocean", "1f988", Motion.SWIM, Place.UNDERWATER),
        ("the strawberry fell in the kitchen", "1f353", Motion.FALL, Place.ROOM),
        ("an astronaut is jumping on the moon", "1f9d1-200d-1f680", Motion.JUMP, Place.SPACE),
        ("a car drives through the desert", "1f697", Motion.DRIVE, Place.DESERT),
        ("a panda dancing on stage", "1f43c", Motion.DANCE, Place.STAGE),
        ("penguins waddle in a snowy land", "1f427", Motion.WALK, Place.SNOW),
        ("🦊 soars over the city", FOX, Motion.FLY, Place.CITY),
        ("a kangaroo twirls in the woods", "1f998", Motion.SPIN, Place.FOREST),
    ],
)
def test_nouns_verbs_and_places_are_understood(
    prompt: str, drawing: str, motion: Motion, place: Place
) -> None:
    reading = read(prompt)

    assert reading.subjects[0].drawing == drawing
    assert reading.subjects[0].motion == motion
    assert reading.setting.place == place


def test_light_and_weather_are_understood() -> None:
    setting = read("a cat sleeps in the rain at night").setting

    assert (setting.light, setting.weather) == (Light.NIGHT, Weather.RAIN)


def test_each_subject_does_what_is_said_of_it() -> None:
    dog, ball = read("a dog runs and a ball rolls").subjects

    assert (dog.drawing, dog.motion) == (DOG, Motion.RUN)
    assert (ball.noun, ball.motion) == ("ball", Motion.ROLL)


def test_who_is_only_an_object_does_not_join_in() -> None:
    dragon, castle = read("a dragon flies above a castle").subjects

    assert dragon.motion == Motion.FLY
    assert castle.motion == Motion.SWAY


def test_without_a_verb_everyone_does_what_comes_naturally() -> None:
    fox, rocket = read("a fox and a rocket").subjects

    assert (fox.drawing, fox.motion) == (FOX, Motion.SWAY)
    assert (rocket.drawing, rocket.motion) == (ROCKET, Motion.FLY)


def test_counts_colours_and_sizes_belong_to_the_next_noun() -> None:
    subjects = read("three tiny red balloons float beside a big blue cat").subjects

    assert [subject.noun for subject in subjects] == ["balloons"] * 3 + ["cat"]
    assert {subject.colour for subject in subjects[:3]} == {lexicon.COLOURS["red"]}
    assert subjects[3].colour == lexicon.COLOURS["blue"]
    assert subjects[0].size < 1 < subjects[3].size


def test_a_word_that_nobody_knows_is_still_somebody() -> None:
    (blorp,) = read("a happy blorp jumps on a zorb").subjects

    assert blorp == Subject(noun="blorp", motion=Motion.JUMP)


@pytest.mark.parametrize("prompt", ["", "   ", "!?", "and then with", "123", "\x00", "at night"])
def test_there_is_always_somebody(prompt: str) -> None:
    assert read(prompt).subjects


def test_a_crowd_is_cut_to_what_has_room() -> None:
    assert len(read("five foxes and five dogs and five cats").subjects) == SUBJECTS_MAX


@pytest.mark.parametrize(
    "prompt", ['a fox says "dogs fly"', "a fox says “dogs fly”"]
)  # People type these.
def test_quoted_words_are_a_caption_and_not_acted(prompt: str) -> None:
    reading = read(prompt)

    assert reading.caption == "dogs fly"
    assert [subject.drawing for subject in reading.subjects] == [FOX]


def test_a_cameo_acts_where_its_name_stands() -> None:
    alice, dog = read("@Alice Smith and a dog dance", ["Alice Smith"]).subjects

    assert (alice.cameo, alice.motion) == (0, Motion.DANCE)
    assert (dog.cameo, dog.motion) == (None, Motion.DANCE)


def test_a_cameo_that_is_not_named_comes_first() -> None:
    bob, fox = read("jumping with a fox", ["Bob"]).subjects

    assert (bob.cameo, bob.motion) == (0, Motion.JUMP)
    assert fox.drawing == FOX


def test_every_drawing_that_is_spoken_of_exists() -> None:
    spoken_of = set(lexicon.nouns().values()) | lexicon.FACING_LEFT
    for scenery in SCENERY.values():
        spoken_of |= {*scenery.distant, *scenery.near, *scenery.front}

    missing = {code for code in spoken_of if not (lexicon.DRAWINGS / f"{code}.svg").is_file()}

    assert not missing
    assert len(spoken_of) > 1000
