"""The procedural renderer draws and plays what a prompt says."""

import io

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from myriorama.studio.lexicon import Motion, Place
from myriorama.studio.procedural import ProceduralRenderer
from myriorama.studio.renderer import (
    Cancelled,
    Clip,
    Footage,
    Likeness,
    Preview,
    Scene,
    UnrenderableScene,
)


def rendered(prompt: str, **changes: object) -> Clip:
    scene: dict[str, object] = {
        "prompt": prompt, "width": 160, "height": 288, "seconds": 3.0, "seed": 1, **changes,
    }  # fmt: skip
    return ProceduralRenderer().render(Scene(**scene), lambda _, __, ___: None)  # type: ignore[arg-type]  # Checked by the dataclass's own use in other tests.


def picture(colour: str, size: tuple[int, int] = (200, 360)) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", size, colour).save(file, "PNG")
    return file.getvalue()


def coloured(frames: NDArray[np.uint8], *, red: bool) -> NDArray[np.bool_]:
    """Where the frames are plainly red, or plainly blue."""
    strong, weak = (0, 2) if red else (2, 0)
    clear = frames[..., strong].astype(int) - frames[..., weak] > 90
    return clear & (frames[..., strong].astype(int) - frames[..., 1] > 60)


def test_the_same_scene_gives_the_same_clip() -> None:
    first, second = (rendered("two dogs run in the snow at night", seconds=1.0) for _ in "ab")

    assert np.array_equal(first.frames, second.frames)
    assert np.array_equal(first.sound, second.sound)


def test_another_seed_gives_another_clip() -> None:
    first, second = (rendered("a dog runs", seconds=1.0, seed=seed) for seed in (1, 2))

    assert not np.array_equal(first.frames, second.frames)


def test_a_clip_is_as_large_and_as_long_as_asked_for() -> None:
    clip = rendered("a fox sleeps", width=256, height=160, seconds=1.5, fps=16)

    assert clip.frames.shape == (24, 160, 256, 3)
    assert clip.sound.shape == (2, round(1.5 * clip.sample_rate_hz))
    assert clip.seconds == 1.5


def test_a_bouncing_ball_is_heard_when_it_hits_the_ground() -> None:
    clip = rendered("a red ball bounces in a room", seconds=4.0)

    ball = np.asarray(coloured(clip.frames, red=True).any(2))
    lowest = ball.shape[1] - np.argmax(ball[:, ::-1], axis=1)
    top_of_contact = lowest.max() - 3
    contacts = [
        frame
        for frame in range(1, len(lowest) - 1)
        if lowest[frame] >= top_of_contact and lowest[frame] == lowest[frame - 1 : frame + 2].max()
    ]
    power = np.square(clip.sound).sum(0)
    per_frame = np.array([part.mean() for part in np.array_split(power, len(clip.frames))])
    rises = per_frame[1:] / (per_frame[:-1] + 1e-4)
    onsets = np.flatnonzero(rises > 4) + 1

    assert len(onsets) == 4
    for onset in onsets:
        assert min(abs(onset - contact) for contact in contacts) <= 2


def test_a_cancelled_render_stops_at_once() -> None:
    heard: list[tuple[int, int]] = []

    def cancel_after_two(done: int, total: int, _: Preview | None) -> None:
        heard.append((done, total))
        if done == 2:
            raise Cancelled

    scene = Scene(prompt="a fox jumps", width=64, height=64, seconds=1.0, seed=1)
    with pytest.raises(Cancelled):
        ProceduralRenderer().render(scene, cancel_after_two)

    assert [done for done, _ in heard] == [1, 2]
    assert heard[0][1] >= 4


def test_steps_are_told_in_order_until_all_are_done() -> None:
    heard: list[tuple[int, int]] = []

    scene = Scene(prompt="a fox jumps", width=64, height=64, seconds=0.1, seed=1)
    ProceduralRenderer().render(scene, lambda done, total, _: heard.append((done, total)))

    assert heard == [(step, len(heard)) for step in range(1, len(heard) + 1)]


def test_a_word_that_nobody_knows_is_drawn_in_its_own_way() -> None:
    blorp, zimble = (rendered(f"a {word} in a room", seconds=0.5) for word in ("blorp", "zimble"))

    differs = (blorp.frames != zimble.frames).any(-1)

    assert 0.03 < differs[0].mean() < 0.5


def test_a_colour_dyes_the_subject() -> None:
    red, blue = (rendered(f"a {c} horse in the snow", seconds=0.5) for c in ("red", "blue"))

    assert coloured(red.frames, red=True).mean() > 0.02 > coloured(red.frames, red=False).mean()
    assert coloured(blue.frames, red=False).mean() > coloured(red.frames, red=False).mean()


