"""How the small model is measured: on prompts it never saw, with pictures to look at."""

from pathlib import Path

import numpy as np
import torch
from PIL import Image

from myriorama.studio.emoji import measuring, sheets, synchrony
from myriorama.studio.emoji.judge import Judge
from myriorama.studio.emoji.lessons import trained_casts
from myriorama.studio.emoji.scripts import FRAMES
from myriorama.studio.emoji.vocabulary import ACTORS, MOTIONS, PLACES, Motion, Place


def test_prompts_are_of_scenes_that_are_never_trained_on() -> None:
    prompts = measuring.held_out(100, seed=1, other_words=False)

    casts = [cast for cast, _ in prompts]
    assert len(set(casts)) == 100
    assert not set(casts) & set(trained_casts())
    assert {actor for actor, _, _ in casts} == set(ACTORS)
    assert {motion for _, motion, _ in casts} == set(Motion)
    assert {place for _, _, place in casts} == set(Place)


def test_prompts_may_be_in_words_that_are_never_trained_on() -> None:
    for (actor, motion, place), prompt in measuring.held_out(100, seed=1, other_words=True):
        for words in (ACTORS[actor], MOTIONS[motion], PLACES[place]):
            assert any(word.lower() in prompt.lower() for word in words.held_out)


def test_a_clip_without_a_landing_is_not_in_sync() -> None:
    contacts, wave = torch.zeros(FRAMES), torch.zeros(34_000)
    wave[16_000:16_400] = 1

    assert not synchrony.offsets(contacts, wave).is_in_sync

    contacts[8] = 1

    assert synchrony.offsets(contacts, wave).is_in_sync


def test_every_clip_is_judged_by_what_was_asked_for() -> None:
    asked = [("1f438", Motion.JUMP, Place.SNOW), ("1f34e", Motion.SPIN, Place.RAIN)]
    frames = torch.zeros(2, FRAMES, 3, 64, 64)
    judge = Judge()
    seen = judge.look(frames)

    names = (list(ACTORS), list(Motion), list(Place))
    asked[0] = (
        names[0][int(seen.actors[0])],
        names[1][int(seen.motions[0])],
        names[2][int(seen.places[0])],
    )
    figures = measuring.judged(judge, asked, frames, torch.zeros(2, 34_000))

    assert figures.clips == 2
    assert figures.all_three == 0.5
    assert figures.sync == 0


def test_samples_and_curves_become_pictures(tmp_path: Path) -> None:
    losses = tmp_path / "losses.csv"
    losses.write_text("steps,seconds,loss\n10,60,2.0\n20,120,1.0\n")

    sheets.contact_sheet(
        np.zeros((3, 17, 64, 64, 3), np.uint8), ["a", "b", "c"], tmp_path / "sheet.png"
    )
    sheets.curves({"The loss": losses}, tmp_path / "curves.png")

    assert size_of(tmp_path / "sheet.png") == (2 * 9 * 64 + 12, 2 * (64 + 14))
    assert size_of(tmp_path / "curves.png") == (640, 200)


def size_of(path: Path) -> tuple[int, int]:
    with Image.open(path) as picture:
        return picture.size
