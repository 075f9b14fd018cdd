"""What is sent to break the inspection breaks nothing, and is refused."""

import os
import random
import struct
import zlib
from pathlib import Path

import pytest
from PIL import Image

from myriorama.studio.asking import DecoderBroken
from myriorama.studio.inspection import (
    Inspected,
    Limits,
    Refused,
    inspect,
)
from myriorama.studio.media_types import Purpose, may_be_called, sniffed
from tests.studio.foreign_media import (
    photo,
    sound,
    tone,
    two_colours,
    video,
)
from tests.studio.inspecting import (
    chunk,
    file,
    let_in,
    program,
    refused,
)


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
