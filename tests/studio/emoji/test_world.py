"""The small model's world: clips that are drawn and played from one script."""

from random import Random

import pytest
import torch

from myriorama.studio.emoji import drawing, scripts, sounding, synchrony
from myriorama.studio.emoji.scripts import FPS, FRAMES, Script
from myriorama.studio.emoji.vocabulary import ACTORS, MOTIONS, PLACES, Motion, Place

FROG = "1f438"


def script(motion: Motion, place: Place = Place.STAGE, seed: int = 1) -> Script:
    return scripts.script_of(FROG, motion, place, lot(seed))


def lowest_rows(alpha: torch.Tensor) -> list[int]:
    """The lowest row of pixels that shows the actor, in each frame; -1 where it shows none."""
    rows = (alpha[:, 0] > 0.5).any(2)
    return [int(frame.nonzero().max()) if frame.any() else -1 for frame in rows]


def test_a_clip_has_its_frames_and_as_much_sound() -> None:
    written = [script(motion) for motion in Motion]

    frames, alpha = drawing.frames_of(written)
    waves = sounding.waves_of(written)

    assert frames.shape == (10, FRAMES, 3, 64, 64)
    assert frames.abs().max() <= 1
    assert alpha.shape == (10, FRAMES, 1, 64, 64)
    assert waves.shape == (10, round(FRAMES / FPS * 16_000))
    assert waves.abs().max() <= 1


def test_the_same_lot_gives_the_same_clip() -> None:
    first, second = (scripts.drawn_script(lot(5)) for _ in "ab")

    assert torch.equal(drawing.frames_of([first])[0], drawing.frames_of([second])[0])
    assert torch.equal(sounding.waves_of([first]), sounding.waves_of([second]))


@pytest.mark.parametrize("motion", [Motion.BOUNCE, Motion.FALL, Motion.JUMP])
@pytest.mark.parametrize("seed", range(4))
def test_who_lands_is_on_the_ground_in_the_frame_in_which_it_is_heard(
    motion: Motion, seed: int
) -> None:
    landing = script(motion, seed=seed)

    _, alpha = drawing.frames_of([landing])
    rows = lowest_rows(alpha[0])
    apart = synchrony.offsets(_contacts(landing), sounding.waves_of([landing])[0])

    assert landing.contacts_s
    for at_s in landing.contacts_s:
        assert rows[round(at_s * FPS)] >= max(rows) - 1
        assert rows[round(at_s * FPS) - 1] < rows[round(at_s * FPS)]
    assert apart.is_in_sync
    assert all(abs(offset) < 0.5 / FPS for offset in apart.seconds)


def test_a_sound_that_comes_late_is_not_in_sync() -> None:
    landing = script(Motion.FALL, Place.DESERT)
    wave = sounding.waves_of([landing])[0]

    apart = synchrony.offsets(_contacts(landing), torch.roll(wave, 16_000 * 3 // 8))

    assert not apart.is_in_sync


def test_every_place_looks_and_every_actor_is_different() -> None:
    still = [scripts.script_of(name, Motion.SPIN, Place.STAGE, lot(0)) for name in ACTORS]
    everywhere = [scripts.script_of(FROG, Motion.SPIN, place, lot(0)) for place in Place]

    for written in (still, everywhere):
        frames = drawing.frames_of(written)[0][:, 0].flatten(1)
        apart = torch.cdist(frames, frames) + torch.eye(len(frames)) * 1e6
        assert apart.min() > 1


def test_everything_has_words_that_are_trained_on_and_others_that_are_held_out() -> None:
    for words in (*ACTORS.values(), *MOTIONS.values(), *PLACES.values()):
        assert words.known
        assert words.held_out
        assert not set(words.known) & set(words.held_out)
    assert set(MOTIONS) == set(Motion)
    assert set(PLACES) == set(Place)


def _contacts(landing: Script) -> torch.Tensor:
    contacts = torch.zeros(FRAMES)
    for at_s in landing.contacts_s:
        contacts[round(at_s * FPS)] = 1
    return contacts


def lot(seed: int) -> Random:
    return Random(seed)  # noqa: S311 - clips are drawn, not secrets
