"""What strangers send is let in as clean copies, or refused, and harms nobody either way."""

import struct
import wave
from hashlib import sha256
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from tests.studio.foreign_media import (
    ADDRESS,
    BLUE,
    RED,
    photo,
    sound,
    tone,
    two_colours,
    video,
    video_without_frames,
    wav,
)
from tests.studio.inspecting import assert_nothing_but_pixels, file, let_in, near, profile, refused


def test_a_photo_comes_in_as_its_pixels_alone(tmp_path: Path) -> None:
    sent = photo(tmp_path / "me.jpg", two_colours(300, 200))
    assert ADDRESS.encode() in sent.read_bytes()

    inspected = let_in(sent, "image")

    assert (inspected.media_type, inspected.width, inspected.height) == ("image/jpeg", 300, 200)
    clean = file(inspected, "image")
    assert_nothing_but_pixels(clean)
    with Image.open(clean) as image:
        assert image.format == "JPEG"
        assert near(image, 10, 100, RED)
        assert near(image, 290, 100, BLUE)


def test_a_photo_that_was_taken_sideways_comes_in_upright(tmp_path: Path) -> None:
    sent = photo(tmp_path / "me.jpg", two_colours(300, 200), orientation=6)

    inspected = let_in(sent, "image")

    assert (inspected.width, inspected.height) == (200, 300)
    with Image.open(file(inspected, "image")) as image:
        assert near(image, 100, 10, RED)
        assert near(image, 100, 290, BLUE)
        assert not image.getexif()


def test_a_large_photo_comes_in_smaller_and_in_the_same_shape(tmp_path: Path) -> None:
    sent = photo(tmp_path / "me.jpg", two_colours(4000, 3000), orientation=8)

    inspected = let_in(sent, "image")

    assert (inspected.width, inspected.height) == (1536, 2048)


@pytest.mark.parametrize(
    ("name", "mode", "clean_format", "clean_mode"),
    [
        ("x.png", "RGB", "PNG", "RGB"),
        ("x.png", "RGBA", "PNG", "RGBA"),
        ("x.png", "P", "PNG", "RGB"),
        ("x.png", "I;16", "PNG", "RGB"),
        ("x.jpg", "CMYK", "JPEG", "RGB"),
        ("x.jpg", "L", "JPEG", "RGB"),
        ("x.webp", "RGB", "JPEG", "RGB"),
        ("x.webp", "RGBA", "PNG", "RGBA"),
    ],
)
def test_pictures_of_every_kind_come_in(
    tmp_path: Path, name: str, mode: str, clean_format: str, clean_mode: str
) -> None:
    image = Image.fromarray(np.full((40, 60), 0x8080, np.uint16))
    if mode != "I;16":
        image = two_colours(60, 40).convert(mode)
    if mode == "RGBA":
        image.putalpha(99)
    image.save(tmp_path / name)

    inspected = let_in(tmp_path / name, "image")

    with Image.open(file(inspected, "image")) as clean:
        assert (clean.format, clean.mode, clean.size) == (clean_format, clean_mode, (60, 40))
        expected = (128, 128, 128) if mode == "I;16" else RED
        assert mode == "L" or near(clean.convert("RGB"), 5, 20, expected)


def test_a_colour_profile_is_applied_and_dropped(tmp_path: Path) -> None:
    two_colours(60, 40).save(tmp_path / "odd.jpg", icc_profile=profile("LAB"))
    two_colours(60, 40).save(tmp_path / "broken.jpg", icc_profile=b"no profile at all")
    two_colours(60, 40).save(tmp_path / "same.png", icc_profile=profile("sRGB"))

    for name in ("odd.jpg", "broken.jpg", "same.png"):
        clean = file(let_in(tmp_path / name, "image"), "image")

        assert_nothing_but_pixels(clean)
        with Image.open(clean) as image:
            assert near(image, 5, 20, RED)


@pytest.mark.parametrize(
    ("name", "codecs", "size", "film_size"),
    [
        ("clip.mp4", ("libx264", "aac"), (960, 540), (720, 404)),
        ("clip.mov", ("libx264", "pcm_s16le"), (240, 320), (240, 320)),
        ("clip.webm", ("libvpx", "libopus"), (320, 240), (320, 240)),
    ],
)
def test_a_cameo_video_comes_in_as_film_face_and_voice(
    tmp_path: Path,
    name: str,
    codecs: tuple[str, str],
    size: tuple[int, int],
    film_size: tuple[int, int],
) -> None:
    sent = video(tmp_path / name, codecs=codecs, size=size)

    inspected = let_in(sent, "cameo_video")

    assert {clean.role for clean in inspected.files} == {"video", "face", "voice"}
    assert (inspected.width, inspected.height) == film_size
    assert inspected.duration_ms == pytest.approx(1500, abs=60)
    assert inspected.voice_pitch_hz == pytest.approx(180, abs=3)
    for clean in inspected.files:
        assert ADDRESS.encode() not in clean.path.read_bytes()
        assert clean.sha256 == sha256(clean.path.read_bytes()).hexdigest()
        assert clean.bytes == clean.path.stat().st_size
    with Image.open(file(inspected, "face")) as face:
        assert face.size == size
        assert near(face, 5, size[1] - 5, RED)
        assert near(face, size[0] - 5, size[1] - 5, BLUE)
    with av.open(str(file(inspected, "video"))) as film:
        picture, track = film.streams.video[0], film.streams.audio[0]
        assert (picture.codec.name, track.codec.name) == ("h264", "aac")
        times = [frame.time or 0.0 for frame in film.decode(picture)]
        assert len(times) == 30
        assert all(later > earlier for earlier, later in pairwise(times))
    with wave.open(str(file(inspected, "voice"))) as voice:
        assert (voice.getframerate(), voice.getnchannels()) == (16_000, 1)
        assert voice.getnframes() == pytest.approx(24_000, abs=2_000)


