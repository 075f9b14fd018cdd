"""Inspection: which foreign media may enter, and the clean copies of it that do.

Read by the routes that take uploads. What a stranger sent is never decoded in this process: a child
(`decoding`) does it, which can reach no file and no network, has little memory and little time, and
whose answer is believed no more than the upload was.
"""

import os
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from hashlib import file_digest
from io import BufferedRandom, BufferedReader
from pathlib import Path
from typing import Literal

import msgspec

from myriorama.studio.asking import Unanswered, ask
from myriorama.studio.media_types import ADMITTED, HEAD_BYTES, Purpose, may_be_called, sniffed

Role = Literal["image", "face", "voice", "video"]
Reason = Literal[
    "upload_too_large",
    "media_type_unsupported",
    "media_undecodable",
    "image_too_large",
    "duration_out_of_range",
    "media_type_mismatch",
    "decoding_timed_out",
    "decoding_out_of_memory",
    "no_picture",
    "no_sound",
]

DECODER = (sys.executable, "-I", "-m", "myriorama.studio.decoding")


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """How much of the foreign is let in, and what may be spent on looking at it.

    `memory_bytes_max` is on top of the decoder's own code; `cpu_s_max` and `wall_s_max` count from
    its start. `side_px_max` bounds a clean picture, `video_side_px_max` a clean video.
    """

    image_bytes_max: int = 20 * 2**20
    video_bytes_max: int = 200 * 2**20
    voice_bytes_max: int = 25 * 2**20
    image_pixels_max: int = 50_000_000
    frame_pixels_max: int = 4096 * 2304
    video_ms_min: int = 1_000
    video_ms_max: int = 30_000
    voice_ms_min: int = 1_000
    voice_ms_max: int = 60_000
    side_px_max: int = 2048
    video_side_px_max: int = 720
    memory_bytes_max: int = 2**30
    output_bytes_max: int = 128 * 2**20
    cpu_s_max: int = 60
    wall_s_max: float = 90.0


class CleanFile(msgspec.Struct, frozen=True):
    """A copy that was made anew from the pictures and the sound alone, without any metadata."""

    role: Role
    path: Path
    media_type: str
    sha256: str
    bytes: int


class Inspected(msgspec.Struct, frozen=True, kw_only=True):
    """Media that may enter. `media_type` is what was sent; the sizes are the clean copy's."""

    media_type: str
    width: int | None
    height: int | None
    duration_ms: int | None
    files: tuple[CleanFile, ...]
    voice_pitch_hz: float | None

    def file(self, role: Role) -> CleanFile | None:
        return next((file for file in self.files if file.role == role), None)


class Refused(msgspec.Struct, frozen=True, tag="refused"):
    """Media that may not enter. `code` is stable: clients match on it."""

    code: Reason
    detail: str


class Decode(msgspec.Struct, frozen=True, kw_only=True):
    """What the child is asked: files are open descriptors, for it can open none itself."""

    purpose: Purpose
    media_type: str
    source: int
    targets: dict[Role, int]
    limits: Limits


class Decoded(msgspec.Struct, frozen=True, kw_only=True, tag="decoded"):
    """What the child answers: the media types that it wrote, by role, and what it saw."""

    media_types: dict[Role, str]
    width: int | None = None
    height: int | None = None
    duration_ms: int | None = None
    voice_pitch_hz: float | None = None


LIMITS = Limits()


def inspect(
    path: Path,
    *,
    purpose: Purpose,
    limits: Limits = LIMITS,
    declared: str | None = None,
    decoder: Sequence[str] = DECODER,
) -> Inspected | Refused:
    """Look at an upload, and put clean copies of it beside it: `<name>.face.png` and so on.

    It may take `limits.wall_s_max` and keeps a core busy: call it in a thread, few at a time.
    `declared` is the media type that the sender claims. If it is refused, no copy is left.

    Raises:
        DecoderBroken: nothing can be inspected on this machine.
    """
    with path.open("rb") as source:
        media_type = _admitted(source, purpose, limits, declared)
        if isinstance(media_type, Refused):
            return media_type
        with _copies(path, purpose) as copies:
            request = Decode(
                purpose=purpose,
                media_type=media_type,
                source=source.fileno(),
                targets={role: copy.fileno() for role, copy in copies.items()},
                limits=limits,
            )
            answer = _answer(request, decoder)
            if isinstance(answer, Refused):
                return answer
            files = tuple(
                _kept(path, role, copies[role], kind) for role, kind in answer.media_types.items()
            )
    return Inspected(
        media_type=media_type,
        width=answer.width,
        height=answer.height,
        duration_ms=answer.duration_ms,
        files=files,
        voice_pitch_hz=answer.voice_pitch_hz,
    )


