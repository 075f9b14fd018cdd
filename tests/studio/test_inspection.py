"""What strangers send is let in as clean copies, or refused, and harms nobody either way."""

import os
import random
import struct
import sys
import wave
import zlib
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import Literal

import av
import numpy as np
import pytest
from PIL import Image, ImageCms

from myriorama.studio.asking import DecoderBroken
from myriorama.studio.inspection import (
    Inspected,
    Limits,
    Refused,
    inspect,
)
from myriorama.studio.media_types import Purpose, may_be_called, sniffed
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


def test_a_photo_that_was_cut_off_is_refused(tmp_path: Path) -> None:
    sent = photo(tmp_path / "me.jpg", Image.effect_noise((300, 300), 90).convert("RGB"))
    sent.write_bytes(sent.read_bytes()[: sent.stat().st_size // 2])

    assert refused(sent, "image") == "media_undecodable"


def test_a_bomb_is_refused_by_the_size_it_would_have(tmp_path: Path) -> None:
    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    pixels = zlib.compress(bytes(1_000_000))
    sent = tmp_path / "bomb.png"
    sent.write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    )

    assert refused(sent, "image") == "image_too_large"


def test_a_video_with_huge_frames_is_refused(tmp_path: Path) -> None:
    sent = video(tmp_path / "clip.mp4", codecs=("libx264", None))

    assert refused(sent, "cameo_video", Limits(frame_pixels_max=320 * 200)) == "image_too_large"


def test_what_takes_too_much_memory_is_refused(tmp_path: Path) -> None:
    Image.new("RGB", (5000, 5000)).save(tmp_path / "large.png")

    limits = Limits(memory_bytes_max=24 * 2**20)

    assert refused(tmp_path / "large.png", "image", limits) == "decoding_out_of_memory"


def test_a_page_named_as_a_photo_is_refused(tmp_path: Path) -> None:
    sent = tmp_path / "me.jpg"
    sent.write_bytes(b"<!doctype html><script>alert(1)</script>")

    assert refused(sent, "image") == "media_type_unsupported"


def test_what_else_is_hidden_in_a_photo_stays_outside(tmp_path: Path) -> None:
    sent = photo(tmp_path / "me.jpg", two_colours(300, 200))
    with sent.open("ab") as end:
        end.write(b"<script>alert(1)</script>PK\x03\x04")

    clean = file(let_in(sent, "image"), "image").read_bytes()

    assert b"script" not in clean
    assert clean.endswith(b"\xff\xd9")


@pytest.mark.parametrize("purpose", ["image", "cameo_video", "cameo_voice"])
def test_nothing_is_not_let_in(tmp_path: Path, purpose: Purpose) -> None:
    for content in (b"", b"\0" * 200):
        sent = tmp_path / "empty"
        sent.write_bytes(content)

        assert refused(sent, purpose) == "media_type_unsupported"


def test_media_for_one_purpose_are_not_let_in_for_another(tmp_path: Path) -> None:
    picture = photo(tmp_path / "me.jpg", two_colours(30, 20))

    assert refused(picture, "cameo_video") == "media_type_unsupported"
    assert refused(picture, "cameo_voice") == "media_type_unsupported"


def test_an_upload_is_refused_by_its_size_before_it_is_read(tmp_path: Path) -> None:
    sent = tmp_path / "large"
    sent.touch()
    os.truncate(sent, 2**40)

    for purpose in ("image", "cameo_video", "cameo_voice"):
        assert refused(sent, purpose) == "upload_too_large"


def test_media_declared_as_something_else_are_refused(tmp_path: Path) -> None:
    sent = photo(tmp_path / "me.jpg", two_colours(30, 20))

    answer = inspect(sent, purpose="image", declared="image/png")

    assert isinstance(answer, Refused)
    assert answer.code == "media_type_mismatch"


@pytest.mark.parametrize(
    ("declared", "media_type", "may"),
    [
        ("", "image/png", True),
        ("application/octet-stream", "image/png", True),
        ("Audio/WebM;codecs=opus", "video/webm", True),
        ("audio/x-m4a", "video/mp4", True),
        ("image/jpg", "image/jpeg", True),
        ("video/mp4", "video/webm", False),
        ("text/html", "image/png", False),
    ],
)
def test_media_types_go_by_several_names(declared: str, media_type: str, *, may: bool) -> None:
    assert may_be_called(declared, media_type) is may


@pytest.mark.parametrize(
    "head",
    [b"GIF89a", b"BM", b"<svg", b"%PDF-1.7", b"\0\0\0\x18ftypheic", b"\0\0\0\x18ftypavif",
     b"#EXTM3U\n", b"ffconcat version 1.0", b"RIFF\0\0\0\0AVI ", b"\x1a\x45\xdf\xa3matroska"],
)  # fmt: skip
def test_other_media_are_not_known_here(head: bytes) -> None:
    assert sniffed(head.ljust(64, b"\0")) is None


def test_a_decoder_that_spins_is_ended(tmp_path: Path) -> None:
    sent = photo(tmp_path / "me.jpg", two_colours(30, 20))

    answer = inspect(
        sent, purpose="image", limits=Limits(wall_s_max=0.3), decoder=program("while True: pass")
    )

    assert isinstance(answer, Refused)
    assert answer.code == "decoding_timed_out"


@pytest.mark.parametrize(
    "answer",
    [
        "os.abort()",
        "print('x' * 10_000_000)",
        'print(\'{"type": "decoded", "media_types": {}}\')',
        'print(\'{"type": "decoded", "media_types": {"image": "text/html"}}\')',
        'print(\'{"type": "decoded", "media_types": {"image": "image/png"}}\')',
        'print(\'{"type": "decoded", "media_types": {"voice": "audio/wav"}}\')',
    ],
    ids=["crashes", "floods", "gives nothing", "gives a page", "gives no file", "gives another"],
)
def test_a_decoder_that_was_taken_over_is_not_believed(tmp_path: Path, answer: str) -> None:
    sent = photo(tmp_path / "me.jpg", two_colours(30, 20))
    decoder = program(f"import os; print('ready', flush=True); {answer}")

    refusal = inspect(sent, purpose="image", decoder=decoder)

    assert isinstance(refusal, Refused)
    assert refusal.code == "media_undecodable"
    assert list(tmp_path.iterdir()) == [sent]


def test_a_decoder_that_does_not_start_is_not_blamed_on_the_upload(tmp_path: Path) -> None:
    sent = photo(tmp_path / "me.jpg", two_colours(30, 20))

    with pytest.raises(DecoderBroken):
        inspect(sent, purpose="image", decoder=program("raise SystemExit(3)"))

    assert list(tmp_path.iterdir()) == [sent]


@pytest.mark.parametrize("purpose", ["image", "cameo_video", "cameo_voice"])
def test_damaged_media_are_let_in_or_refused_and_never_break_anything(
    tmp_path: Path, purpose: Purpose
) -> None:
    chance = random.Random(7)  # noqa: S311 - the same damage each time
    good = {
        "image": lambda: photo(tmp_path / "sent.png", two_colours(60, 40)),
        "cameo_video": lambda: video(tmp_path / "sent.mp4"),
        "cameo_voice": lambda: sound(tmp_path / "sent.ogg", "libopus", tone(2, rate=48_000)),
    }
    sent = good[purpose]()
    content = sent.read_bytes()

    for _ in range(3):
        damaged = bytearray(content)
        for _ in range(20):
            damaged[chance.randrange(16, len(damaged))] = chance.randrange(256)
        sent.write_bytes(damaged)
        answer = inspect(sent, purpose=purpose)

        left = {path for path in tmp_path.iterdir() if path != sent}
        assert left == (
            {clean.path for clean in answer.files} if isinstance(answer, Inspected) else set()
        )
        for path in left:
            path.unlink()


def let_in(sent: Path, purpose: Purpose) -> Inspected:
    answer = inspect(sent, purpose=purpose)
    assert isinstance(answer, Inspected), answer
    return answer


def refused(sent: Path, purpose: Purpose, limits: Limits | None = None) -> str:
    answer = inspect(sent, purpose=purpose, limits=limits or Limits())
    assert isinstance(answer, Refused), answer
    assert answer.detail
    assert list(sent.parent.glob(f"{sent.name}.*")) == []
    return answer.code


def file(inspected: Inspected, role: str) -> Path:
    return next(clean.path for clean in inspected.files if clean.role == role)


def program(text: str) -> tuple[str, ...]:
    return (sys.executable, "-I", "-c", text)


def chunk(kind: bytes, content: bytes) -> bytes:
    return (
        struct.pack(">I", len(content))
        + kind
        + content
        + struct.pack(">I", zlib.crc32(kind + content))
    )


def profile(space: Literal["LAB", "sRGB"]) -> bytes:
    made = ImageCms.createProfile(space)  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType] - untyped
    return ImageCms.ImageCmsProfile(made).tobytes()  # pyright: ignore[reportUnknownArgumentType] - untyped


def near(image: Image.Image, x: int, y: int, colour: tuple[int, int, int]) -> bool:
    """Whether a pixel looks like a colour, after all that encoders do to it."""
    seen = image.convert("RGB").getpixel((x, y))
    assert isinstance(seen, tuple)
    return all(abs(a - b) < 40 for a, b in zip(seen, colour, strict=True))


def assert_nothing_but_pixels(path: Path) -> None:
    content = path.read_bytes()
    assert ADDRESS.encode() not in content
    with Image.open(path) as image:
        assert not image.getexif()
        assert set(image.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