def test_a_picture_is_the_first_frame_and_comes_closer() -> None:
    striped = Image.new("RGB", (200, 360), "white")
    striped.paste("navy", (30, 0, 60, 360))
    file = io.BytesIO()
    striped.save(file, "PNG")

    clip = rendered("a quiet afternoon", image=file.getvalue(), seconds=2.0)

    expected = np.asarray(striped.resize((160, 288)), int)
    assert np.abs(clip.frames[0].astype(int) - expected).mean() < 3
    assert np.abs(clip.frames[-1].astype(int) - expected).mean() > 3


def test_a_clip_goes_on_from_the_last_frame_of_its_footage() -> None:
    frames = np.zeros((17, 288, 160, 3), np.uint8)
    frames[-1, :, 40:80] = (20, 20, 220)

    clip = rendered("a quiet afternoon", footage=Footage(frames, fps=24), seconds=2.0)

    assert np.abs(clip.frames[0].astype(int) - frames[-1]).mean() < 3
    assert np.abs(clip.frames[-1].astype(int) - frames[-1]).mean() > 3


def test_a_clip_that_should_end_with_a_picture_is_refused() -> None:
    with pytest.raises(UnrenderableScene, match="end with an image"):
        rendered("a quiet afternoon", last_image=picture("red"))


def test_what_is_drawn_so_far_can_be_seen_at_every_step() -> None:
    previews: list[NDArray[np.uint8]] = []

    def look(_: int, __: int, preview: Preview | None) -> None:
        assert preview is not None
        previews.append(preview())

    clip = ProceduralRenderer().render(
        Scene(prompt="a fox jumps", width=64, height=128, seconds=1.0, seed=1), look
    )

    assert {preview.shape for preview in previews} == {(4, 160, 80, 3)}
    drawn = clip.frames[-1].mean((0, 1))
    assert np.abs(previews[-1][-1].mean((0, 1)) - drawn).max() < 2


def test_a_cameo_is_seen_and_its_voice_is_heard() -> None:
    alice = Likeness("Alice", picture("#d01030"), voice_pitch_hz=330.0)

    clip = rendered("Alice floats in a room", cameos=(alice,), seconds=2.0)

    face = coloured(clip.frames, red=True).mean(axis=(1, 2))
    assert face.min() > 0.05
    voice = np.abs(np.fft.rfft(clip.sound[:, : clip.sample_rate_hz // 2].sum(0)))
    loudest_hz = np.argmax(voice) * 2
    assert abs(loudest_hz - 330.0) < 45


def test_a_caption_is_written_into_the_lower_third() -> None:
    plain, titled = (
        rendered(prompt, seconds=0.5) for prompt in ("a fox", 'a fox "good morning everybody"')
    )

    differs = (plain.frames != titled.frames).any(axis=(0, 2, 3))

    assert differs[192:].any()
    assert not differs[:192].any()


@pytest.mark.parametrize("place", Place)
def test_every_place_looks_and_sounds_different_by_night_and_in_rain(place: Place) -> None:
    name = {Place.SNOW: "arctic"}.get(place, str(place))
    clips = [
        rendered(f"a fox in the {name} {when}", width=96, height=160, seconds=0.4)
        for when in ("", "at night in the rain")
    ]

    is_outdoors = place not in (Place.SPACE, Place.STAGE, Place.UNDERWATER)
    assert (not np.array_equal(clips[0].frames, clips[1].frames)) == is_outdoors
    for clip in clips:
        assert clip.frames.std() > 10
        assert np.abs(clip.sound).max() > 0.005


@pytest.mark.parametrize("motion", Motion)
def test_every_motion_moves_and_is_heard(motion: Motion) -> None:
    still, moving = (
        rendered(f"a fox {verb} in a room", width=96, height=160, seconds=2.0)
        for verb in ("sways", motion)
    )

    assert np.abs(np.diff(moving.frames.astype(int), axis=0)).mean() > 0.01
    assert np.isfinite(moving.sound).all()
    assert 0.01 < np.abs(moving.sound).max() <= 1
    assert motion == Motion.SWAY or not np.array_equal(still.frames, moving.frames)


@pytest.mark.parametrize(
    ("width", "height", "seconds", "seed"),
    [(100, 96, 1.0, 0), (96, 0, 1.0, 0), (-32, 96, 1.0, 0), (96, 96, 0.0, 0), (96, 96, 1.0, -1)],
)
def test_a_scene_that_no_renderer_takes_is_refused(
    width: int, height: int, seconds: float, seed: int
) -> None:
    with pytest.raises(UnrenderableScene):
        Scene(prompt="a fox", width=width, height=height, seconds=seconds, seed=seed)
