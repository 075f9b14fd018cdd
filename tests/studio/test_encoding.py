"""What leaves the studio plays everywhere, starts at once, and says that it was generated."""

from hashlib import sha256
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image

from myriorama.studio.captions import Cue
from myriorama.studio.encoding import Encoded, encode
from myriorama.studio.marking import burn_mark
from myriorama.studio.renderer import Clip

ENCODINGS = 10
SECONDS, FPS, HEIGHT, WIDTH = 5, 24, 160, 96
SAID = [Cue(500, 1500, "Good morning", "Ana"), Cue(2000, 3000, "It \\is {not}")]


def filmed(*, rate_hz: int = 24_000, loudness: float = 0.05) -> Clip:
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH]
    frames = np.empty((SECONDS * FPS, HEIGHT, WIDTH, 3), np.uint8)
    for index, frame in enumerate(frames):
        frame[:] = ((rows + columns + 3 * index) % 256)[..., None]
    t = np.arange(SECONDS * rate_hz) / rate_hz
    tone = (loudness * np.sin(2 * np.pi * 440 * t)).astype(np.float32)
    return Clip(frames, FPS, np.stack([tone, tone]), rate_hz)


@pytest.fixture(scope="module")
def encoded(tmp_path_factory: pytest.TempPathFactory) -> Encoded:
    folder = tmp_path_factory.mktemp("encoded")
    return encode(filmed(), folder, cues=SAID, prefix="clip")


def test_the_index_stands_before_the_media(encoded: Encoded) -> None:
    content = encoded.video.read_bytes()
    boxes, at = list[bytes](), 0
    while at < len(content):
        size = int.from_bytes(content[at : at + 4], "big")
        boxes.append(content[at + 4 : at + 8])
        at += size

    assert boxes.index(b"moov") < boxes.index(b"mdat")


def test_picture_and_sound_are_as_long_as_the_clip(encoded: Encoded) -> None:
    with av.open(encoded.video) as container:
        picture, sound = container.streams.video[0], container.streams.audio[0]
        # `Any`: PyAV's stubs cannot say that a stream of an open file has these.
        streams: list[Any] = [picture, sound]
        lengths = [float(stream.duration * stream.time_base) for stream in streams]
        codecs = (picture.codec_context.name, sound.codec_context.name)
        pictures = sum(1 for _ in container.decode(video=0))

    assert codecs == ("h264", "aac")
    assert pictures == SECONDS * FPS
    assert lengths == [pytest.approx(SECONDS, abs=0.05)] * 2
    assert (encoded.duration_ms, encoded.fps, encoded.has_sound) == (SECONDS * 1000, FPS, True)


def test_every_two_seconds_one_can_start_to_watch(encoded: Encoded) -> None:
    with av.open(encoded.video) as container:
        starts = [
            round(float(packet.pts * packet.time_base), 2)
            for packet in container.demux(video=0)
            if packet.is_keyframe and packet.pts is not None
        ]

    assert starts == [0.0, 2.0, 4.0]


def test_the_files_are_what_is_said_of_them(encoded: Encoded) -> None:
    content = encoded.video.read_bytes()

    assert encoded.size_bytes == len(content)
    assert encoded.sha256 == sha256(content).hexdigest()
    with Image.open(encoded.poster) as poster, Image.open(encoded.thumbnail) as thumbnail:
        assert (poster.format, poster.size) == ("JPEG", (encoded.width, encoded.height))
        assert (thumbnail.format, thumbnail.width) == ("WEBP", WIDTH)


def test_the_same_clip_is_encoded_to_the_same_bytes(encoded: Encoded, tmp_path: Path) -> None:
    # Not twice but often: what is fixed to one of the machine's states differs now and then only.
    hashes = {encode(filmed(), tmp_path, cues=SAID, prefix="clip").sha256 for _ in range(ENCODINGS)}

    assert hashes == {encoded.sha256}


def test_colours_come_back_as_they_were_drawn(tmp_path: Path) -> None:
    drawn = filmed()
    drawn.frames[:] = (200, 40, 90)

    with av.open(encode(drawn, tmp_path).video) as container:
        frame = next(container.decode(video=0))

    assert (frame.colorspace, frame.color_range) == (1, 1)  # BT.709, of limited range
    assert np.abs(frame.to_ndarray(format="rgb24").mean((0, 1)) - (200, 40, 90)).max() < 3


def test_players_find_the_captions_in_the_file_and_beside_it(encoded: Encoded) -> None:
    with av.open(encoded.video) as container:
        shown = [
            (packet.pts, packet.duration, bytes(packet)[2:].decode())
            for packet in container.demux(subtitles=0)
            if packet.size > 2
        ]

    assert shown == [(500, 1000, "Ana: Good morning"), (2000, 1000, "It /is (not)")]
    assert encoded.captions is not None
    assert "<v Ana>Good morning" in encoded.captions.read_text()


def test_where_nobody_speaks_there_are_no_captions(tmp_path: Path) -> None:
    encoded = encode(filmed(), tmp_path)

    with av.open(encoded.video) as container:
        assert not container.streams.subtitles
    assert encoded.captions is None


def test_a_silent_clip_has_no_sound_track(tmp_path: Path) -> None:
    encoded = encode(filmed(loudness=0.0), tmp_path)

    with av.open(encoded.video) as container:
        assert not container.streams.audio
    assert not encoded.has_sound


def test_the_tone_is_still_the_tone(encoded: Encoded) -> None:
    with av.open(encoded.video) as container:
        heard = np.concatenate([part.to_ndarray() for part in container.decode(audio=0)], axis=1)

    spectrum = np.abs(np.fft.rfft(heard[0, :48_000]))
    assert abs(int(np.argmax(spectrum)) - 440) <= 2


def test_the_mark_changes_its_corner_half_way() -> None:
    frames = np.full((10, 320, 192, 3), 90, np.uint8)

    burn_mark(frames)

    marked = (frames != 90).any(-1)
    first, second = marked[0], marked[-1]
    assert first[160:, :96].any()
    assert not first[:160].any()
    assert second[:160, 96:].any()
    assert not second[160:].any()
    assert (marked[:5] == first).all()
    assert (marked[5:] == second).all()


@pytest.mark.parametrize("side", [32, 64, 512])
def test_the_mark_fits_into_every_frame(side: int) -> None:
    frames = np.zeros((2, side, side, 3), np.uint8)

    burn_mark(frames)

    assert frames[0].max() > 150
    assert frames[1].max() > 150
