"""Media as strangers send them: made here, good and bad, for the tests of the studio."""

# PyAV's stubs leave the parameters of packets and of streams open.
# pyright: reportUnknownMemberType=false

import wave
from pathlib import Path

import av
import numpy as np
from av import AudioFrame, VideoFrame
from numpy.typing import NDArray
from PIL import Image

ADDRESS = "ALICE lives in 7 Rue des Fleurs"
RED, BLUE = (220, 20, 20), (20, 20, 220)
GPS, ORIENTATION, DESCRIPTION = 0x8825, 0x0112, 0x010E


def two_colours(width: int, height: int) -> Image.Image:
    """Red on the left, blue on the right."""
    image = Image.new("RGB", (width, height), RED)
    image.paste(BLUE, (width // 2, 0, width, height))
    return image


def photo(path: Path, image: Image.Image, *, orientation: int = 1) -> Path:
    """A photo with all that a phone writes along: where, when, by whom."""
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    exif[DESCRIPTION] = ADDRESS
    exif.get_ifd(GPS).update({1: "N", 2: (48.0, 51.0, 29.0), 3: "E", 4: (2.0, 17.0, 40.0)})
    xmp = f"<x:xmpmeta xmlns:x='adobe:ns:meta/'>{ADDRESS}</x:xmpmeta>".encode()
    image.save(path, exif=exif, xmp=xmp, comment=ADDRESS.encode())
    return path


def tone(seconds: float, *, pitch_hz: float = 180.0, rate: int = 16_000) -> NDArray[np.int16]:
    """A buzz with overtones, as of vocal cords."""
    time = np.arange(round(seconds * rate)) / rate
    buzz = sum(np.sin(2 * np.pi * pitch_hz * k * time) / k for k in range(1, 8))
    return (np.asarray(buzz) * 6000).astype(np.int16)


def wav(path: Path, samples: NDArray[np.int16], *, rate: int = 16_000) -> Path:
    with wave.open(str(path), "wb") as recording:
        recording.setnchannels(1)
        recording.setsampwidth(2)
        recording.setframerate(rate)
        recording.writeframes(samples.tobytes())
    return path


def sound(path: Path, codec: str, samples: NDArray[np.int16], *, rate: int = 48_000) -> Path:
    with av.open(str(path), "w") as container:
        container.metadata["title"] = ADDRESS
        track = container.add_stream(codec, rate=rate)
        assert isinstance(track, av.AudioStream)
        track.codec_context.layout = "mono"
        frame = AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate = rate
        container.mux(track.encode(frame))
        container.mux(track.encode(None))
    return path


def video(  # noqa: PLR0913 - each is a way in which a clip may differ
    path: Path,
    *,
    seconds: float = 1.5,
    size: tuple[int, int] = (320, 240),
    codecs: tuple[str, str | None] = ("libx264", "aac"),
    rotation: int = 0,
    fps: int = 20,
) -> Path:
    """A clip, red on the left and blue on the right, where a white square wanders about."""
    width, height = size
    picture_codec, sound_codec = codecs
    with av.open(str(path), "w") as container:
        container.metadata["title"] = container.metadata["comment"] = ADDRESS
        pictures = container.add_stream(picture_codec, rate=fps)
        assert isinstance(pictures, av.VideoStream)
        pictures.width, pictures.height, pictures.pix_fmt = width, height, "yuv420p"
        pictures.set_display_rotation(rotation)
        track: av.AudioStream | None = None
        if sound_codec is not None:
            added = container.add_stream(sound_codec, rate=48_000)
            assert isinstance(added, av.AudioStream)
            track = added
            track.codec_context.layout = "mono"
        for number in range(round(seconds * fps)):
            pixels = np.asarray(two_colours(width, height)).copy()
            pixels[20:40, 10 + number : 30 + number] = 255
            container.mux(pictures.encode(VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(pictures.encode(None))
        if track is not None:
            samples = tone(seconds, rate=48_000).reshape(1, -1)
            frame = AudioFrame.from_ndarray(samples, format="s16", layout="mono")
            frame.sample_rate = 48_000
            container.mux(track.encode(frame))
            container.mux(track.encode(None))
    return path


def video_without_frames(path: Path) -> Path:
    with av.open(str(path), "w") as container:
        pictures = container.add_stream("libx264", rate=20)
        assert isinstance(pictures, av.VideoStream)
        pictures.width, pictures.height, pictures.pix_fmt = 320, 240, "yuv420p"
        container.start_encoding()
    return path
