"""Scenes are what a work says, with all that the model that renders them needs."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from domain.generation.models import Capabilities
from domain.generation.recipe import Shot
from domain.generation.work import Work
from myriorama.store.objects import Objects, open_objects
from myriorama.studio.procedural import CAPABILITIES
from myriorama.workers.scenes import scenes_of
from tests.workers.lines import WORK

FOLLOWS = replace(CAPABILITIES, follows_speech=True)
SPEAKS = replace(FOLLOWS, speaks=True)


@pytest.fixture
def objects(tmp_path: Path) -> Objects:
    return open_objects(str(tmp_path))


@pytest.fixture
def storyboard() -> Work:
    shots = (Shot('a fox says "good morning"', 3, 1), Shot("the fox sleeps", 2, 2))
    return replace(WORK, prompt="a day of a fox", seconds=5, shots=shots)


def test_lips_follow_what_is_said_in_their_shot(objects: Objects, storyboard: Work) -> None:
    talking, sleeping = scenes_of(storyboard, objects, FOLLOWS)

    assert talking.speech is not None
    assert np.abs(talking.speech.samples).max() > 0.05
    assert len(talking.speech.samples) == 3 * talking.speech.sample_rate_hz
    assert sleeping.speech is None


@pytest.mark.parametrize("able", [CAPABILITIES, SPEAKS], ids=["spoken over", "speaks itself"])
def test_who_speaks_itself_or_has_no_lips_is_given_no_speech(
    objects: Objects, storyboard: Work, able: Capabilities
) -> None:
    scenes = scenes_of(storyboard, objects, able)

    assert [scene.speech for scene in scenes] == [None, None]