_ROLES: dict[Purpose, tuple[Role, ...]] = {
    "image": ("image",),
    "cameo_video": ("video", "face", "voice"),
    "cameo_voice": ("voice",),
}
_SUFFIXES: dict[Role, dict[str, str]] = {
    "image": {"image/png": ".png", "image/jpeg": ".jpg"},
    "face": {"image/png": ".png"},
    "voice": {"audio/wav": ".wav"},
    "video": {"video/mp4": ".mp4"},
}


def _admitted(
    source: BufferedReader, purpose: Purpose, limits: Limits, declared: str | None
) -> str | Refused:
    """Tell the media type, or refuse what can be refused without decoding anything."""
    bytes_max = {
        "image": limits.image_bytes_max,
        "cameo_video": limits.video_bytes_max,
        "cameo_voice": limits.voice_bytes_max,
    }[purpose]
    size = os.fstat(source.fileno()).st_size
    if size > bytes_max:
        return Refused("upload_too_large", f"{size} bytes; at most {bytes_max} are taken")
    media_type = sniffed(os.pread(source.fileno(), HEAD_BYTES, 0))
    if media_type is None or media_type not in ADMITTED[purpose]:
        kind = media_type or "not of any media type that is known here"
        taken = ", ".join(sorted(ADMITTED[purpose]))
        return Refused("media_type_unsupported", f"this is {kind}; taken are {taken}")
    if not may_be_called(declared or "", media_type):
        return Refused("media_type_mismatch", f"declared as {declared!r:.80}, is {media_type}")
    return media_type


@contextmanager
def _copies(path: Path, purpose: Purpose) -> Generator[dict[Role, BufferedRandom]]:
    """Open an empty file for each role; those that have not been renamed by the end are removed."""
    copies: dict[Role, BufferedRandom] = {}
    try:
        for role in _ROLES[purpose]:
            copies[role] = _partial(path, role).open("w+b")
        yield copies
    finally:
        for role, copy in copies.items():
            copy.close()
            _partial(path, role).unlink(missing_ok=True)


def _partial(path: Path, role: Role) -> Path:
    return path.with_name(f"{path.name}.{role}.partial")


def _kept(path: Path, role: Role, copy: BufferedRandom, media_type: str) -> CleanFile:
    copy.seek(0)
    digest = file_digest(copy, "sha256").hexdigest()
    kept = path.with_name(f"{path.name}.{role}{_SUFFIXES[role][media_type]}")
    _partial(path, role).rename(kept)
    return CleanFile(role, kept, media_type, digest, os.fstat(copy.fileno()).st_size)


def _answer(request: Decode, decoder: Sequence[str]) -> Decoded | Refused:
    """Have the child decode, and believe of its answer what can be checked from here."""
    answer = ask(
        decoder,
        msgspec.json.encode(request),
        descriptors=(request.source, *request.targets.values()),
        wall_s=request.limits.wall_s_max,
    )
    if isinstance(answer, Unanswered):
        return Refused(answer.code, answer.detail)
    try:
        decoded = msgspec.json.decode(answer, type=Decoded | Refused)
    except msgspec.DecodeError:
        return Refused("media_undecodable", "looking at this broke the decoder")
    if isinstance(decoded, Decoded) and not _credible(decoded, request):
        return Refused("media_undecodable", "looking at this misled the decoder")
    return decoded


def _credible(decoded: Decoded, request: Decode) -> bool:
    """Whether each copy that is said to have been written is there, and is of its type."""
    for role, media_type in decoded.media_types.items():
        target = request.targets.get(role)
        if target is None or media_type not in _SUFFIXES[role]:
            return False
        if sniffed(os.pread(target, HEAD_BYTES, 0)) != media_type:
            return False
    return bool(decoded.media_types)
