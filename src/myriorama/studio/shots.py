"""Shots: the parts of a clip, cut to length, joined one after the other, and one put for another.

A shot has exactly the frames of its seconds, so that where each begins follows from the storyboard.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from domain.generation.recipe import Shot
from domain.generation.work import Work
from myriorama.studio.renderer import Clip
from myriorama.studio.speech import Speaker


def shots_of(work: Work) -> Sequence[Shot]:
    """Return the storyboard of a work; without one, the work is its only shot."""
    return work.shots or (Shot(work.prompt, work.seconds, work.seed),)


def speakers(work: Work) -> Sequence[Speaker]:
    """Return who may speak in a work, by the names that its prompts call them."""
    return [Speaker(cameo.name, cameo.voice, cameo.voice_pitch_hz) for cameo in work.cameos]


def cut(clip: Clip, seconds: float) -> Clip:
    """Cut what a renderer made longer than was asked; the sound is then as long as the frames."""
    frames = clip.frames[: round(seconds * clip.fps)]
    samples = round(len(frames) * clip.sample_rate_hz / clip.fps)
    sound = np.zeros((2, samples), np.float32)
    there = min(samples, clip.sound.shape[1])
    sound[:, :there] = clip.sound[:, :there]
    return replace(clip, frames=frames, sound=sound)


def spliced(whole: Clip, shot: Clip, shots: Sequence[Shot], index: int) -> Clip:
    """Return a clip with another shot at `index`. Both sound at the same rate."""
    fps, rate_hz = whole.fps, whole.sample_rate_hz
    start_s = sum(each.seconds for each in shots[:index])
    end_s = start_s + shots[index].seconds
    frames = np.concatenate(
        [whole.frames[: start_s * fps], shot.frames, whole.frames[end_s * fps :]]
    )
    sound = np.hstack(
        [whole.sound[:, : start_s * rate_hz], shot.sound, whole.sound[:, end_s * rate_hz :]]
    )
    return Clip(frames, fps, sound, rate_hz)