def test_a_clean_video_can_be_played_before_it_is_all_there(tmp_path: Path) -> None:
    film = file(let_in(video(tmp_path / "clip.mp4"), "cameo_video"), "video").read_bytes()

    assert film.index(b"moov") < film.index(b"mdat")


def test_a_video_that_was_taken_sideways_comes_in_upright(tmp_path: Path) -> None:
    sent = video(tmp_path / "clip.mp4", size=(320, 240), rotation=-90)

    inspected = let_in(sent, "cameo_video")

    assert (inspected.width, inspected.height) == (240, 320)
    with Image.open(file(inspected, "face")) as face:
        assert near(face, 40, 5, RED)
        assert near(face, 40, 310, BLUE)
    with av.open(str(file(inspected, "video"))) as film:
        frame = next(film.decode(video=0))
        assert (frame.width, frame.height, frame.rotation) == (240, 320, 0)
        upright = Image.fromarray(frame.to_ndarray(format="rgb24").astype(np.uint8))
        assert near(upright, 40, 10, RED)
        assert near(upright, 40, 310, BLUE)


def test_a_video_without_sound_comes_in_without_a_voice(tmp_path: Path) -> None:
    sent = video(tmp_path / "clip.mp4", codecs=("libx264", None))

    inspected = let_in(sent, "cameo_video")

    assert {clean.role for clean in inspected.files} == {"video", "face"}
    assert inspected.voice_pitch_hz is None


@pytest.mark.parametrize(
    ("name", "codec", "media_type"),
    [
        ("me.mp3", "libmp3lame", "audio/mpeg"),
        ("me.m4a", "aac", "audio/mp4"),
        ("me.ogg", "libopus", "audio/ogg"),
        ("me.flac", "flac", "audio/flac"),
        ("me.webm", "libopus", "video/webm"),
    ],
)
def test_a_voice_comes_in_from_every_usual_recorder(
    tmp_path: Path, name: str, codec: str, media_type: str
) -> None:
    sent = sound(tmp_path / name, codec, tone(2, pitch_hz=110, rate=48_000))

    inspected = let_in(sent, "cameo_voice")

    assert inspected.media_type == media_type
    assert inspected.duration_ms == pytest.approx(2000, abs=80)
    assert inspected.voice_pitch_hz == pytest.approx(110, abs=3)
    with wave.open(str(file(inspected, "voice"))) as voice:
        assert (voice.getframerate(), voice.getnchannels(), voice.getsampwidth()) == (16_000, 1, 2)


def test_a_voice_that_lasts_too_long_or_too_short_is_refused(tmp_path: Path) -> None:
    for seconds in (0.5, 61.0):
        sent = wav(tmp_path / "me.wav", tone(seconds, rate=8_000), rate=8_000)

        assert refused(sent, "cameo_voice") == "duration_out_of_range"


def test_a_video_that_lasts_too_long_or_too_short_is_refused(tmp_path: Path) -> None:
    for seconds in (0.5, 31.0):
        sent = video(tmp_path / "clip.mp4", seconds=seconds, fps=4, codecs=("libx264", None))

        assert refused(sent, "cameo_video") == "duration_out_of_range"


def test_a_voice_in_which_nothing_is_heard_is_refused(tmp_path: Path) -> None:
    silent = wav(tmp_path / "silent.wav", np.zeros(32_000, np.int16))
    mute = video(tmp_path / "mute.mp4", codecs=("libx264", None))

    assert refused(silent, "cameo_voice") == "no_sound"
    assert refused(mute, "cameo_voice") == "no_sound"


def test_a_video_in_which_nothing_is_seen_is_refused(tmp_path: Path) -> None:
    empty = video_without_frames(tmp_path / "empty.mp4")
    blind = sound(tmp_path / "blind.mp4", "aac", tone(2, rate=48_000))

    assert refused(empty, "cameo_video") == "no_picture"
    assert refused(blind, "cameo_video") == "no_picture"


def test_a_wav_is_as_long_as_its_samples_whatever_its_header_says(tmp_path: Path) -> None:
    sent = wav(tmp_path / "me.wav", tone(2))
    content = bytearray(sent.read_bytes())
    content[40:44] = struct.pack("<I", 0x7FFFFFF0)  # the data: eighteen hours of it
    sent.write_bytes(content)

    assert let_in(sent, "cameo_voice").duration_ms == 2000


@pytest.mark.parametrize(
    ("offset", "lie"),
    [(22, struct.pack("<H", 65_535)), (24, struct.pack("<I", 1))],
    ids=["channels", "rate"],
)
def test_a_wav_whose_header_cannot_be_true_is_refused(
    tmp_path: Path, offset: int, lie: bytes
) -> None:
    sent = wav(tmp_path / "me.wav", tone(2))
    content = bytearray(sent.read_bytes())
    content[offset : offset + len(lie)] = lie
    sent.write_bytes(content)

    assert refused(sent, "cameo_voice") in {"media_undecodable", "media_type_unsupported"}
