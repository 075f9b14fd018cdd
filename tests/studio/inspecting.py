"""Media that are let in, or refused, and what they look like then."""

import struct
import sys
import zlib
from pathlib import Path
from typing import Literal

from PIL import Image, ImageCms

from myriorama.studio.inspection import (
    Inspected,
    Limits,
    Refused,
    inspect,
)
from myriorama.studio.media_types import Purpose
from tests.studio.foreign_media import (
    ADDRESS,
)


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
