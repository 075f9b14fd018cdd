"""Media types: what a file is, by its first bytes, and which of them may enter for what."""

from typing import Literal

Purpose = Literal["image", "cameo_video", "cameo_voice"]

HEAD_BYTES = 64

_CONTAINERS = frozenset({"video/mp4", "video/quicktime", "video/webm"})
# Recorders name a file of sound alone after its container, so a voice may come as either.
ADMITTED: dict[Purpose, frozenset[str]] = {
    "image": frozenset({"image/jpeg", "image/png", "image/webp"}),
    "cameo_video": _CONTAINERS,
    "cameo_voice": _CONTAINERS
    | {"audio/wav", "audio/mpeg", "audio/mp4", "audio/ogg", "audio/flac"},
}


def sniffed(head: bytes) -> str | None:
    """Tell the media type by the first `HEAD_BYTES` of a file; None for all that may not enter."""
    for start, eighth, media_type in _MAGIC:
        if head.startswith(start) and head.startswith(eighth, 8):
            return media_type
    if head.startswith(b"ftyp", 4):
        brand = head[8:12]
        return None if brand in _STILL_BRANDS else _BRANDS.get(brand, "video/mp4")
    if head.startswith(_EBML):
        return "video/webm" if b"webm" in head[:HEAD_BYTES] else None
    if len(head) > 1 and head[0] == 0xFF and head[1] & 0xE6 == 0xE2:  # noqa: PLR2004 - frame sync
        return "audio/mpeg"
    return None


def may_be_called(declared: str, media_type: str) -> bool:
    """Whether a sender may have meant this media type by the one declared; nothing is any."""
    claimed = declared.partition(";")[0].strip().lower()
    if claimed in {"", "application/octet-stream"}:
        return True
    return media_type in _MEANT.get(claimed, {claimed})


_MAGIC = (
    (b"\x89PNG\r\n\x1a\n", b"", "image/png"),
    (b"\xff\xd8\xff", b"", "image/jpeg"),
    (b"RIFF", b"WEBP", "image/webp"),
    (b"RIFF", b"WAVE", "audio/wav"),
    (b"fLaC", b"", "audio/flac"),
    (b"OggS", b"", "audio/ogg"),
    (b"ID3", b"", "audio/mpeg"),
)
_EBML = b"\x1a\x45\xdf\xa3"
_BRANDS = {b"qt  ": "video/quicktime", b"M4A ": "audio/mp4", b"M4B ": "audio/mp4"}
_STILL_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"mif1", b"msf1", b"avif", b"avis"})
_ISO = frozenset({"video/mp4", "video/quicktime", "audio/mp4"})
_MEANT = {
    "image/jpg": frozenset({"image/jpeg"}),
    "video/mp4": _ISO,
    "video/quicktime": _ISO,
    "audio/mp4": _ISO,
    "audio/m4a": _ISO,
    "audio/x-m4a": _ISO,
    "audio/webm": frozenset({"video/webm"}),
    "audio/mp3": frozenset({"audio/mpeg"}),
    "audio/wave": frozenset({"audio/wav"}),
    "audio/x-wav": frozenset({"audio/wav"}),
    "audio/vnd.wave": frozenset({"audio/wav"}),
    "audio/x-flac": frozenset({"audio/flac"}),
    "application/ogg": frozenset({"audio/ogg"}),
}
