"""The visible mark is found where it must stand, and clips that look alike have like hashes."""

import numpy as np
import pytest

from myriorama.studio.marking import SEEN_MIN, MarkReader, burn_mark
from myriorama.studio.perceptual import ALIKE_MAX, NOTHING_TO_SEE, distance, perceptual_hash
from tests.marked import frames
from tests.recoded import decoded, encoded


def resemblance(content: bytes) -> float:
    reader = MarkReader()
    for frame in decoded(content)[0][::6]:
        reader.offer(np.ascontiguousarray(frame[..., 1]))
    return reader.resemblance


@pytest.mark.parametrize("level", [0, 128, 255])
def test_the_mark_is_seen_on_any_ground(level: int) -> None:
    shown = np.full((24, 320, 192, 3), level, np.uint8)
    bare = resemblance(encoded(shown))

    burn_mark(shown)

    assert resemblance(encoded(shown, crf=28)) > SEEN_MIN > bare


def test_a_mark_that_does_not_move_is_not_ours() -> None:
    shown = frames(3)
    burn_mark(shown)
    stays = np.concatenate([shown[:12], shown[:12]])

    assert resemblance(encoded(shown)) > SEEN_MIN
    assert resemblance(encoded(stays)) < SEEN_MIN


def test_copies_have_like_hashes_and_other_clips_do_not() -> None:
    one, other = frames(1), frames(2)
    copy, _ = decoded(encoded(one, crf=28, scale=0.5))

    assert distance(perceptual_hash(one), perceptual_hash(copy)) <= ALIKE_MAX
    assert distance(perceptual_hash(one), perceptual_hash(other)) > ALIKE_MAX


def test_a_clip_without_features_looks_like_nothing() -> None:
    plain = np.full((24, 320, 320, 3), 77, np.uint8)
    burn_mark(plain)

    assert perceptual_hash(plain) == NOTHING_TO_SEE
    assert perceptual_hash(plain[:2]) == NOTHING_TO_SEE
